"""What does `penstock run FILE --only TASK` do? Tries one task, with what another run handed on; keeps nothing."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock.app import App
from penstock.app.databases import open_store
from penstock.app.manner import manner_of
from penstock.cli import following
from penstock.cli.drive import Drive
from penstock.cli.ending import Exit
from penstock.cli.following import Wanted
from penstock.cli.options import near, who
from penstock.cli.said import as_json, data, note
from penstock.cli.target import address
from penstock.engine import Loaded
from penstock.engine.scope import plain, scope_of
from penstock.errors import nearest
from penstock.errors.project import WrongCall
from penstock.errors.run import UnknownStep
from penstock.model import ids
from penstock.model.flow import Flow
from penstock.model.inputs import Output
from penstock.model.node import ForEach, Node, Sequence, Task
from penstock.model.plan import LOOPS, ROOT, Plan, every_node, plan
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.services import flows, project
from penstock.services import runs as verbs
from penstock.services.core import Core
from penstock.services.document import document
from penstock.services.plans import Plans
from penstock.services.reading import load, with_parts
from penstock.services.secrets.given import opened_inputs
from penstock.services.starting import Start
from penstock.store import kv
from penstock.store.port import Tx

STAND_IN: Final = "stand_in"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """Which task of which file or flow is tried, and the run whose values it finds (none: only inputs)."""

    target: str
    file: Path | None
    task: str
    run: str = ""
    inputs: dict[str, object] = {}


def try_one(app: App, trial: Trial, wanted: Wanted) -> int:
    """Try one task, in a store that is gone afterwards, and tell what it handed on."""
    flow = _flow(app, trial)
    old = load(app.core, trial.run) if trial.run else None
    outputs = with_parts(app.core, old, functools.partial(_outputs, old)) if old else {}
    alone = _alone(flow, trial.task, outputs, old, app.core)
    own = _beside(app, flow)
    drive = Drive(own, following.show_for(own, wanted))
    begun = ""
    try:
        drive.start()
        laid = flows.push(own.core, alone, "", f"only {trial.task}", who())
        places = app.project.flow_places if app.project.file else [near(trial.file or Path()).absolute().parent]
        project.push_called(own.core, alone, places, manner_of(app.project), who())
        begun = verbs.start(own.core, laid, _start(flow, trial, _opened(app, old) if old else None, drive.id))
        run = drive.follow(begun, who())
        _tell(own.core, run, ids.node_of(trial.task), wanted)
    finally:
        drive.close()
        if begun:
            app.files.forget([f"runs/{begun}/"])
        own.core.store.close()
    return Exit.SUCCESS if run.status in (RunStatus.SUCCESS, RunStatus.WARNING) else Exit.RUN_FAILED


def _flow(app: App, trial: Trial) -> Flow:
    file = trial.file
    if file is None and app.project.file is not None:
        file = next(iter(project.files_of(trial.target, app.project.flow_places)), None)
    if file is None:
        namespace, flow_id = address(app, trial.target)
        return flows.newest_plan(app.core, namespace, flow_id).flow
    return project.flow_of(project.read_file(near(file), manner_of(app.project)), near(file))


def _outputs(old: Loaded) -> dict[str, object]:
    found = plain(scope_of(old, ROOT)["outputs"])
    assert isinstance(found, dict)
    return {name: value for name, value in found.items() if value is not None}


def _alone(flow: Flow, key: str, outputs: Mapping[str, object], old: Loaded | None, core: Core) -> Flow:
    """The flow with this task alone, behind tasks that stand in for those whose outputs it names."""
    node = _node(flow, key)
    text = msgspec.json.encode(node).decode()
    before = tuple(
        Task(id=name, type=STAND_IN, properties={"ends": [{"outputs": value}]})
        for name, value in outputs.items()
        if name in text and name not in {each.id for each in every_node(replace(flow, body=_body(node)))}
    )
    laid = plan(flow)
    found: Node = node
    for around in reversed(list(_iterations(laid, key))):
        found = _round(laid, around, found, old, core)
    hands_on = Output(id=node.id, type="JSON", value=f"{{{{ (outputs['{node.id}'] ?? {{}}) | toJson }}}}")
    given = () if found is not node or not isinstance(node, Task) else (hands_on,)
    body = Sequence(id="", nodes=(*before, found))
    return replace(flow, body=body, after=(), outputs=given, limits=(), retry=None, sla=(), checks=(), triggers=())


def _body(node: Node) -> Sequence:
    return Sequence(id="", nodes=(node,))


def _node(flow: Flow, key: str) -> Node:
    every = {node.id: node for node in every_node(flow)}
    name = ids.node_of(key)
    if name not in every:
        raise UnknownStep(f'The flow {flow.name} has no task "{name}".', hint=nearest(name, every))
    return every[name]


def _iterations(laid: Plan, key: str) -> list[str]:
    """The keys of the iterations that a step lies in, the outermost first. Raises WrongCall where they are not told."""
    around = [above for above in laid.ancestors(key) if above and ids.iteration_of(above) is not None]
    loops = [above for above in _groups(laid, ids.node_of(key)) if isinstance(laid.node(above), LOOPS)]
    if len(around) != len(loops):
        first = "/".join(f"{loop}[0]" for loop in loops)
        raise WrongCall(
            f'"{ids.node_of(key)}" lies in the loop "{loops[0]}".',
            hint=f"Say in which round: {first}/{ids.node_of(key)}",
        )
    return around[::-1]


def _groups(laid: Plan, name: str) -> list[str]:
    """The ids of the groups around a node, the outermost first."""
    found: list[str] = []
    while name in laid.seats and (name := laid.seats[name].parent):
        found.append(name)
    return found[::-1]


def _round(laid: Plan, around: str, node: Node, old: Loaded | None, core: Core) -> Node:
    """One round of a loop, with the value that it had in the run."""
    loop = laid.node(ids.node_of(around))
    if not isinstance(loop, ForEach):
        return node
    step = with_parts(core, old, lambda: old.step(around)) if old else None
    if step is None:
        raise WrongCall(f'The value of "{around}" is not known.', hint="Name a run that has it: --from RUN")
    return replace(loop, values=[step.value], nodes=(node,), errors=(), finally_=(), outputs=())


def _beside(app: App, flow: Flow) -> App:
    """The same project on a store of its own, which knows the keys of the flow's namespace, and nothing else."""
    now = app.core.clock.now()
    held = app.core.store.read(lambda tx: kv.list_values(tx, flow.namespace, now))
    core = Core(
        open_store(":memory:", app.core.clock, migrate=True),
        app.files,
        app.core.clock,
        Plans(),
        app.core.secrets,
        app.core.knobs,
        state_dir=app.core.state_dir,
        project=app.core.project,
    )

    def copy(tx: Tx) -> None:
        for each in held:
            kv.set_value(tx, each.namespace, each.key, each.value, now=now, expires_at=each.expires_at)

    core.store.write(copy)
    return App(app.project, app.where, core, app.files)


def _opened(app: App, old: Loaded) -> Run:
    """An earlier run with its inputs as they were given: they are sealed anew for where this one is kept."""
    return replace(old.run, inputs=opened_inputs(app.core, old.plan.flow, old.run.inputs, set()))


def _start(flow: Flow, trial: Trial, old: Run | None, owner: str) -> Start:
    declared = {each.id for each in flow.inputs}
    before = {name: value for name, value in (old.inputs if old else {}).items() if name in declared}
    return Start(
        inputs={**before, **trial.inputs},
        labels={name: value for name, value in (old.labels if old else {}).items() if not name.startswith("system.")},
        trigger=old.trigger if old else {},
        logical_date=old.logical_date if old else None,
        interval_start=old.interval_start if old else None,
        interval_end=old.interval_end if old else None,
        owner=owner,
        by=who(),
    )


def _tell(core: Core, run: Run, task: str, wanted: Wanted) -> None:
    told = document(core, run.id)
    if wanted.json:
        as_json(told)
        return
    for name, value in told.outputs.items():
        data(f"{name}={value if isinstance(value, str) else msgspec.json.encode(value).decode()}")
    if not wanted.quiet:
        note(f'Only "{task}" was tried; nothing of it is kept.')
