"""What must hold once the trouble is over? Read from the store, the ledger and /proc, whatever had been going on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial

import msgspec

from penstock.model import ids
from penstock.model.event import Ended
from penstock.model.run import ErrorKind, Run, Step
from penstock.model.status import Outcome, StepStatus
from penstock.runners.process import strays
from penstock.services.core import Core
from penstock.services.verify import verify
from penstock.services.worker.places import place_of
from penstock.store import attempts, events, inbox, queue, runs, steps, workers
from penstock.store.events import Told
from penstock.store.port import Tx
from tests.acceptance.checks import left_open
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project
from tests.chaos.ledger import Ledger
from tests.chaos.plans import EFFECTS, End, ends_of
from tests.chaos.shared import cached, folders, given_up, places
from tests.chaos.timed import BY_THEMSELVES, Owed, matched
from tests.simulation.invariants import recount

PAGE = 500
SHOWN = 12


class Tally(msgspec.Struct):
    """What a round came to, counted while it was checked."""

    runs: int = 0
    accepted: int = 0
    refused: int = 0
    lines: int = 0
    again: int = 0
    statuses: Counter[str] = msgspec.field(default_factory=Counter)
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)


def check(core: Core, project: Project, started: Collection[str], handed_back: int, owed: Owed) -> Tally:
    """Check every run of a store whose workers have all stopped; raises AssertionError with what is wrong.

    `handed_back` is how many attempts may have begun anew under their number, at most; `owed` is what was to start
    runs by itself.
    """
    ledger = Ledger(project.folder / "ledger")
    tally = Tally(lines=ledger.count, again=ledger.again)
    found = {run.id: run for run in every_run(core)}
    problems = [f"run {missing} was started and is not there" for missing in set(started) - found.keys()]
    for run in found.values():
        # Whoever stands for another was looked for, too; what starts by itself is matched with what it is for.
        if run.parent is None and run.id not in started and run.flow not in BY_THEMSELVES:
            problems.append(f"run {run.id} of {run.flow} was started by nobody: a start was done twice")
        problems += [f"run {run.id} of {run.flow}: {problem}" for problem in _one_run(core, run, ledger, tally)]
    problems += [f"run {run} of the ledger is not in the store" for run in ledger.runs() - found.keys()]
    if ledger.again > handed_back:
        problems.append(f"{ledger.again} attempts began anew, and {handed_back} may have been handed back")
    problems += places(core, [run for run in found.values() if run.flow == "pooled"])
    problems += given_up([run for run in found.values() if run.flow == "folder"])
    problems += matched([run for run in found.values() if run.flow in BY_THEMSELVES], owed)
    told = "\n".join(problems[:SHOWN])
    assert not problems, f"{len(problems)} things are not as they must be:\n{told}"
    nothing_is_left(core, project)
    tally.runs = len(found)
    return tally


def nothing_is_left(core: Core, project: Project) -> None:
    """No process, no slot, no claim, no lease, no event that waits, no timer is left of anything."""
    eventually(lambda: not project.alive(), f"no process is left: {project.alive()}", 5)
    place = place_of(core)
    marked = [(pid, marker) for pid, marker in strays.marked() if marker.startswith(f"{place}/")]
    assert not marked, f"processes bear the mark of a worker: {marked}"
    assert not left_open(project), f"these tables hold something: {left_open(project)}"
    known = core.store.read(workers.list_workers)
    assert not known, f"workers are known that have left: {known}"


def every_run(core: Core) -> Iterator[Run]:
    """Every run of the store, the newest first."""
    last = ""
    while page := core.store.read(partial(runs.list_runs, wanted=runs.Filter(), limit=PAGE, before_id=last)):
        yield from page
        last = page[-1].id


def why_not_ended(core: Core, run_id: str) -> str:
    """A run that should have ended, for people: its open steps, what is ready, held, waiting and due for it."""

    def read(tx: Tx) -> str:
        run = runs.load(tx, run_id)
        if run is None:
            return f"run {run_id}: not there"
        lines = [f"run {run.id} of {run.flow}: {run.status} {run.reason} open={run.open} version={run.version}"]
        rows = [step for step in steps.every(tx, run_id) if step.status.open]
        lines += [f"  {step.key} #{step.attempt}: {step.status} child={step.child or '-'}" for step in rows]
        lines += [f"  ready: {step} #{attempt} {work}" for step, attempt, work in queue.ready_of(tx, run_id)]
        lines += [
            f"  held: {one.step} #{one.attempt} by {one.worker} {one.killing}" for one in queue.claims_of(tx, run_id)
        ]
        lines += [f"  waits to be folded: {one.event}" for one in inbox.take(tx, run_id)]
        return "\n".join(lines)

    return core.store.read(read)


def _one_run(core: Core, run: Run, ledger: Ledger, tally: Tally) -> Iterator[str]:
    story, rows, tries = core.store.read(
        lambda tx: (events.every(tx, run.id), steps.every(tx, run.id), attempts.every(tx, run.id))
    )
    accepted = [told.event for told in story if told.accepted and isinstance(told.event, Ended)]
    tally.statuses[str(run.status)] += 1
    tally.accepted += len(accepted)
    tally.refused += sum(not told.accepted for told in story)
    tally.outcomes.update(_words(end) for end in accepted)
    if not run.status.ended:
        yield f"has not ended:\n{why_not_ended(core, run.id)}"
        return
    done = {step.key for step in rows if step.status is StepStatus.SUCCESS and step.group is None}
    if not any(_fits(end, run, done) for end in ends_of(run)):
        yield f"ended as {run.status} with {sorted(done)}, planned was one of {ends_of(run)}; failure: {run.failure}"
    still = [f"{step.key} is {step.status}" for step in rows if step.status.open]
    if still or run.open:
        yield f"keeps {run.open} steps open beside its end: {still}"
    yield from _recounted(core, run, rows)
    yield from _accepted_once(story, accepted, run.redone)
    kept = {(attempt.step, attempt.number): attempt.outcome for attempt in tries}
    for end in accepted:
        outcome = kept.get((end.step, end.attempt))
        if outcome is not end.outcome:
            yield f"{end.step} #{end.attempt} was accepted as {end.outcome} and is kept as {outcome}"
    yield from _effects(run, accepted, ledger)
    yield from folders(run, accepted)
    yield from cached(core, run, ledger)
    yield from _folded_again(core, run)


def _fits(end: End, run: Run, done: set[str]) -> bool:
    return run.status is end.status and end.done <= done <= end.done | end.maybe


def _recounted(core: Core, run: Run, rows: list[Step]) -> Iterator[str]:
    """The counts that groups and the run keep are those of the rows."""
    try:
        recount(core.plan(run.namespace, run.flow, run.revision), run, rows)
    except AssertionError as wrong:
        yield str(wrong)


def _accepted_once(story: list[Told], accepted: list[Ended], redone: int) -> Iterator[str]:
    """An attempt's end is accepted once, a step's work once (more often where a folder was lost), no fence twice."""
    for (step, attempt), count in Counter((end.step, end.attempt) for end in accepted).items():
        if count > 1:
            yield f"the end of {step} #{attempt} was accepted {count} times"
    for step, count in Counter(end.step for end in accepted if end.outcome is Outcome.DONE).items():
        # A working directory's own step is done when it opens and when it closes.
        if count > (1 + redone) * (2 if step == "shared" else 1):
            yield f"{step} was accepted as done {count} times"
    for fence, count in Counter(told.fence for told in story if told.accepted and told.fence).items():
        if count > 1:
            yield f"{count} reports were accepted under the fence {fence}"


def _effects(run: Run, accepted: list[Ended], ledger: Ledger) -> Iterator[str]:
    """What was accepted has been done, once; and what was done and accepted never began again."""
    effects = EFFECTS[run.flow]
    for end in accepted:
        if ids.node_of(end.step) not in effects:
            continue
        lines = ledger.of(run.id, end.step)
        mine = lines.get(end.attempt)
        if end.outcome is Outcome.DONE:
            if mine is None or not mine.once(done=True):
                yield f"{end.step} #{end.attempt} was accepted as done, and its ledger says {mine}"
                continue
            for number, other in lines.items():
                if run.redone and number > end.attempt:
                    continue  # the folder in which it had done its work was lost
                if number > end.attempt:
                    yield f"{end.step} #{number} began after #{end.attempt} had been accepted as done"
                elif number < end.attempt and any(line > mine.did[-1] for line in other.began):
                    yield f"{end.step} #{number} began late, when #{end.attempt} had done its work"
        elif (
            end.failure is not None
            and end.failure.kind is ErrorKind.EXIT
            and (mine is None or not mine.once(done=False))
        ):
            yield f"{end.step} #{end.attempt} was accepted as failed by itself, and its ledger says {mine}"


def _folded_again(core: Core, run: Run) -> Iterator[str]:
    """A run is what its events make of it: they are folded again from nothing, and compared with what is stored."""
    yield from verify(core, run.id).differences


def _words(end: Ended) -> str:
    return f"{end.outcome} ({end.failure.kind})" if end.failure is not None else str(end.outcome)
