"""What do the case folders hold? Flows, each beside what reading it must give; run as a module, it rewrites them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from penstock.dialects.kestra import INSTALLED, Reading, read
from penstock.errors import Problem

HERE: Final = Path(__file__).parent
GOOD: Final = sorted((HERE / "cases").glob("*.yml"))
BROKEN: Final = sorted((HERE / "broken").glob("*.yml"))


def reading(path: Path) -> Reading:
    """Read one file of the corpus, with the task types that are installed."""
    return read(path.read_bytes(), types=INSTALLED, file=path.name)


def told(problem: Problem) -> str:
    """One problem as the expectations write it: code, severity, place, path; the sentence; the hint."""
    where = f"{problem.place.line}:{problem.place.column}" if problem.place else "-"
    lines = [f"{problem.code} {problem.severity} {where} {problem.path or '-'}", f"  {problem.sentence}"]
    return "\n".join([*lines, f"  {problem.hint}"] if problem.hint else lines) + "\n"


def outcome(found: Reading) -> str:
    """All problems of a reading, and whether there is a flow all the same."""
    return "".join(map(told, found.problems)) + ("the flow can run\n" if found.flow else "")


def outline(found: Reading) -> str:
    """The model of a reading as JSON, with what was noted besides."""
    document = {"flow": found.flow, "notes": [told(problem) for problem in found.problems]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def main() -> None:
    """Write every expectation anew; what changed is then reviewed like any other change."""
    for path in GOOD:
        path.with_suffix(".json").write_text(outline(reading(path)), encoding="utf-8")
    for path in BROKEN:
        path.with_suffix(".expected").write_text(outcome(reading(path)), encoding="utf-8")


if __name__ == "__main__":
    main()
