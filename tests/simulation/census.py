"""What did the simulation exercise? Events by the status they met, ends of groups, rules, policies and verbs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import get_args

from penstock.engine.rule import Rule
from penstock.model import ids
from penstock.model.event import Event, about, kind
from penstock.model.node import Arrangement, Keep, Node, PauseEnd, Subflow, Task, TriggerRule
from penstock.model.plan import Plan
from penstock.model.policy import Backoff, Breach, IfUnmet, OnChildFailure, Retry, WhenFull
from penstock.model.run import Run, Step
from penstock.model.status import RunStatus, StepStatus
from penstock.services.reading import plan_of
from penstock.services.refold import Folded, Refold
from penstock.store.port import Tx
from tests.simulation.operator import DONE, REFUSED, VERBS
from tests.simulation.world import World

Cell = tuple[str, str, str]
Found = Counter[Cell]
NONE = "none"
KINDS = tuple(str(each.__struct_config__.tag) for each in get_args(Event))
OF_STEPS = (
    "admitted", "refused", "ended", "evaluated", "child_ended", "due", "expand", "held", "resume", "mark", "reported",
)  # fmt: skip
GROUPS = tuple(str(each.__struct_config__.tag) for each in get_args(Arrangement))
OF_RUN, OF_STEP, GROUP, RULE, POLICY, VERB = "run", "step", "group", "rule", "policy", "verb"
RUN_COLUMNS = [*map(str, RunStatus)]
STEP_COLUMNS = [NONE, *map(str, StepStatus)]
GROUP_COLUMNS = [*map(str, StepStatus)]
ONCE = ""
SHORT = 8
POLICIES = (
    *(f"retry {each}" for each in Backoff), "retry that warns", "retry as a new run", "retry for some time",
    "retry of some kinds",
    *(f"{each} of siblings" for each in OnChildFailure), *(f"rule {each}" for each in TriggerRule),
    *(f"limit: {each}" for each in WhenFull), "limit by key", "limit of several", "rate", "pool", "limit of runs",
    *(f"pause, then {each}" for each in PauseEnd), *(f"keep {each}" for each in Keep), "sensor", "sensor that is soft",
    "cache", "deadline", "condition", "allow failure", "allow warning", "timeout of a run", "retry of a run",
    *(f"service level: {each}" for each in Breach), *(f"check: {each}" for each in IfUnmet), "after the end",
    "outputs that reach out", "subflow that does not wait", "subflow later", "queue of its own", "judges",
)  # fmt: skip


def count(world: World) -> Found:
    """Fold every run of a world again, and count what each accepted event met and came to."""
    found: Found = Counter()
    for run in world.operator.every_run():
        plan = plan_of(world.sound, run)
        world.store.read(partial(_of_run, world, plan, run, found))
        found.update((POLICY, name, ONCE) for name in _of_flow(plan))
    found.update({(VERB, verb, how): many for (verb, how), many in world.operator.said.items()})
    if world.used:
        found[POLICY, "cache", ONCE] += world.used
    return found


def _of_run(world: World, plan: Plan, run: Run, found: Found, tx: Tx) -> None:
    again = Refold(world.sound, tx, plan, run)
    for folded in again.all():
        if folded.decision is None:
            continue
        word = kind(folded.told.event)
        found[OF_RUN, word, str(folded.was.status)] += 1
        key, _ = about(folded.told.event)
        if key:
            found[OF_STEP, word, _status(again, folded, key)] += 1
        found.update((RULE, rule.name.lower(), ONCE) for _, rule, _ in folded.decision.rules)
        for step, was in zip(folded.decision.steps, folded.before, strict=True):
            _of_step(plan, step, was, found)


def _of_step(plan: Plan, step: Step, was: Step | None, found: Found) -> None:
    if "#" in step.key or (was is not None and was.status is step.status):
        return
    node = plan.node(step.node)
    if step.group is not None and ids.iteration_of(step.key) is None:
        found[GROUP, str(node.__struct_config__.tag), str(step.status)] += 1
    if was is None:
        found.update((POLICY, name, ONCE) for name in _of_node(plan, node))


def _of_node(plan: Plan, node: Node) -> Iterator[str]:
    """The policies that a step goes by, each time one is born."""
    if isinstance(node.retry, Retry):
        yield from _of_retry(node.retry)
    if isinstance(node, Task):
        yield from _of_task(node)
    if isinstance(node, Subflow):
        yield from (["subflow that does not wait"] if not node.wait else []) + (["subflow later"] if node.at else [])
    for name in ("on_child_failure", "keep", "at_end"):
        value = getattr(node, name, None)
        match value:
            case OnChildFailure():
                yield f"{value} of siblings"
            case Keep():
                yield f"keep {value}"
            case PauseEnd():
                yield f"pause, then {value}"
    flags: dict[str, object] = {
        "deadline": node.deadline,
        "condition": node.run_if,
        "allow failure": node.allow_failure,
    }
    flags |= {"allow warning": node.allow_warning, "judges": getattr(node, "judges", ())}
    yield from (name for name, value in flags.items() if value)
    needs = getattr(plan.node(plan.seats[node.id].parent), "needs", {}) if node.id in plan.seats else {}
    if node.id in needs:
        yield f"rule {needs[node.id].rule}"


def _of_retry(retry: Retry) -> Iterator[str]:
    yield f"retry {retry.backoff}"
    flags: dict[str, object] = {"retry that warns": retry.warn, "retry as a new run": retry.new_run}
    flags |= {"retry for some time": retry.max_duration, "retry of some kinds": retry.kinds or retry.exit_codes}
    yield from (name for name, value in flags.items() if value)


def _of_task(node: Task) -> Iterator[str]:
    for limit in node.limits:
        yield f"limit: {limit.when_full}"
        if not limit.count:
            yield "pool"
        elif limit.window is not None:
            yield "rate"
        elif limit.name:
            yield "limit of several"
        elif limit.key:
            yield "limit by key"
    if node.sensor is not None:
        yield "sensor that is soft" if node.sensor.soft else "sensor"
    if node.queue != "default":
        yield "queue of its own"


def _of_flow(plan: Plan) -> Iterator[str]:
    """The policies that a run goes by."""
    flow = plan.flow
    flags: dict[str, object] = {
        "limit of runs": flow.limits,
        "timeout of a run": flow.timeout,
        "retry of a run": flow.retry,
    }
    flags |= {"after the end": flow.after, "outputs that reach out": flow.outputs}
    yield from (name for name, value in flags.items() if value)
    yield from (f"service level: {level.breach}" for level in flow.sla)
    yield from (f"check: {check.unmet}" for check in flow.checks)


def _status(again: Refold, folded: Folded, key: str) -> str:
    """The status of a step before an event: as it is still, unless the event has changed it."""
    assert folded.decision is not None
    for now, was in zip(folded.decision.steps, folded.before, strict=True):
        if now.key == key:
            return str(was.status) if was is not None else NONE
    step = again.loaded.steps.get(key)
    return str(step.status) if step is not None else NONE


def cells() -> set[Cell]:
    """Every cell that there is."""
    found = {(OF_RUN, word, status) for word, status in product(KINDS, RUN_COLUMNS)}
    found |= {(OF_STEP, word, status) for word, status in product(OF_STEPS, STEP_COLUMNS)}
    found |= {(GROUP, group, status) for group, status in product(GROUPS, GROUP_COLUMNS)}
    found |= {(RULE, rule.name.lower(), ONCE) for rule in Rule}
    found |= {(POLICY, name, ONCE) for name in POLICIES}
    return found | {(VERB, verb, how) for verb, how in product(("start", *VERBS), (DONE, REFUSED))}


def table(found: Found, unreachable: set[Cell]) -> str:
    """The counts as tables for people; `-` is what cannot be, `.` what never was."""
    grids = ((OF_RUN, KINDS, RUN_COLUMNS), (OF_STEP, OF_STEPS, STEP_COLUMNS), (GROUP, GROUPS, GROUP_COLUMNS))
    parts = []
    for what, rows, columns in (*grids, (VERB, ("start", *dict.fromkeys(VERBS)), [DONE, REFUSED])):
        lines = [f"{what:<16}" + "".join(f"{column[:SHORT]:>{SHORT + 1}}" for column in columns)]
        for row in rows:
            shown = [_shown(found, unreachable, (what, row, column)) for column in columns]
            lines.append(f"{row:<16}" + "".join(f"{one:>{SHORT + 1}}" for one in shown))
        parts.append("\n".join(lines))
    for what, names in ((POLICY, POLICIES), (RULE, tuple(rule.name.lower() for rule in Rule))):
        told = [f"{name} {_shown(found, unreachable, (what, name, ONCE))}" for name in names]
        parts.append(f"{what}: " + " · ".join(told))
    return "\n\n".join(parts)


def _shown(found: Found, unreachable: set[Cell], cell: Cell) -> str:
    return str(found[cell] or ("-" if cell in unreachable else "."))
