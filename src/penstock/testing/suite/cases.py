"""What comes of one case? Its fixtures are laid out, its flow is run, its assertions are judged."""

from __future__ import annotations

import datetime
import enum
import functools
import threading
import time
from collections.abc import Mapping

import msgspec

from penstock import expr
from penstock.dialects.kestra.suites import Case, Fixtures
from penstock.engine.scope import nested, plain
from penstock.errors import PenstockError
from penstock.errors.project import WrongCall
from penstock.model.flow import Flow
from penstock.services import flows, project
from penstock.services import runs as verbs
from penstock.services.document import document
from penstock.services.project import Manner
from penstock.services.render import calls_in
from penstock.services.starting import Start
from penstock.services.suites import Found
from penstock.services.watch import lines_of
from penstock.settings.read import Project
from penstock.store import kv
from penstock.store.port import Tx
from penstock.testing.harness import BY
from penstock.testing.ran import Ran, Said
from penstock.testing.suite.coverage import Reached, reached
from penstock.testing.suite.judge import Judge, Verdict
from penstock.testing.suite.rewritten import Given, rewritten
from penstock.testing.suite.stage import Stage, Wanted


class State(enum.StrEnum):
    """How a case came out."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one case: its verdicts, or the trouble that kept it from being judged; its run where it has one."""

    suite: str
    case: str
    flow: str
    file: str
    line: int
    state: State
    seconds: float = 0.0
    verdicts: tuple[Verdict, ...] = ()
    trouble: str = ""
    ran: Ran | None = None
    reached: Reached | None = None

    @property
    def name(self) -> str:
        """The case's name among all."""
        return f"{self.suite}.{self.case}"


class Means(msgspec.Struct, frozen=True):
    """What every case of a call is run with: the project, how it reads flows, the environment, and how long a run may
    take, in seconds.
    """

    project: Project
    manner: Manner
    environ: dict[str, str]
    patience: float
    stopping: threading.Event


def run_case(found: Found, case: Case, means: Means) -> CaseResult:
    """Run one case of a usable suite; what goes wrong is told in the result."""
    suite = found.reading.suite
    assert suite is not None and found.tested is not None
    blank = CaseResult(
        suite=suite.id,
        case=case.id,
        flow=f"{suite.namespace}.{suite.flow}",
        file=str(found.path),
        line=case.place.line,
        state=State.SKIPPED,
    )
    if case.disabled or suite.disabled:
        return blank
    began = time.monotonic()
    try:
        result = _done(found, case, means, blank)
    except PenstockError as error:
        trouble = f"{error.sentence} {error.hint}".strip()
        result = msgspec.structs.replace(blank, state=State.ERROR, trouble=trouble)
    return msgspec.structs.replace(result, seconds=round(time.monotonic() - began, 3))


def _done(found: Found, case: Case, means: Means, blank: CaseResult) -> CaseResult:
    tested = found.tested
    assert tested is not None and tested.flow is not None
    fixtures = case.fixtures
    wanted = Wanted(
        project=means.project,
        environ=means.environ,
        secrets=fixtures.secrets,
        start=_instant(fixtures.now) if fixtures.now else None,
    )
    with Stage(wanted) as stage:
        files = {
            name: stage.files.put(f"fixtures/{name.lstrip('/')}", text.encode())
            for name, text in fixtures.files.items()
        }
        for key, value in _rendered(stage, tested.flow, fixtures.kv, files).items():
            stage.core.store.write(functools.partial(_set, tested.flow.namespace, key, value, stage.clock.now()))
        flow = rewritten(tested.flow, _given(stage, tested.flow, fixtures, files))
        plan = flows.push(stage.core, flow, tested.source, blank.name, BY)
        lenient = msgspec.structs.replace(means.manner, allow_unknown=True)
        project.push_called(stage.core, flow, found.places, lenient, BY)
        inputs = _rendered(stage, tested.flow, fixtures.inputs, files)
        run_id = verbs.start(stage.core, plan, Start(inputs=inputs, by=BY, trigger=fixtures.trigger))
        trouble = ""
        try:
            stage.follow(run_id, means.patience, means.stopping)
        except WrongCall as error:
            trouble = f"{error.sentence} {error.hint}".strip()
        said = tuple(Said(line.step, line.text) for line in lines_of(stage.core, run_id))
        ran = Ran(document(stage.core, run_id), (), said)
        judge = Judge(stage.core, run_id, files)
        verdicts = () if trouble else tuple(each for one in case.assertions for each in judge.judge(one))
    return msgspec.structs.replace(
        blank,
        state=_state(verdicts, trouble),
        verdicts=verdicts,
        trouble=trouble,
        ran=ran,
        reached=reached(ran.document.steps, (task.id for task in fixtures.tasks)),
    )


def _state(verdicts: tuple[Verdict, ...], trouble: str) -> State:
    if trouble or any(verdict.trouble for verdict in verdicts):
        return State.ERROR
    return State.PASSED if all(verdict.ok for verdict in verdicts) else State.FAILED


def _given(stage: Stage, flow: Flow, fixtures: Fixtures, files: Mapping[str, str]) -> dict[str, list[Given]]:
    """The fixtures by task; what of their outputs wants something of the run is left to be rendered in it."""
    found: dict[str, list[Given]] = {}
    for fixture in fixtures.tasks:
        outputs: dict[str, object] = {}
        late: dict[str, object] = {}
        for name, value in fixture.outputs.items():
            try:
                outputs |= _rendered(stage, flow, {name: value}, files)
            except PenstockError:
                late[name] = value
        found.setdefault(fixture.id, []).append(Given(fixture=fixture, outputs=outputs, late=late))
    return found


def _rendered(stage: Stage, flow: Flow, tree: Mapping[str, object], files: Mapping[str, str]) -> dict[str, object]:
    """Values with every expression in them rendered as before a run: with the flow, its variables and the files."""
    scope = {
        "flow": {"id": flow.id, "namespace": flow.namespace, "revision": 1},
        "vars": flow.variables,
        "variables": flow.variables,
        "globals": flow.globals,
        "labels": nested(flow.labels),
        "envs": stage.core.envs,
        "files": dict(files),
    }
    calls = calls_in(stage.core, flow.namespace, set())
    found = {name: _value(value, scope, calls) for name, value in tree.items()}
    return {name: plain(value) for name, value in found.items()}


def _value(value: object, scope: dict[str, object], calls: expr.Calls) -> object:
    if isinstance(value, str):
        return expr.compile(value).value(scope, calls)
    return expr.render(value, scope, calls)


def _instant(text: str) -> int:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise WrongCall(f'`now` is "{text}", which is no instant.', hint="Example: 2016-01-02T03:04:05Z") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.UTC)
    return round(found.timestamp() * 1_000_000)


def _set(namespace: str, key: str, value: object, now: int, tx: Tx) -> object:
    return kv.set_value(tx, namespace, key, value, now=now)
