"""What can a script tell Penstock? Lines `::{…}::` on standard output, so it works wherever its output is read.

Standard library only, Python 3.8 or newer; what takes longer to import than a script may take to start (json, logging,
typing) is imported where it is first used.
"""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HERE = __file__.rpartition("/")[0]


def send(what: dict[str, Any]) -> None:
    """Tell something in the protocol's own words."""
    sys.stdout.write(f"{line(what)}\n")
    sys.stdout.flush()


def line(what: dict[str, Any]) -> str:
    """The line that tells it."""
    import json

    return f"::{json.dumps(what, default=_plain)}::"


def outputs(values: dict[str, Any] | None = None, **more: Any) -> None:
    """Hand on values: `{{ outputs.task.vars.name }}`."""
    send({"outputs": {**(values or {}), **more}})


def counter(name: str, value: float = 1, tags: dict[str, str] | None = None) -> None:
    """Add to a counter."""
    _number(name, "counter", value, tags)


def gauge(name: str, value: float, tags: dict[str, str] | None = None) -> None:
    """Record the latest value of something."""
    _number(name, "gauge", value, tags)


def timer(name: str, duration: Any, tags: dict[str, str] | None = None) -> Any:
    """Record a span in seconds; of a function, how long its call takes (its answer is given back)."""
    if not callable(duration):
        return _number(name, "timer", duration, tags)
    began = time.perf_counter()
    try:
        return duration()
    finally:
        _number(name, "timer", time.perf_counter() - began, tags)


def progress(done: float, total: float | None = None, unit: str = "") -> None:
    """Tell how far the work is."""
    send({"progress": {"done": done, "total": total, "unit": unit}})


def log(message: object, level: str = "INFO") -> None:
    """Write a line of the log at a level: TRACE, DEBUG, INFO, WARN, ERROR."""
    send({"logs": [{"level": level, "message": str(message)}]})


def files(*globs: str) -> None:
    """Have files of the working directory stored at the end: `{{ outputs.task.outputFiles['name'] }}`."""
    send({"files": [str(glob) for glob in globs]})


def save_state(state: dict[str, Any]) -> None:
    """Keep what the next attempt needs to go on instead of beginning again."""
    send({"state": state})


def reads(namespace: str, name: str, **more: int) -> None:
    """Tell of data that are read, where (`s3://inbox`) and what (`orders.csv`), with `rows` and `size` where known."""
    send({"reads": [{"namespace": namespace, "name": name, **more}]})


def writes(namespace: str, name: str, **more: int) -> None:
    """Tell of data that are written, likewise."""
    send({"writes": [{"namespace": namespace, "name": name, **more}]})


def snooze(seconds: float | None = None) -> None:
    """Say that what the script waits for is not there yet: it is run again after so many seconds."""
    send({"snooze": True if seconds is None else seconds})


def logger() -> Any:
    """A logger of the standard library whose lines keep their level."""
    import logging

    class Telling(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            log(self.format(record), "WARN" if record.levelname == "WARNING" else record.levelname)

    found = logging.getLogger("penstock.script")
    if not found.handlers:
        found.addHandler(Telling())
        found.setLevel(logging.DEBUG)
        found.propagate = False
    return found


def give_way(name: str, told: dict[str, Any]) -> None:
    """Load an installed module of this name in the place of ours; what it lacks of `told` it gets."""
    elsewhere = [folder for folder in sys.path if folder.rstrip("/") != HERE]
    for finder in sys.meta_path:
        plain = getattr(finder, "__name__", "") == "PathFinder"
        spec = finder.find_spec(name, elsewhere if plain else None)
        if spec is None or spec.loader is None or (spec.origin or "").startswith(f"{HERE}/"):
            continue
        from importlib.util import module_from_spec

        module = module_from_spec(spec)
        ours, sys.modules[name] = sys.modules[name], module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            sys.modules[name] = ours
            raise
        for each, value in told.items():
            if not hasattr(module, each):
                setattr(module, each, value)
        return


def _number(name: str, kind: str, value: float, tags: dict[str, str] | None) -> None:
    send({"metrics": [{"name": name, "type": kind, "value": value, "tags": tags or {}}]})


def _plain(value: Any) -> Any:
    told = getattr(value, "isoformat", None) or getattr(value, "tolist", None)
    return told() if told else list(value) if isinstance(value, (set, frozenset)) else str(value)
