"""Which data does a job of Flink's read and write? Its plan names the tables, and their catalogs say what they are.

Asked once the job is submitted, while it begins, and only where lineage is wanted; what is not found out is not told,
and is no failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol, cast

import msgspec

from penstock.errors.task import AnswerRefused
from penstock.model.asset import Access, Change, Touched, located
from penstock.plugins.flink.gateway import Session
from penstock.plugins.flink.jobs import Job, JobManager
from penstock.plugins.flink.known import Version
from penstock.plugins.flink.script import Statement, statements
from penstock.plugins.iceberg.catalog import Catalog, cause
from penstock.plugins.rest.patient import Patient
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Ask, Context, Level

# How long one of Flink's answers may take, in seconds: the job is what matters.
PATIENCE: Final = 30.0
SCANNED: Final = re.compile(r"TableSourceScan\(table=\[\[([^\[\]]+?)(?:, [\w-]+=\[|\]\])")
LOOKED_UP: Final = re.compile(r"LookupJoin\(table=\[([^\[\]]+?)\]")
NAME: Final = r"(?:`(?:[^`]|``)+`|[\w$]+)"
INTO: Final = re.compile(
    rf"\b(INSERT\s+INTO|INSERT\s+OVERWRITE|UPDATE|DELETE\s+FROM|CREATE\s+TABLE|CREATE\s+OR\s+REPLACE\s+TABLE)\s+"
    rf"(?:TABLE\s+)?(?:IF\s+NOT\s+EXISTS\s+)?({NAME}(?:\s*\.\s*{NAME})*)",
    re.IGNORECASE,
)
# DROP, CREATE OR REPLACE and their kin would change what a job that lives works on.
PREPARES: Final = re.compile(
    r"(?:(?:SET|RESET|USE|LOAD|ADD)\b|CREATE\s+(?:TEMPORARY\s+|SYSTEM\s+)*(?:TABLE|VIEW|CATALOG|DATABASE|FUNCTION)\b)",
    re.IGNORECASE,
)
CHANGES: Final = {"OVERWRITE": Change.OVERWRITE, "TABLE": Change.CREATE}
COLUMN: Final = re.compile(
    r"^  `((?:[^`]|``)+)` (?!AS )(.+?)(?: METADATA\b.*| NOT NULL.*| COMMENT '.*)?,?$", re.MULTILINE
)
QUOTED: Final = re.compile(r"`((?:[^`]|``)+)`")
OPTION: Final = re.compile(r"^  '((?:[^']|'')*)' = '((?:[^']|'')*)',?$", re.MULTILINE)
# Flink's longest text has a name of its own.
TYPES: Final = {"VARCHAR(2147483647)": "STRING", "VARBINARY(2147483647)": "BYTES"}
JDBC: Final = re.compile(r"jdbc:(\w+)://([^/?;]+)/([^?;]*)")
SCHEMES: Final = {"postgresql": "postgres", "sqlserver": "mssql"}


class Sessions(Protocol):
    """Opens sessions of the gateway with settings; `within` so many seconds, for what may be given up."""

    def __call__(self, settings: Mapping[str, str], within: float | None = None) -> AbstractContextManager[Session]: ...


class Kept(msgspec.Struct, frozen=True):
    """What is remembered of a job: its id, and the data that it reads and writes."""

    job: str
    data: list[Touched]


def tell(
    waiting: Waiting, session: Session, statement: Statement, jobs: JobManager, job: str, *, name: str = ""
) -> None:
    """Tell what the job that a statement has become reads and writes; under a name it is remembered, for who finds the
    job there later.
    """
    context = waiting.context
    if not context.about.lineage:
        return
    with _no_failure(context):
        hasty = session.within(PATIENCE)
        found = [*_written(hasty, statement, waiting), *_read(hasty, jobs.plan(job), waiting)]
        for each in found:
            context.touches(each)
        if name and found:
            # a statement may hold what is secret, and what is remembered is not sealed
            kept = Kept(job, [msgspec.structs.replace(each, sql="") for each in found])
            asked: dict[str, Any] = {"key": _key(name), "value": msgspec.to_builtins(kept), "namespace": "", "type": ""}
            context.ask(Ask.KV_SET, **asked, overwrite=True, ttl=None)


def tell_again(
    waiting: Waiting, sessions: Sessions, version: Callable[[], Version | None], jobs: JobManager, job: Job
) -> None:
    """Tell of a job that lives already what was told when it began, or else what its version's SQL says now."""
    context = waiting.context
    if not context.about.lineage:
        return
    with _no_failure(context):
        kept = _recalled(context, job)
        for each in kept:
            context.touches(each)
        begun = None if kept else version()
        if begun is None:
            return
        *before, last = statements(begun.sql)
        with sessions(begun.session, PATIENCE) as session:
            for statement in filter(_prepares, before):
                try:
                    session.done(statement)
                except AnswerRefused as refused:
                    # a table that outlives its session is there already
                    context.log(f"Not done again: {refused.sentence}", Level.DEBUG)
            tell(waiting, session, last, jobs, job.id, name=job.name)


