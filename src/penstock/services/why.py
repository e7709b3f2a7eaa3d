"""Why does a run, or one of its steps, not go on? What it waits for, where in the line it stands, who is before it."""

from __future__ import annotations

import msgspec

from penstock.errors import nearest
from penstock.errors.run import UnknownStep
from penstock.model import ids
from penstock.model.node import Pause, PauseEnd
from penstock.model.run import Run, Step
from penstock.model.status import RunStatus, StepStatus
from penstock.services.core import Core
from penstock.services.reading import plan_of
from penstock.store import inbox, limits, maintenance, pools, queue, runs, steps, workers
from penstock.store.limits import InUse, Waiting
from penstock.store.maintenance import ASIDE
from penstock.store.port import Tx
from penstock.store.queue import Standing

MOST_HOLDERS = 20


class Holder(msgspec.Struct, frozen=True):
    """Who has slots of a limit, how many, and since when (microseconds)."""

    run: str
    step: str
    weight: int
    since: int


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is waited for; the empty step is the run itself.

    `kind` is one of limit, queue, maintenance, time, somebody, paused, child, inside, running, earlier, event.
    Instants are microseconds, `ahead` counts who stands before it.
    """

    step: str
    kind: str
    sentence: str
    limit: str = ""
    count: int | None = None
    used: int | None = None
    weight: int | None = None
    holders: tuple[Holder, ...] = ()
    ahead: int | None = None
    queue: str = ""
    owner: str = ""
    workers: int | None = None
    free: int | None = None
    until: int | None = None
    run: str = ""


def why(core: Core, run: Run, step: str = "") -> list[Reason]:
    """Tell of a run, or of one of its steps, what it waits for; nothing of what has ended. Raises UnknownStep."""
    return core.store.read(lambda tx: _why(core, tx, run, step))


def _why(core: Core, tx: Tx, run: Run, key: str) -> list[Reason]:
    waits = limits.waits_of(tx, run.id)
    standing = {(one.step, one.attempt): one for one in queue.standing(tx, run.id)}
    if not key and run.status is RunStatus.QUEUED:
        mine = [_limit(core, tx, one) for one in waits if not one.step]
        return mine or [_other(run, "", "event", f"Run {run.id} has begun; what follows is about to be decided.")]
    rows = steps.load(tx, run.id, [key]).values() if key else steps.open_steps(tx, run.id)
    found: list[Reason] = []
    if not key and run.held_by:
        sentence = f"The run is paused by {run.held_by}; `penstock runs resume` lets it go on."
        found.append(_other(run, "", "paused", sentence))
    held = {(claim.step, claim.attempt): claim for claim in queue.claims_of(tx, run.id)}
    for one in rows:
        if not one.status.open:
            continue
        asked = [each for each in waits if (each.step, each.attempt) == (one.key, one.attempt)]
        if asked:
            found += [_limit(core, tx, each) for each in asked]
        elif ready := standing.get((one.key, one.attempt)):
            found.append(_ready(core, tx, one, ready, run.namespace))
        elif claim := held.get((one.key, one.attempt)):
            sentence = f'"{one.key}" is at work on {claim.worker}.'
            found.append(Reason(step=one.key, kind="running", sentence=sentence, until=None, owner=claim.worker))
        else:
            found.append(_by_status(core, tx, run, one))
    if key and not found:
        found += _not_begun(core, tx, run, key)
    # a group that is gone through is told of only where nothing in it says what it waits for
    return found if key else [one for one in found if one.kind != "inside"] or found


def _limit(core: Core, tx: Tx, one: Waiting) -> Reason:
    name, limit = one.name, one.limit
    pool = name.removeprefix(ids.POOL) if name.startswith(ids.POOL) else ""
    count = pools.slots(tx, pool) if pool else limit.count
    what = f"the pool {pool}" if pool else f"the limit {name}"
    ahead = limits.ahead(tx, one)
    who = f'"{one.step}"' if one.step else "The run"
    if count is None:
        sentence = f"{who} waits for {what}, which nobody has set: `penstock pools set {pool} SLOTS` does."
        return Reason(step=one.step, kind="limit", sentence=sentence, limit=name, weight=limit.weight, ahead=ahead)
    if limit.window is not None:
        lease_now = core.store.lease_now()
        starts = limits.started(tx, name, limit.window, lease_now)
        used = sum(weight for _, weight in starts)
        until = core.clock.now() + starts[0][0] + limit.window - lease_now if starts else None
        sentence = f"{who} waits for {what}: {used} of {count} starts in {limit.window / 1e6:g} s are made; "
        return Reason(
            step=one.step, kind="limit", sentence=sentence + _place(ahead), limit=name, count=count, used=used,
            weight=limit.weight,
            ahead=ahead, until=until,
        )  # fmt: skip
    used = limits.live(tx, name)
    holders = limits.in_use(tx, name, MOST_HOLDERS)
    sentence = f"{who} waits for {what}: {used} of {count} are in use{_by(holders)}, it wants {limit.weight}; "
    return Reason(
        step=one.step, kind="limit", sentence=sentence + _place(ahead), limit=name, count=count, used=used,
            weight=limit.weight,
        ahead=ahead, holders=tuple(Holder(each.run, each.step, each.weight, each.at) for each in holders),
    )  # fmt: skip


def _place(ahead: int) -> str:
    return "it is the next." if not ahead else f"{ahead} stand{'s' if ahead == 1 else ''} before it."


def _by(holders: list[InUse]) -> str:
    if not holders:
        return ""
    first = holders[0]
    return f", the longest by {first.step + ' of ' if first.step else ''}run {first.run}"


def _ready(core: Core, tx: Tx, step: Step, one: Standing, namespace: str) -> Reason:
    if one.queue.startswith(ASIDE):
        held = next((each for each in maintenance.every(tx) if maintenance.holds(each, namespace)), None)
        sentence = f'"{step.key}" is put aside'
        if held is not None:
            of = f"the namespace {held.namespace} is" if held.namespace else "all is"
            sentence += f": {of} in maintenance, says {held.by}{f' ({held.reason})' if held.reason else ''}"
        return Reason(step=step.key, kind="maintenance", sentence=f"{sentence}.", queue=one.queue[1:])
    ahead = queue.ahead(tx, one)
    known = [each for each in workers.list_workers(tx) if each.status is workers.WorkerStatus.RUNNING]
    silent = core.store.lease_now() - core.knobs.lease
    serving = [each for each in known if one.queue in each.queues and each.beat_at >= silent]
    free = sum(max(0, each.capacity - len(queue.held(tx, each.id))) for each in serving)
    sentence = f'"{step.key}" is ready in the queue {one.queue}; {_place(ahead)} '
    if one.owner:
        sentence += f"Only {one.owner} may do it, as long as that lives."
    elif serving:
        serve = "1 worker serves" if len(serving) == 1 else f"{len(serving)} workers serve"
        sentence += f"{serve} the queue, with {free} slots free."
    else:
        sentence += f"No living worker serves the queue: `penstock worker --queue {one.queue}` does."
    return Reason(
        step=step.key, kind="queue", sentence=sentence, queue=one.queue, owner=one.owner, ahead=ahead,
        workers=len(serving), free=free,
    )  # fmt: skip


def _by_status(core: Core, tx: Tx, run: Run, step: Step) -> Reason:
    key = step.key
    if step.held:
        return _other(run, key, "paused", f'"{key}" waits until the run goes on, which {run.held_by} has paused.')
    if step.status in (StepStatus.RETRYING, StepStatus.SNOOZED):
        left = _left(core, step.due_at or 0)
        what = "tried again" if step.status is StepStatus.RETRYING else "looked at again"
        if step.group is not None:
            what = "gone through again"
        return Reason(step=key, kind="time", sentence=f'"{key}" is {what} {left}.', until=step.due_at)
    if step.status is StepStatus.PAUSED:
        return Reason(step=key, kind="somebody", sentence=_paused(core, run, step), until=step.due_at)
    if step.child:
        child = runs.load(tx, step.child)
        status = str(child.status) if child else "not there yet"
        return Reason(
            step=key, kind="child", sentence=f'"{key}" waits for run {step.child}, which is {status}.', run=step.child
        )
    if step.group is not None:
        return _other(run, key, "inside", f'"{key}" goes on with what lies in it.')
    if inbox.any_for(tx, run.id):
        return _other(run, key, "event", f'What has happened to "{key}" is about to be decided.')
    return _other(run, key, "event", f'"{key}" is being handed on.')


def _paused(core: Core, run: Run, step: Step) -> str:
    """Who may let a pause go on, with what, and what happens without them."""
    node = plan_of(core, run).node(step.node)
    assert isinstance(node, Pause)
    who = " or ".join(node.resumers) or "somebody"
    asks = ", ".join(f"{each.id} ({each.type})" for each in node.inputs if each.required and not each.has_default)
    until = ""
    if step.due_at is not None:
        ends = {PauseEnd.RESUME: "it goes on", PauseEnd.WARN: "it is a warning", PauseEnd.FAIL: "it fails"}
        until = f"; {_left(core, step.due_at)} {ends.get(node.at_end, 'it is cancelled')} without"
    with_values = f" with {asks}" if asks else ""
    return f'"{step.key}" waits for {who} to resume it{with_values}{until}.'


def _left(core: Core, until: int) -> str:
    """In how long an instant comes, as people say it."""
    seconds = max(0, until - core.clock.now()) / 1e6
    if seconds < 60:
        return f"in {seconds:.1f} s" if seconds >= 0.1 else "at once"
    minutes = round(seconds / 60)
    return f"in {minutes} min" if minutes < 60 else f"in {minutes // 60} h {minutes % 60} min"


def _not_begun(core: Core, tx: Tx, run: Run, key: str) -> list[Reason]:
    """A step without a row, or one put back: what has to come before it is still at work."""
    plan = plan_of(core, run)
    if ids.node_of(key) not in plan.seats:
        raise UnknownStep(f'The run has no step "{key}".', hint=nearest(key, plan.seats))
    row = steps.load(tx, run.id, [key]).get(key)
    if run.status.ended or (row is not None and row.status.ended):
        return []
    around = next((above for above in plan.ancestors(key)), "")
    seat = plan.seats[ids.node_of(key)]
    open_now = [each.key for each in steps.open_steps(tx, run.id) if plan.parent_key(each.key) == around]
    named = ", ".join(open_now) or (f'the group "{around}"' if around else "the beginning of the run")
    inside = f' in the {seat.branch} of "{around}"' if around else ""
    return [_other(run, key, "earlier", f'"{key}"{inside} has not begun: {named} comes first.')]


def _other(run: Run, step: str, kind: str, sentence: str) -> Reason:
    return Reason(step=step, kind=kind, sentence=sentence, run=run.id if not step else "")
