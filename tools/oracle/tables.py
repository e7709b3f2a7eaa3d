"""Do our expressions print what the engine prints? Tables of expressions, the answers beside them, and what differs.

A table is `tests/expr/tables/NAME.yml` (`scope`, `rows`); what the engine said stands in NAME.json beside it.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from penstock.errors import PenstockError
from penstock.expr import Calls, compile
from penstock.services.reaching import is_public_holiday
from tools.oracle.engine import Document, Engine
from tools.oracle.trouble import say

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "expr" / "tables"
DIFFERENCES = FOLDER / "differences.yml"
# Which engine settles a version of the language.
ENGINES = {"1": "1.3.31", "2": "2.0.0"}
OUTSIDE = {"isPublicHoliday": is_public_holiday}
NOW = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456, datetime.UTC)
# A version of the language reads the words of all versions, so that an engine may not know one that we do.
_UNKNOWN = re.compile(r"(?:Function or Macro|Filter|Test) \[\w+\] does not exist")


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a row: what it printed, or the sentence it failed with."""

    gives: str | None = None
    fails: str | None = None


class Table(msgspec.Struct, frozen=True):
    """Expressions over one scope, and what the engine of each version answered."""

    name: str
    scope: dict[str, Any]
    rows: list[str]
    answers: dict[str, dict[str, Answer]]


class Difference(msgspec.Struct, frozen=True):
    """Rows that we answer otherwise on purpose; the reason is a row of docs/en/migrate-from-kestra.md."""

    reason: str
    rows: dict[str, list[str]]


class Seen(msgspec.Struct, frozen=True):
    """One row under one version of the language: what the engine answered, and what we do."""

    table: str
    row: str
    version: str
    theirs: Answer
    ours: Answer

    @property
    def same(self) -> bool:
        """Both print the same text, or both fail."""
        return self.theirs.gives == self.ours.gives


def main(names: list[str], kept: bool) -> int:
    """Ask the engines about the tables (or use what they said), keep their answers, and print what differs."""
    if not kept:
        for version, engine in ENGINES.items():
            _ask(names, version, engine)
    accounted = allowed()
    differing = 0
    for seen in compared(names):
        if not seen.same and (seen.table, seen.row) not in accounted:
            differing += 1
            found = {"row": seen.row, "theirs": _told(seen.theirs), "ours": _told(seen.ours)}
            sys.stdout.write(f"{seen.table} {seen.version} {json.dumps(found, ensure_ascii=False)}\n")
    say(f"{differing} rows differ without a reason")
    return 1 if differing else 0


def compared(names: list[str] | None = None) -> Iterator[Seen]:
    """Answer every row under each version that an engine knows all words of."""
    for table in tables(names):
        for version, answers in table.answers.items():
            own = Calls(now=NOW, version=version, functions=OUTSIDE)
            for row in table.rows:
                theirs = answers.get(row)
                if theirs is not None and not (theirs.fails and _UNKNOWN.search(theirs.fails)):
                    yield Seen(table.name, row, version, theirs, ours(row, table.scope, own))


def ours(row: str, scope: dict[str, Any], calls: Calls) -> Answer:
    """What our own language makes of a row."""
    try:
        return Answer(gives=compile(row).render(scope, calls))
    except PenstockError as error:
        return Answer(fails=error.sentence)


def tables(names: list[str] | None = None) -> list[Table]:
    """Read the tables, all of them or those named."""
    found = []
    for path in sorted(FOLDER.glob("*.yml")):
        if path != DIFFERENCES and (not names or path.stem in names):
            written = yaml.safe_load(path.read_text(encoding="utf-8"))
            answers = path.with_suffix(".json")
            said = json.loads(answers.read_text(encoding="utf-8")) if answers.exists() else {}
            read = {version: msgspec.convert(rows, dict[str, Answer]) for version, rows in said.items()}
            found.append(Table(path.stem, written["scope"], written["rows"], read))
    return found


def differences() -> list[Difference]:
    """What we answer otherwise on purpose."""
    return msgspec.convert(yaml.safe_load(DIFFERENCES.read_text(encoding="utf-8")) or [], list[Difference])


def allowed() -> set[tuple[str, str]]:
    """The rows, with their tables, that have a reason to differ."""
    return {(table, row) for one in differences() for table, rows in one.rows.items() for row in rows}


def _ask(names: list[str], version: str, engine: str) -> None:
    asked = tables(names)
    with Engine(engine) as jvm:
        for table in asked:
            requests: list[Document] = [{"do": "render", "expression": row, "vars": table.scope} for row in table.rows]
            answers = dict(zip(table.rows, map(_answer, jvm.ask_all(requests)), strict=True))
            _keep(table, version, answers)


def _keep(table: Table, version: str, answers: dict[str, Answer]) -> None:
    """Write the answers beside the table, one row a line, so that a change can be read."""
    said = {**table.answers, version: answers}
    pages = []
    for one in sorted(said):
        lines = (f"    {json.dumps(row, ensure_ascii=False)}: {_told(said[one][row])}" for row in said[one])
        pages.append(f'  "{one}": {{\n' + ",\n".join(lines) + "\n  }")
    (FOLDER / f"{table.name}.json").write_text("{\n" + ",\n".join(pages) + "\n}\n", encoding="utf-8")


def _answer(answer: Document) -> Answer:
    if "error" in answer:
        return Answer(fails=str(answer["error"]["message"])[:200])
    return Answer(gives=answer["result"] if answer["result"] is not None else "")


def _told(answer: Answer) -> str:
    told = msgspec.to_builtins(answer)
    text = json.dumps(told, ensure_ascii=False)
    # Half of a pair of surrogates, cut out of a text by the engine, cannot be written as UTF-8.
    return text if text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text) else json.dumps(told)
