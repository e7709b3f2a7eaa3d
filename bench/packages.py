"""What does a script with packages of its own cost once they are installed, beside one without?"""

from __future__ import annotations

import functools
import zipfile
from pathlib import Path

from bench.chains import HEAD
from bench.figure import Figure, figure, paired
from bench.house import bed, folder_on
from bench.shell import spent

LENGTH = 50
CHAIN_TIMES, RUN_TIMES = 7, 15
TASK = "  - id: t{n}\n    type: python.script\n    script: print('hello from t{n}')\n"
WITH = "    dependencies: [penstock-bench-colour]\n    env: {{PIP_NO_INDEX: '1', PIP_FIND_LINKS: '{wheels}'}}\n"


def with_packages() -> list[Figure]:
    """What each of 50 scripts in a chain, and `penstock run` of one, take longer for a package of their own: ms."""
    found = []
    with bed("sqlite") as made:
        plain = made.flow(_flow("plain", LENGTH))
        richer = made.flow(_flow("richer", LENGTH, wheel(made.root)))
        seen, low = paired(lambda: made.run(richer) / LENGTH * 1e3, lambda: made.run(plain) / LENGTH * 1e3, CHAIN_TIMES)
        found.append(_more("each of 50 in a chain", seen, low))
    with folder_on("sqlite") as (folder, store):
        (folder / "plain.yml").write_text(_flow("plain", 1))
        (folder / "richer.yml").write_text(_flow("richer", 1, wheel(folder)))
        run = functools.partial(_run, folder, store)
        seen, low = paired(lambda: run("richer.yml"), lambda: run("plain.yml"), RUN_TIMES)
        found.append(_more("`penstock run`", seen, low))
    return found


def wheel(folder: Path) -> Path:
    """A folder with a package in it that no index has."""
    wheels = folder / "wheels"
    wheels.mkdir()
    info = "penstock_bench_colour-1.0.dist-info"
    with zipfile.ZipFile(wheels / "penstock_bench_colour-1.0-py3-none-any.whl", "w") as made:
        made.writestr("penstock_bench_colour.py", "NAME = 'blue'\n")
        made.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: penstock-bench-colour\nVersion: 1.0\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", "")
    return wheels


def _flow(name: str, length: int, wheels: Path | None = None) -> str:
    more = WITH.format(wheels=wheels) if wheels else ""
    return HEAD.format(id=name) + "".join(TASK.format(n=n) + more for n in range(length))


def _run(folder: Path, store: list[str], file: str) -> float:
    return spent(["-m", "penstock", "run", file, *store], folder)


def _more(note: str, seen: list[float], low: list[float]) -> Figure:
    more = [one - other for one, other in zip(seen, low, strict=True)]
    return figure("with_packages", "ms more", more, bar=20, note=note)
