"""How does dbt begin in its own Python? `python begin.py DBT …` is the program at this path, told to look for garbage
seldom: it leaves next to none while it imports and reads a project, and looking for it is a fifth of its time.
"""

import atexit
import gc
import os
import runpy
import sys

COUNTING = "nanobind"  # such modules (DuckDB's from version 2 on) count what is left of theirs in the end, and complain


def end() -> None:
    """What is left goes with the process, and is not looked through, unless somebody counts it."""
    extensions = [each for each in list(sys.modules.values()) if str(getattr(each, "__file__", "")).endswith(".so")]
    if not any(type(value).__module__ == COUNTING for each in extensions for value in vars(each).values()):
        gc.freeze()


if __name__ == "__main__":
    gc.set_threshold(50_000, *gc.get_threshold()[1:])
    atexit.register(end)
    del sys.argv[0]
    # As if it had been begun by itself: its own folder is looked in first, where Python looks in folders of programs.
    if sys.path[0] == os.path.dirname(os.path.realpath(__file__)):  # noqa: PTH120
        sys.path[0] = os.path.dirname(os.path.realpath(sys.argv[0]))  # noqa: PTH120
    runpy.run_path(sys.argv[0], run_name="__main__")
