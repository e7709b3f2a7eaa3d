"""How does the engine get what it needs of a run? It asks, the parts are read, it is asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from penstock.engine import Decision, Loaded, NotLoaded, advance, give_up
from penstock.errors.run import EngineFault, UnknownRun
from penstock.model.event import ChildEnded, Ended, Event, kind
from penstock.model.plan import ROOT, Plan
from penstock.model.run import ErrorKind, Failure, Run
from penstock.services.core import Core
from penstock.store import inbox, outputs, runs, steps
from penstock.store.port import Tx
from penstock.store.queue import Claim
from penstock.telemetry import Level

T = TypeVar("T")


def load(core: Core, run_id: str) -> Loaded:
    """A run with none of its parts read yet. Raises UnknownRun."""
    run = core.store.glance(lambda tx: runs.load(tx, run_id))
    if run is None:
        raise UnknownRun(f"There is no run {run_id}.")
    return Loaded(plan_of(core, run), run)


class RunMoved(Exception):  # a reason to begin anew, which never reaches people
    """Between two reads another process committed: what was loaded and what was just read do not belong together."""


def on_one_version(core: Core, run_id: str, ask: Callable[[Loaded], T]) -> T:
    """Ask something of a run as it stands at one version, from the cache at first. Raises UnknownRun."""
    loaded = core.cache.take(run_id) or load(core, run_id)
    while True:
        try:
            return ask(loaded)
        except RunMoved:
            loaded = load(core, run_id)


def plan_of(core: Core, run: Run) -> Plan:
    """The plan that a run goes by."""
    return core.plan(run.namespace, run.flow, run.revision)


def decide(core: Core, loaded: Loaded, event: Event, now: int) -> Decision:
    """Let the engine decide, reading what it turns out to need; a decision that breaks down fails the run, and it
    alone.
    """
    try:
        return with_parts(core, loaded, lambda: _advance(loaded, event, now))
    except EngineFault as fault:
        core.notices.say("run.fault", now, Level.ERROR, run=loaded.run.id, event=kind(event), error=str(fault))
        failure = Failure(ErrorKind.SYSTEM, fault.sentence, code=fault.code)
        return with_parts(core, loaded, lambda: give_up(loaded, failure, now))


def _advance(loaded: Loaded, event: Event, now: int) -> Decision:
    try:
        return advance(loaded, event, now)
    except NotLoaded:
        raise
    except Exception as error:  # whatever is wrong in there must not stop other runs, nor this one for ever
        raise EngineFault(f'The event "{kind(event)}" cannot be decided: {type(error).__name__}: {error}') from error


def with_parts(core: Core, loaded: Loaded, ask: Callable[[], T]) -> T:
    """Ask something pure of what is loaded, reading parts until it can answer."""
    while True:
        try:
            return ask()
        except NotLoaded as need:
            core.store.read(partial(read_parts, core, loaded, need))


def read_parts(core: Core, loaded: Loaded, need: NotLoaded, tx: Tx) -> None:
    """Read the parts that were asked for; what does not exist is noted as read, too."""
    run_id = loaded.run.id
    if runs.version(tx, run_id) not in (loaded.run.version, None):
        raise RunMoved(run_id)
    if need.steps:
        _near(tx, loaded, need.steps)
    if need.outputs:
        _outputs(core, tx, loaded, need.outputs)
    if need.nodes:
        for step in steps.of_nodes(tx, run_id, list(need.nodes)):
            loaded.steps.setdefault(step.key, step)
        loaded.nodes |= need.nodes
    if need.values is not None:
        key, chunk = need.values
        loaded.values[need.values] = outputs.values_chunk(tx, run_id, key, chunk)
    if need.open_steps:
        for step in steps.open_steps(tx, run_id):
            loaded.steps.setdefault(step.key, step)
        loaded.open_steps = True
    if need.every:
        for step in steps.every(tx, run_id):
            loaded.steps.setdefault(step.key, step)
        loaded.every = True


def hear(loaded: Loaded, event: Event) -> None:
    """An event from the inbox is about to be decided upon: what its attempt handed on is seen from now on."""
    match event:
        case Ended(step=step, attempt=attempt) | ChildEnded(step=step, attempt=attempt):
            loaded.heard.add((step, attempt))
            loaded.outputs.pop(step, None)
        case _:
            pass


def _outputs(core: Core, tx: Tx, loaded: Loaded, keys: frozenset[str]) -> None:
    """Read outputs, but not those of an attempt whose end waits in the inbox: they are in the store before their
    time, and a decision that sees them today would be another one when it is made again from the events.
    """
    waiting = inbox.ends(tx, loaded.run.id, keys) - loaded.heard
    found = outputs.load(tx, loaded.run.id, list(keys), waiting)
    for key in keys:
        loaded.outputs[key] = unstow(core, found[key]) if key in found else None


def preload(core: Core, claims: Sequence[Claim], seen: Iterable[tuple[str, runs.Seen]] = ()) -> None:
    """Read at once what beginning these claims will ask for, so far as it was not `seen` when they were claimed: their
    runs, their steps and the groups around those.
    """
    for key, told in seen:
        if (found := told()) is not None:
            run, step = found
            loaded = Loaded(plan_of(core, run), run)
            if key != ROOT and all(around == ROOT for around in loaded.plan.ancestors(key)):
                loaded.steps[key] = step
                core.cache.keep(loaded)
    wanted: dict[str, list[str]] = {}
    for claim in claims:
        if not core.cache.knows(claim.run, claim.step):
            wanted.setdefault(claim.run, []).append(claim.step)
    if wanted:
        for loaded in core.store.read(lambda tx: _preloaded(core, tx, wanted)):
            core.cache.keep(loaded)


def _preloaded(core: Core, tx: Tx, wanted: dict[str, list[str]]) -> list[Loaded]:
    found: list[Loaded] = []
    missing: set[str] = set()
    for run in runs.load_all(tx, list(wanted)):
        known = core.cache.take(run.id)
        loaded = known if known is not None and known.run.version == run.version else Loaded(plan_of(core, run), run)
        around = {one for key in wanted[run.id] for one in (key, *loaded.plan.ancestors(key)) if one != ROOT}
        missing |= around - loaded.steps.keys()
        loaded.steps |= dict.fromkeys(around - loaded.steps.keys())
        found.append(loaded)
    there = steps.load_all(tx, list(wanted), list(missing))
    for loaded in found:
        for key in missing & loaded.steps.keys():
            if loaded.steps[key] is None:
                loaded.steps[key] = there.get((loaded.run.id, key))
    return found


def _near(tx: Tx, loaded: Loaded, keys: frozenset[str]) -> None:
    """Read steps together with the groups around them: whoever needs one soon needs the others."""
    wanted = {around for key in keys for around in (key, *loaded.plan.ancestors(key)) if around != ROOT}
    wanted -= loaded.steps.keys()
    found = steps.load(tx, loaded.run.id, list(wanted))
    for key in wanted:
        loaded.steps[key] = found.get(key)


def unstow(core: Core, stored: outputs.Output) -> dict[str, object]:
    """Outputs as they were handed over, from their row or from the blob that the row names."""
    if not stored.uri:
        return stored.values()
    return msgspec.json.decode(core.blobs.get(stored.uri), type=dict[str, object])


def absorb(loaded: Loaded, decision: Decision) -> None:
    """Let what is loaded be what was decided."""
    loaded.run = decision.run
    for step in decision.steps:
        loaded.steps[step.key] = step
