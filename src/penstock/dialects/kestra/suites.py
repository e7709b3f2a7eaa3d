"""What does a test of a flow say, and what is wrong with its text? Kestra's `testCases`: fixtures and assertions."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.page import Found, Page, key_of, note_templates, shown, tell
from penstock.dialects.kestra.places import finish, lines_of
from penstock.dialects.kestra.read import decoded
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text, kind_of, plain
from penstock.dialects.kestra.types import Types
from penstock.dialects.kestra.yaml import parse
from penstock.errors import Place, Problem, Severity
from penstock.errors.flow import DuplicateId, FlowError, MissingProperty, NoFlow, UnknownType, WrongValue

# A text that has this line is a suite of tests, and no flow.
MARK: Final = re.compile(r"^[\"']?testCases[\"']?\s*:", re.MULTILINE)
OPERATORS: Final = (
    "isNull",
    "isNotNull",
    "equalTo",
    "notEqualTo",
    "contains",
    "startsWith",
    "endsWith",
    "greaterThan",
    "greaterThanOrEqualTo",
    "lessThan",
    "lessThanOrEqualTo",
    "in",
    "notIn",
)
# Names that the first release with tests had.
OLD: Final = {"equalsTo": "equalTo", "notEqualsTo": "notEqualTo"}
SUITE: Final = ("id", "namespace", "flowId", "description", "disabled", "testCases")
SERVER_SIDE: Final = ("tenantId", "deleted", "updated", "source")
CASE: Final = ("id", "type", "description", "disabled", "fixtures", "assertions")
FIXTURES: Final = ("inputs", "files", "tasks", "trigger", "kv", "secrets", "now")
TASK: Final = ("id", "value", "state", "outputs", "assets", "description")
TRIGGER: Final = ("id", "type", "variables")
ABOUT: Final = ("value", "taskId", "errorMessage", "description")
UNIT_TEST: Final = "io.kestra.core.tests.flow.UnitTest"
STATES: Final = ("SUCCESS", "WARNING", "FAILED", "SKIPPED", "KILLED", "CANCELLED")


class Check(msgspec.Struct, frozen=True):
    """One operator of an assertion, with what it compares to (a template, or a plain value), and where it stands."""

    operator: str
    expected: object
    place: Place


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at (a template, or a plain value), as the task `task` sees it (empty: as the flow's end does), and
    what must be true of it.
    """

    value: object
    checks: tuple[Check, ...]
    place: Place
    task: str = ""
    message: str = ""
    description: str = ""


