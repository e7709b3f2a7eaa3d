"""Do the schema, the queries and the model say the same?"""

from __future__ import annotations

import enum
import re

import pytest

from penstock.model.effect import Work
from penstock.model.event import Timer
from penstock.model.policy import WhenFull
from penstock.model.status import Outcome, RunStatus, StepStatus
from penstock.store.metrics import MetricKind
from penstock.store.migrations.carried import carried, snapshot
from penstock.store.namespace_files import Kind
from penstock.store.port import Store, Tx
from penstock.store.postgres.lane import PostgresTx
from penstock.store.sqlite.session import SqliteTx
from penstock.store.statements import FOLDER, statement, texts_of
from penstock.store.workers import WorkerStatus

KINDS = ("sqlite", "postgres")
VALUE = re.compile(r":([a-z_]+)|%\(([a-z_]+)\)s")
QUERIES = [
    f"{path.stem}.{name}"
    for path in sorted(FOLDER.glob("*.sql"))
    for name in sorted({*texts_of("sqlite", path.stem), *texts_of("postgres", path.stem)})
]
ENUMS: list[tuple[str, str, type[enum.StrEnum] | set[str]]] = [
    ("runs", "status", RunStatus),
    ("steps", "status", StepStatus),
    ("ready_attempts", "work", Work),
    ("claimed_attempts", "work", Work),
    ("claimed_attempts", "killing", {"graceful", "force"}),
    ("blocked_attempts", "when_full", WhenFull),
    ("due", "timer", Timer),
    ("workers", "status", WorkerStatus),
    ("attempts", "outcome", Outcome),
    ("metrics", "kind", MetricKind),
    ("people", "kind", {"user", "service"}),
    ("run_ends", "status", {str(each) for each in RunStatus if each.ended}),
    ("run_days", "status", {str(each) for each in RunStatus if each.ended}),
    ("namespace_files", "kind", Kind),
]


@pytest.mark.parametrize(("table", "column", "words"), ENUMS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_allows_the_words_of_the_model(
    kind: str, table: str, column: str, words: type[enum.StrEnum] | set[str]
) -> None:
    text = snapshot(kind)

    body = re.search(rf"CREATE TABLE {table} \((.*?)^\)", text, re.DOTALL | re.MULTILINE)
    assert body
    check = re.search(rf"CHECK \({column} IN \(([^)]*)\)", body[1])

    assert check
    assert set(re.findall(r"'(\w+)'", check[1])) == {str(word) for word in words}


def test_every_query_can_be_prepared(store: Store) -> None:
    queries = [each for query in QUERIES if _has(store.kind, query) for each in _whole(store.kind, query)]

    plans = store.write(lambda tx: {query: _explain(tx, statement(store.kind, query).text) for query in queries})

    assert all(plans.values())


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_says_what_it_promises(query: str) -> None:
    noun, _, name = query.partition(".")
    paths = [path for path in FOLDER.rglob(f"{noun}.sql") if f"-- name: {name}\n" in path.read_text()]

    remarks = [re.search(rf"-- name: {re.escape(name)}\n-- .+\.", path.read_text()) for path in paths]

    assert remarks and all(remarks)


@pytest.mark.parametrize("kind", KINDS)
def test_migrations_are_numbered_without_gaps(kind: str) -> None:
    assert [migration.version for migration in carried(kind)] == list(range(1, len(carried(kind)) + 1))


def _has(kind: str, query: str) -> bool:
    """Tell whether a database has a query; logs stand in a database of their own on SQLite."""
    noun, _, name = query.partition(".")
    return name in texts_of(kind, noun) and (kind == "postgres" or noun != "logs")


def _whole(kind: str, query: str) -> list[str]:
    """A query, or a clause with its query; what serves any query of its file stands with each that has room for it."""
    noun, _, name = query.partition(".")
    if not name.startswith("any+"):
        return [query]
    heads = (head for head, text in texts_of(kind, noun).items() if "/*and*/" in text)
    return [f"{noun}.{head}{name.removeprefix('any')}" for head in heads]


def _explain(tx: Tx, text: str) -> list[object]:
    assert isinstance(tx, SqliteTx | PostgresTx)
    params = {left or right: None for left, right in VALUE.findall(text)}
    return list(tx._session.execute(f"EXPLAIN {text}", params).fetchall())
