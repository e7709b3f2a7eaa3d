"""Which triggers are there, what do they know, and who switched them off? A row each, kept beside their flow."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock.errors import nearest
from penstock.errors.run import UnknownTrigger
from penstock.model.access import Action, Scope
from penstock.model.flow import Flow
from penstock.model.trigger import Listening, Polling, Timed, Trigger
from penstock.services import looking
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.unanswered import repeat_unknown
from penstock.store import feed, positions
from penstock.store import triggers as table
from penstock.store.port import Tx
from penstock.store.triggers import Known, State

# A row that nobody has looked at yet is due at once: it counts from then on, and not from when it was written.
AT_ONCE: Final = 0


def sync(tx: Tx, flow: Flow, now: int) -> None:
    """Let the rows of a flow's triggers say what its newest revision says, in the transaction that stores it.

    A trigger that says what it said goes on; one that changed counts anew, and stays off where it was switched off.
    What looks or listens for one that is gone is told to end.
    """
    before = {state.id: state for state in _of_flow(tx, flow.namespace, flow.id)}
    after = [_row(tx, flow, trigger, before.get(trigger.id), now) for trigger in flow.triggers]
    gone = [state for name, state in before.items() if name not in {state.id for state in after}]
    changed = [state for state in after if state != before.get(state.id)]
    table.put(tx, changed)
    if any(state.kind == "runs" for state in changed):
        positions.begin(tx, positions.OF_RUNS)  # a run that ends from now on is one that it waits for
    table.drop(tx, [state.key for state in gone])
    feed.append(tx, [("trigger", state.key, state.version) for state in (*changed, *gone)], now)
    replaced = [each for each in changed if each.id in before and _listens_anew(before[each.id], each)]
    _stop(tx, [*gone, *replaced], now)


def forget(tx: Tx, namespace: str, flow: str, now: int) -> None:
    """Forget the triggers of a flow, in the transaction that removes it."""
    gone = _of_flow(tx, namespace, flow)
    table.drop(tx, [state.key for state in gone])
    feed.append(tx, [("trigger", state.key, state.version) for state in gone], now)
    _stop(tx, gone, now)


@audited(
    Action.TRIGGERS_OPERATE, "triggers.switch", "{namespace}.{flow}/{trigger}", namespace="{namespace}", keeps=("on",)
)
def switch(core: Core, namespace: str, flow: str, trigger: str, by: str, *, on: bool) -> State:
    """Switch a trigger on or off and give it as it is then; switched on it counts from now. Raises UnknownTrigger."""
    now = core.clock.now()

    def work(tx: Tx) -> State:
        table.locked(tx, [table.key_of(namespace, flow, trigger)])
        state = table.get(tx, table.key_of(namespace, flow, trigger))
        if state is None:
            known = [each.id for each in table.of_flow(tx, namespace, flow)]
            hint = nearest(trigger, known) or (f"It has: {', '.join(known)}." if known else "")
            raise UnknownTrigger(f'The flow {namespace}.{flow} has no trigger "{trigger}".', hint=hint)
        if on is (not state.off_by):
            return state
        known_then = replace(state.known, since=None if state.next_at is not None else now) if on else state.known
        fresh = replace(
            state, off_by="" if on else by, version=state.version + 1, known=known_then,
            next_at=AT_ONCE if on and state.next_at is not None else state.next_at,
        )  # fmt: skip
        table.put(tx, [fresh])
        if on and fresh.kind == "runs":
            positions.begin(tx, positions.OF_RUNS)
        feed.append(tx, [("trigger", fresh.key, fresh.version)], now)
        if not on and fresh.kind == "listening":
            _stop(tx, [fresh], now)
        return fresh

    return repeat_unknown(core, lambda: core.store.write(work))


@audited(Action.TRIGGERS_OPERATE, "triggers.unlock", "{namespace}.{flow}/{trigger}", namespace="{namespace}")
def unlock(core: Core, namespace: str, flow: str, trigger: str) -> State:
    """Let a trigger fire though a run of it still goes, and give it as it is then. Raises UnknownTrigger."""
    now, key = core.clock.now(), table.key_of(namespace, flow, trigger)

    def work(tx: Tx) -> State:
        table.locked(tx, [key])
        state = table.get(tx, key)
        if state is None:
            raise UnknownTrigger(f'The flow {namespace}.{flow} has no trigger "{trigger}".')
        # what looks or listens for it is held until it has ended: two of them would see everything twice
        if not state.holds or state.holds == state.known.look:
            return state
        fresh = replace(state, holds="", version=state.version + 1)
        table.put(tx, [fresh])
        feed.append(tx, [("trigger", fresh.key, fresh.version)], now)
        return fresh

    return repeat_unknown(core, lambda: core.store.write(work))


def states(
    core: Core, scope: Scope, limit: int = 100, after: str = "", *, namespace: str = "", flow: str = ""
) -> list[State]:
    """Give triggers in a scope by namespace, flow and id, from a cursor on."""
    return core.store.read(lambda tx: table.list_states(tx, scope, limit, after, namespace=namespace, flow=flow))


def _of_flow(tx: Tx, namespace: str, flow: str) -> list[State]:
    """The rows of a flow's triggers, which nobody else changes until this is committed."""
    table.locked(tx, [state.key for state in table.of_flow(tx, namespace, flow)])
    return table.of_flow(tx, namespace, flow)


def _stop(tx: Tx, states: list[State], now: int) -> None:
    """Have the runs end that look or listen for these."""
    for state in states:
        if state.known.look and state.holds == state.known.look:
            looking.stop(tx, state.known.look, now, f"trigger {state.id}")


def _listens_anew(before: State, after: State) -> bool:
    same = after.known.looker == before.known.looker and after.next_at is not None
    return before.kind == "listening" and not same


def _row(tx: Tx, flow: Flow, trigger: Trigger, before: State | None, now: int) -> State:
    digest = hashlib.sha256(msgspec.json.encode((trigger, flow.disabled))).hexdigest()
    known = before.known if before else Known()
    if isinstance(trigger, Polling | Listening):
        known = replace(known, looker=looking.hide(tx, flow, trigger, now))
    if before is not None and before.digest == digest:
        if (before.revision, before.known) == (flow.revision, known):
            return before
        return replace(before, revision=flow.revision, known=known, version=before.version + 1)
    timed = isinstance(trigger, Timed | Polling | Listening) and not trigger.disabled and not flow.disabled
    kept = (
        replace(known, met={}, going=(), problem="", problem_at=None, misses=0)
        if known.looker
        else Known(run=known.run)
    )
    return State(
        key=table.key_of(flow.namespace, flow.id, trigger.id),
        namespace=flow.namespace,
        flow=flow.id,
        id=trigger.id,
        revision=flow.revision,
        kind=str(type(trigger).__struct_config__.tag),
        digest=digest,
        next_at=AT_ONCE if timed else None,
        last_at=before.last_at if before else None,
        holds=before.holds if before else "",
        off_by=before.off_by if before else "",
        version=before.version + 1 if before else 1,
        known=replace(kept, since=None if timed else now),
    )
