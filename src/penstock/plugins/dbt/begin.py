"""How does dbt begin in its own Python? `python begin.py DBT …` is the program at this path, told to look for garbage
seldom: it leaves next to none while it imports and reads a project, and looking for it is a fifth of its time.
"""

import gc
import os
import runpy
import sys

if __name__ == "__main__":
    gc.set_threshold(50_000, *gc.get_threshold()[1:])
    del sys.argv[0]
    # As if it had been begun by itself: its own folder is looked in first, where Python looks in folders of programs.
    if sys.path[0] == os.path.dirname(os.path.realpath(__file__)):  # noqa: PTH120
        sys.path[0] = os.path.dirname(os.path.realpath(sys.argv[0]))  # noqa: PTH120
    runpy.run_path(sys.argv[0], run_name="__main__")