class TaskFixture(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a task's place; in a loop, with `value`, only for that value."""

    id: str
    place: Place
    value: str | None = None
    state: str = "SUCCESS"
    outputs: dict[str, object] = {}


class Fixtures(msgspec.Struct, frozen=True, kw_only=True):
    """What a case finds: inputs, files by name, tasks that are not done, the trigger's variables; keys, secrets, and
    the instant at which it begins.
    """

    inputs: dict[str, object] = {}
    files: dict[str, str] = {}
    tasks: tuple[TaskFixture, ...] = ()
    trigger: dict[str, object] = {}
    kv: dict[str, object] = {}
    secrets: dict[str, str] = {}
    now: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One test: a run of the flow with fixtures, and what must be true of it."""

    id: str
    place: Place
    description: str = ""
    disabled: bool = False
    fixtures: Fixtures = Fixtures()
    assertions: tuple[Assertion, ...] = ()
    templates: tuple[Found, ...] = ()


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """The tests of one flow."""

    id: str
    namespace: str
    flow: str
    file: str
    place: Place
    description: str = ""
    disabled: bool = False
    cases: tuple[Case, ...] = ()


class SuiteReading(msgspec.Struct, frozen=True):
    """One text as it was read: its suite as far as it could be read, and its problems in order."""

    suite: Suite | None
    problems: tuple[Problem, ...]
    source: str
    digest: str

    @property
    def usable(self) -> bool:
        """Whether nothing is an error."""
        return self.suite is not None and all(each.severity is not Severity.ERROR for each in self.problems)


def is_suite(source: str) -> bool:
    """Whether a text is a suite of tests, at a glance."""
    return MARK.search(source) is not None


def read_suite(text: str | bytes, *, types: Types, file: str = "", namespace: str = "") -> SuiteReading:
    """Read one suite; never raises for what is wrong with the text. `namespace` is that of suites that say none."""
    problems: list[Problem] = []
    source = decoded(text, file, problems)
    digest = hashlib.sha256(source.encode(errors="surrogatepass")).hexdigest()
    page = Page(file, "1", types, namespace, problems)
    tree: Tree | None = None
    suite: Suite | None = None
    try:
        tree = None if problems else parse(source, problems)
        if isinstance(tree, Map):
            suite = _suite(page, tree)
        elif tree is not None:
            tell(page, NoFlow, tree, f"A suite of tests is a map, and this is {kind_of(tree)}.")
    except FlowError as error:
        problems.append(error.problem())
    return SuiteReading(suite, finish(problems, tree, source, file), source, digest)


def with_problems(reading: SuiteReading, found: list[Problem]) -> SuiteReading:
    """The same reading with further problems, each in its place."""
    if not found:
        return reading
    tree = parse(reading.source, [])
    problems = finish([*reading.problems, *found], tree, reading.source, reading.suite.file if reading.suite else "")
    return msgspec.structs.replace(reading, problems=problems)


def source_lines(reading: SuiteReading) -> list[str]:
    """The lines of a suite as places count them."""
    return lines_of(reading.source)


def _suite(page: Page, tree: Map) -> Suite:
    fields.known(page, tree, (*SUITE, *SERVER_SIDE), "A suite of tests")
    fields.needed(page, tree, "id", "A suite of tests")
    fields.needed(page, tree, "flowId", "A suite of tests")
    if not page.namespace:
        fields.needed(page, tree, "namespace", "A suite of tests")
    written = fields.maps(page, tree, "testCases", "A test")
    if not written:
        tell(page, MissingProperty, key_of(tree, "testCases"), "A suite needs at least one test.")
    cases: dict[str, Case] = {}
    for each in written:
        case = _case(page, each)
        if case.id in cases:
            tell(page, DuplicateId, key_of(each, "id"), f'Two tests have the id "{shown(case.id)}".')
        cases[case.id] = case
    return Suite(
        id=fields.text(page, tree, "id"),
        namespace=fields.text(page, tree, "namespace") or page.namespace,
        flow=fields.text(page, tree, "flowId"),
        file=page.file,
        place=place_of(page, key_of(tree, "flowId")),
        description=fields.text(page, tree, "description"),
        disabled=fields.flag(page, tree, "disabled"),
        cases=tuple(cases.values()),
    )


def _case(page: Page, tree: Map) -> Case:
    fields.known(page, tree, CASE, "A test")
    fields.needed(page, tree, "id", "A test")
    kind = fields.text(page, tree, "type", UNIT_TEST)
    if kind != UNIT_TEST:
        hint = f"It is {UNIT_TEST}, or left out."
        tell(page, UnknownType, key_of(tree, "type"), f'There is no kind of test "{shown(kind)}".', hint)
    before = len(page.templates)
    found = fields.mapping(page, tree, "fixtures")
    fixtures = _fixtures(page, found) if found is not None else Fixtures()
    asserted = fields.maps(page, tree, "assertions", "An assertion")
    if not asserted:
        tell(page, MissingProperty, key_of(tree, "assertions"), "A test needs at least one assertion.")
    assertions = tuple(_assertion(page, each) for each in asserted)
    return Case(
        id=fields.text(page, tree, "id"),
        place=place_of(page, tree),
        description=fields.text(page, tree, "description"),
        disabled=fields.flag(page, tree, "disabled"),
        fixtures=fixtures,
        assertions=assertions,
        templates=tuple(page.templates[before:]),
    )


def _fixtures(page: Page, tree: Map) -> Fixtures:
    fields.known(page, tree, FIXTURES, "`fixtures`")
    for name in ("inputs", "kv"):
        if (found := fields.given(tree, name)) is not None:
            note_templates(page, found, "", "before")
    trigger = fields.mapping(page, tree, "trigger")
    if trigger is not None:
        fields.known(page, trigger, TRIGGER, "The trigger")
    return Fixtures(
        inputs=fields.values(page, tree, "inputs"),
        files=_files(page, tree, "files"),
        tasks=tuple(_task(page, each) for each in fields.maps(page, tree, "tasks", "A task")),
        trigger={} if trigger is None else fields.values(page, trigger, "variables"),
        kv=fields.values(page, tree, "kv"),
        secrets=_files(page, tree, "secrets"),
        now=fields.text(page, tree, "now"),
    )


def _files(page: Page, tree: Map, name: str) -> dict[str, str]:
    """A property that is a map of texts."""
    found = fields.mapping(page, tree, name)
    texts: dict[str, str] = {}
    for key, item in found.entries.items() if found is not None else ():
        if isinstance(item, Scalar):
            texts[key] = as_text(item)
        else:
            tell(page, WrongValue, item, f'"{shown(key)}" is text, and this is {kind_of(item)}.')
    return texts


def _task(page: Page, tree: Map) -> TaskFixture:
    fields.known(page, tree, TASK, "The fixture of a task")
    fields.needed(page, tree, "id", "The fixture of a task")
    if (found := fields.given(tree, "outputs")) is not None:
        note_templates(page, found, "", "fixture")
    return TaskFixture(
        id=fields.text(page, tree, "id"),
        place=place_of(page, tree.entries.get("id", tree)),
        value=fields.text(page, tree, "value") if fields.given(tree, "value") is not None else None,
        state=fields.choice(page, tree, "state", STATES, "SUCCESS"),
        outputs=fields.values(page, tree, "outputs"),
    )


def _assertion(page: Page, tree: Map) -> Assertion:
    fields.known(page, tree, (*ABOUT, *OPERATORS, *OLD), "An assertion")
    null_wanted = _wants_null(tree)
    for name, item in tree.entries.items():
        note_templates(page, item, fields.text(page, tree, "taskId"), "null" if null_wanted else name)
    checks = tuple(
        Check(OLD.get(name, name), plain(item), place_of(page, tree.keys[name]))
        for name, item in tree.entries.items()
        if OLD.get(name, name) in OPERATORS and _fits(page, name, item)
    )
    if "value" not in tree.entries:
        tell(page, MissingProperty, tree, 'An assertion needs the property "value".')
    if tree.entries.keys() <= set(ABOUT):
        hint = f"It says one of {', '.join(OPERATORS)}."
        tell(page, MissingProperty, tree, "An assertion needs something that must be true.", hint)
    value = tree.entries.get("value")
    return Assertion(
        value=plain(value) if value is not None else None,
        checks=checks,
        place=place_of(page, value if isinstance(value, Scalar) else tree),
        task=fields.text(page, tree, "taskId"),
        message=fields.text(page, tree, "errorMessage"),
        description=fields.text(page, tree, "description"),
    )


def _wants_null(tree: Map) -> bool:
    """Whether nothing may be there: then a name that leads nowhere is what was expected."""
    found = tree.entries.get("isNull", tree.entries.get("isNotNull"))
    return isinstance(found, Scalar) and found.value is ("isNull" in tree.entries)


def _fits(page: Page, name: str, item: Tree) -> bool:
    match name:
        case "in" | "notIn":
            fits, wanted = isinstance(item, Items) or _is_template(item), "a list"
        case "isNull" | "isNotNull":
            fits, wanted = isinstance(item, Scalar) and isinstance(item.value, bool), "true or false"
        case "greaterThan" | "greaterThanOrEqualTo" | "lessThan" | "lessThanOrEqualTo":
            number = isinstance(item, Scalar) and _is_number(as_text(item))
            fits, wanted = number or _is_template(item), "a number"
        case _:
            return True
    if not fits:
        fields.wrong(page, item, name, wanted)
    return fits


def _is_template(item: Tree) -> bool:
    return isinstance(item, Scalar) and "{" in item.text


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def place_of(page: Page, tree: Tree) -> Place:
    """Where a part of the text stands."""
    return Place(tree.line, tree.column, page.file)
