"""What does a statement touch, and do two of them have to come in some order? Read from its SQL and its values.

At READ COMMITTED a statement sees what is committed when it begins and waits for rows that another holds. So two
statements of open transactions are tied when both write, or lock, the same rows; a statement and a COMMIT when that
transaction wrote what the statement reads or writes; two COMMITs never. What is not tied may change places, and
nobody could tell.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from penstock.store.statements import numbered

Rows = frozenset[tuple[str, str]]  # a table and the run whose rows of it are meant; "" for all of its rows
TABLE: Final = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|USING) ([a-z_]+)")
WRITTEN: Final = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM) ([a-z_]+)")
LOCKS: Final = re.compile(r"\bFOR (?:NO KEY )?UPDATE\b")
# A run is inserted under its id and its key: whoever comes second waits for whatever the first one is about.
WHOLE: Final = frozenset({"runs.insert", "runs.by_key"})
NOTHING: Final[Rows] = frozenset()


class Step(msgspec.Struct, frozen=True):
    """One move of a side: a statement, a look (all its statements see one view), or a COMMIT with what it wrote."""

    side: str
    words: str
    commits: bool = False
    reads: Rows = NOTHING
    writes: Rows = NOTHING


def touched(query: str, rows: Iterable[Mapping[str, object]]) -> tuple[Rows, Rows]:
    """The rows that a query reads, and those that it writes or locks."""
    tables, written = _tables(query)
    runs = {_run_of(query, row) for row in rows}
    # An INSERT that asks other rows for its place asks those of every run.
    reads = {(table, "") for table in tables - written} if written else {(t, run) for t in tables for run in runs}
    return frozenset(reads), frozenset((table, run) for table in written for run in runs)


def tied(one: Step, other: Step) -> bool:
    """Does it make a difference which of two moves of different sides comes first?"""
    if one.commits and other.commits:
        return False
    if one.commits:
        return _meet(one.writes, other.reads | other.writes)
    if other.commits:
        return _meet(other.writes, one.reads | one.writes)
    return _meet(one.writes, other.writes)


@functools.cache
def _tables(query: str) -> tuple[frozenset[str], frozenset[str]]:
    text = re.sub(r"\s+", " ", numbered(query).text)
    tables = frozenset(TABLE.findall(text))
    return tables, tables if LOCKS.search(text) else frozenset(WRITTEN.findall(text))


def _run_of(query: str, row: Mapping[str, object]) -> str:
    if query in WHOLE:
        return ""
    name = "id" if query.startswith("runs.") else "run_id"
    return str(row.get(name, ""))


@functools.cache
def _meet(one: Rows, other: Rows) -> bool:
    return any(table == its and (run == theirs or not run or not theirs) for table, run in one for its, theirs in other)