def _recalled(context: Context, job: Job) -> list[Touched]:
    """What is remembered of a job; nothing where it is of another one of the name."""
    found = cast("dict[str, Any]", context.ask(Ask.KV_GET, key=_key(job.name), namespace=""))
    try:
        kept = msgspec.convert(found["value"], Kept) if found["found"] else Kept("", [])
    except msgspec.ValidationError:
        return []
    return kept.data if kept.job == job.id else []


def _prepares(statement: Statement) -> bool:
    """Whether a statement only prepares its session, or makes what is there once its job lives: done once more, it
    takes nothing away.
    """
    return PREPARES.match(statement.text) is not None and not statement.becomes_job


@contextmanager
def _no_failure(context: Context) -> Iterator[None]:
    """Nothing that goes wrong in here is a failure of a task whose job runs."""
    try:
        yield
    except Exception as error:  # answers of servers may hold anything
        context.log(f"What the job reads and writes is not known, or not remembered: {error}", Level.DEBUG)


def _written(session: Session, statement: Statement, waiting: Waiting) -> Iterator[Touched]:
    """What a statement writes, as its text has it, each once. Raises what servers and their answers bring about."""
    for word, name in dict.fromkeys(INTO.findall(statement.text)):
        change = CHANGES.get(word.upper().split()[-1])
        for data in _data(session, name, waiting):
            yield msgspec.structs.replace(data, access=Access.WRITES, sql=statement.text, change=change)


def _read(session: Session, plan: str, waiting: Waiting) -> Iterator[Touched]:
    """What a job reads, as its plan has it, each once; likewise."""
    scanned = [path.split(", ") for path in SCANNED.findall(plan)]
    looked_up = [path.split(".") for path in LOOKED_UP.findall(plan)]
    for parts in dict.fromkeys(map(tuple, [*scanned, *looked_up])):
        yield from _data(session, ".".join(f"`{each.replace('`', '``')}`" for each in parts), waiting)


def _data(session: Session, name: str, waiting: Waiting) -> Iterator[Touched]:
    text = str(session.done(Statement(f"SHOW CREATE TABLE {name}", 1, False)).rows[0][0])
    path, columns, options = described(text)
    for namespace, own in places(path, options, waiting):
        yield Touched(access=Access.READS, namespace=namespace, name=own, columns=columns)


def described(text: str) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """The whole name of a table, the types of its columns, and its options, of what SHOW CREATE TABLE answers."""
    head, _, tail = text.partition("\nWITH (")
    path = [each.replace("``", "`") for each in QUOTED.findall(head.partition("(")[0])]
    columns = {match[1].replace("``", "`"): TYPES.get(match[2], match[2]) for match in COLUMN.finditer(head)}
    options = {match[1].replace("''", "'"): match[2].replace("''", "'") for match in OPTION.finditer(tail)}
    return path, columns, options


def places(parts: list[str], options: Mapping[str, str], waiting: Waiting) -> Iterator[tuple[str, str]]:
    """Where a table's data are, as lineage says it; nothing for what keeps none (`datagen`, `print`)."""
    match options.get("connector", ""):
        case "kafka" | "upsert-kafka":
            first = options.get("properties.bootstrap.servers", "").partition(",")[0].strip()
            for topic in options.get("topic", "").split(";"):
                if topic:
                    yield f"kafka://{first.rpartition('//')[2]}", topic
        case "iceberg":
            yield located(_iceberg(parts, options, waiting))
        case "jdbc" if found := JDBC.match(options.get("url", "")):
            table = options["table-name"]
            inner = f"public.{table}" if found[1] == "postgresql" and "." not in table else table
            yield f"{SCHEMES.get(found[1], found[1])}://{found[2]}", f"{found[3]}.{inner}"
        case _ if "path" in options:
            yield located(options["path"])


def _iceberg(parts: list[str], options: Mapping[str, str], waiting: Waiting) -> str:
    """Where a table of Iceberg's lies. A REST catalog is asked; of others it is known how they lay out a warehouse."""
    source: dict[str, Any] = msgspec.json.decode(options["src-catalog"]) if "src-catalog" in options else {}
    about: Mapping[str, str] = source.get("catalog-props") or options
    database = source.get("catalog-database") or options.get("catalog-database") or parts[1]
    table = source.get("catalog-table") or options.get("catalog-table") or parts[2]
    kind = (about.get("catalog-type") or about.get("catalog-impl", "").rpartition(".")[2]).lower()
    match kind:
        case "rest" | "restcatalog":
            who = {"Authorization": f"Bearer {about['token']}"} if "token" in about else {}
            server = Patient(
                address=about["uri"],
                called="Iceberg's catalog",
                cause=cause,
                timeout=PATIENCE,
                patience=0.0,
                headers=who,
            )
            return Catalog(server, waiting, about.get("warehouse", "")).table(f"{database}.{table}").location
        case "hive" | "hivecatalog":
            return f"{about['warehouse'].rstrip('/')}/{database}.db/{table}"
        case _:
            return f"{about['warehouse'].rstrip('/')}/{database.replace('.', '/')}/{table}"


def _key(name: str) -> str:
    return f"flink.{name}.data"
