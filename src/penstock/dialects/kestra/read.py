"""What does a flow in Kestra's language say, and what is wrong with it? Text in; model and all problems out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from collections.abc import Sequence as Many
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock.dialects.kestra import fields, limits
from penstock.dialects.kestra.checks import check_flow
from penstock.dialects.kestra.defaults import Default, flow_defaults, merged, project_defaults
from penstock.dialects.kestra.expressions import check_templates
from penstock.dialects.kestra.inputs import inputs, outputs
from penstock.dialects.kestra.labels import of_flow
from penstock.dialects.kestra.listeners import listeners
from penstock.dialects.kestra.nodes import nodes
from penstock.dialects.kestra.page import Page, key_of, shown, tell
from penstock.dialects.kestra.places import finish, lines_of
from penstock.dialects.kestra.policies import checks, levels, retry
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, kind_of
from penstock.dialects.kestra.triggers import triggers
from penstock.dialects.kestra.types import Types
from penstock.dialects.kestra.yaml import parse
from penstock.errors import Place, Problem, Severity, nearest
from penstock.errors.flow import (
    BadEncoding,
    BadName,
    BadVersion,
    Deprecated,
    FlowError,
    NoFlow,
    NothingToDo,
    TooLarge,
)
from penstock.errors.run import BadId
from penstock.model import ids
from penstock.model.flow import Flow, Language
from penstock.model.node import Sequence

VERSIONS: Final = ("0.20", "1", "2")
DIRECTIVE: Final = re.compile(r"#\s*kestra:\s*(\S*)\s*$", re.MULTILINE)
SERVER_SIDE: Final = ("revision", "tenantId", "deleted", "updated", "source")
READ: Final = (
    "id",
    "namespace",
    "description",
    "labels",
    "inputs",
    "variables",
    "tasks",
    "errors",
    "finally",
    "afterExecution",
    "listeners",
    "sla",
    "checks",
    "triggers",
    "outputs",
    "concurrency",
    "retry",
    "timeout",
    "pluginDefaults",
    "taskDefaults",
    "disabled",
    "workerGroup",
)
# Addresses of version 1 end in these where others end in a flow's id.
RESERVED: Final = frozenset(
    ("pause", "resume", "force-run", "change-status", "kill", "executions", "search", "source", "disable", "enable")
)
FILLED: Final = (
    "labels", "inputs", "variables", "errors", "finally", "afterExecution", "listeners", "sla", "checks", "triggers",
    "outputs", "concurrency", "retry", "pluginDefaults", "taskDefaults", "workerGroup",
)  # fmt: skip
WITH_DEFAULTS: Final = ("tasks", "errors", "finally", "afterExecution", "listeners", "triggers")


class Reading(msgspec.Struct, frozen=True):
    """One text as it was read: its flow when nothing is an error, its problems in order, its digest; `before` counts
    the lines of its file that stand before it.
    """

    flow: Flow | None
    problems: tuple[Problem, ...]
    source: str
    digest: str
    before: int = 0


def read(
    text: str | bytes,
    *,
    types: Types,
    file: str = "",
    version: str = "1",
    defaults: Many[Mapping[str, object]] = (),
    namespace: str = "",
    globals: Mapping[str, object] | None = None,
) -> Reading:
    """Read one flow; never raises for what is wrong with the text.

    `defaults` are the project's plugin defaults, `namespace` is the one of flows that say none, `globals` names what
    `globals` has (None: anything). A first line `# kestra: 0.20` asks for another version of the language.
    """
    problems: list[Problem] = []
    source = decoded(text, file, problems)
    digest = hashlib.sha256(source.encode(errors="surrogatepass")).hexdigest()
    if problems:
        return Reading(None, tuple(problems), source, digest)
    page = Page(file, _version(source, version, file, problems), types, namespace, problems)
    tree = _parsed(source, page)
    flow: Flow | None = None
    if isinstance(tree, Map):
        if page.version == "2" and source.lstrip().startswith("{"):
            tell(page, Deprecated, tree, "Flows in JSON are gone in version 2; they still work.", "", Severity.NOTE)
        try:
            flow = _flow(page, tree, project_defaults(defaults))
            check_templates(page, flow, lines_of(source), globals)
        except TooLarge as enough:
            problems.append(enough.problem())
    told = finish(page.problems, tree, source, file)
    if any(problem.severity is Severity.ERROR for problem in told):
        flow = None
    return Reading(flow, told, source, digest)


def version_of(source: str, default: str) -> str:
    """The version of the language that a text asks for, as it is written there."""
    found = DIRECTIVE.match(source)
    return found[1] if found else default


def decoded(text: str | bytes, file: str, problems: list[Problem]) -> str:
    """The text of a file; what is no UTF-8 is noted."""
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        rest = error.object[error.start :].partition(b"\n")[0]
        begin = before.rfind(b"\n") + 1
        column = len(before[begin:].decode()) + 1
        line = (before[begin:] + rest).decode(errors="replace").rstrip("\r")
        place = Place(before.count(b"\n") + 1, column, file, line)
        wide = text[:2] in (b"\xff\xfe", b"\xfe\xff")
        byte = f"The byte 0x{error.object[error.start]:02X} here is not UTF-8."
        sentence = "The text is UTF-16, not UTF-8." if wide else byte
        problems.append(Problem(BadEncoding.code, sentence, place=place, hint=BadEncoding.hint))
        return text.decode(errors="replace")


def _version(source: str, version: str, file: str, problems: list[Problem]) -> str:
    found = DIRECTIVE.match(source)
    asked = found[1] if found else version
    asked = {"1.x": "1", "2.0": "2", "1.0": "1"}.get(asked, asked)
    if asked in VERSIONS:
        return asked
    place = Place(1, found.start(1) + 1, file) if found else None
    hint = nearest(asked, VERSIONS) or f"It is one of {', '.join(VERSIONS)}."
    sentence = f'There is no version "{shown(asked)}" of the language.'
    problems.append(Problem(BadVersion.code, sentence, place=place, hint=hint))
    return "1"


def _parsed(source: str, page: Page) -> Tree | None:
    try:
        tree = parse(source, page.problems)
    except FlowError as error:
        page.problems.append(error.problem())
        return None
    if not isinstance(tree, Map):
        empty = isinstance(tree, Scalar) and tree.value is None
        sentence = "The text is empty." if empty else f"A flow is a map, and this is {kind_of(tree)}."
        tell(page, NoFlow, tree, sentence)
    return tree


def _flow(page: Page, written: Map, project: tuple[Default, ...]) -> Flow:
    fields.known(page, written, (*READ, *SERVER_SIDE), "A flow")
    tree = _with_defaults(page, written, project)
    fields.filled(page, tree, FILLED)
    page = replace(page, queue=limits.queue(page, tree, ("queue",)))
    name, space = _name(page, tree), _namespace(page, tree)
    body = Sequence(
        id="",
        nodes=nodes(page, tree, "tasks"),
        errors=nodes(page, tree, "errors"),
        finally_=nodes(page, tree, "finally"),
    )
    _some_tasks(page, tree)
    flow = Flow(
        id=name,
        namespace=space,
        body=body,
        after=(*nodes(page, tree, "afterExecution"), *listeners(page, tree, nodes)),
        sla=levels(page, tree),
        checks=checks(page, tree),
        language=Language(version=page.version),
        description=fields.text(page, tree, "description"),
        labels=of_flow(page, tree),
        inputs=inputs(page, tree),
        outputs=outputs(page, tree),
        triggers=triggers(page, tree),
        variables=fields.values(page, tree, "variables"),
        limits=limits.of_flow(page, tree),
        retry=retry(page, tree),
        timeout=fields.duration(page, tree, "timeout"),
        disabled=fields.flag(page, tree, "disabled"),
    )
    check_flow(page, tree, flow)
    return flow


def _with_defaults(page: Page, tree: Map, project: tuple[Default, ...]) -> Map:
    own = flow_defaults(page, tree)
    if not own and not project:
        return tree
    entries = {
        name: merged(part, own, project, page.types) if name in WITH_DEFAULTS else part
        for name, part in tree.entries.items()
    }
    return Map(tree.line, tree.column, entries, tree.keys)


def _some_tasks(page: Page, tree: Map) -> None:
    found = fields.given(tree, "tasks")
    if found is None or (isinstance(found, Items) and not found.items):
        tell(page, NothingToDo, key_of(tree, "tasks"), 'A flow needs at least one task, in "tasks".')


def _name(page: Page, tree: Map) -> str:
    found = fields.needed(page, tree, "id", "A flow")
    name = fields.text(page, tree, "id")
    if isinstance(found, Scalar):
        try:
            ids.check_flow_id(name)
        except BadId as error:
            tell(page, BadName, found, _cut(error.sentence, name))
        if name in RESERVED and page.version == "1":
            sentence = f'The flow id "{name}" is a word of version 1 that no flow can have there.'
            tell(page, BadName, found, sentence, "Versions 0.20 and 2 take it; else choose another.")
    return name


def _namespace(page: Page, tree: Map) -> str:
    if page.namespace and fields.given(tree, "namespace") is None:
        return page.namespace
    found = fields.needed(page, tree, "namespace", "A flow")
    name = fields.text(page, tree, "namespace")
    if isinstance(found, Scalar):
        try:
            ids.check_namespace(name)
        except BadId as error:
            tell(page, BadName, found, _cut(error.sentence, name))
    return name


def _cut(sentence: str, name: str) -> str:
    return sentence.replace(name, shown(name), 1) if name else sentence
