"""What can be asked about runs? Lists, one of them, how it went, what it waits for."""

from __future__ import annotations

from msgspec.structs import asdict

from penstock.api import cursors
from penstock.api.route import Call
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.parts import OfStepOrRun
from penstock.api.shapes.runs import RunDetail, RunOrder, RunRow, RunsAsked, Tally, TallyAsked, row
from penstock.model.run import Run
from penstock.services.core import Core
from penstock.services.document import RunDocument, document, summary
from penstock.services.explain import Story
from penstock.services.explain import explain as story
from penstock.services.why import Reason
from penstock.services.why import why as reasons
from penstock.store import runs, steps


def list_runs(call: Call[RunsAsked, None]) -> Page[RunRow]:
    """Runs that fit, newest first or oldest first."""
    asked, wanted = call.query, call.query.filter()
    cursor = cursors.read(asked.cursor, str) or ""
    oldest = asked.sort is RunOrder.OLDEST
    found = call.core.store.read(
        lambda tx: runs.page(tx, call.scope, wanted, asked.limit + 1, cursor, oldest_first=oldest)
    )
    shown = found[: asked.limit]
    return Page([row(each) for each in shown], cursors.written(shown[-1].id) if len(found) > len(shown) else "")


def count_runs(call: Call[TallyAsked, None]) -> Tally:
    """How many runs fit, by status."""
    wanted = call.query.filter()
    found = call.core.store.read(lambda tx: runs.tally(tx, call.scope, wanted))
    return Tally(sum(found.values()), found)


def get_run(call: Call[None, None]) -> RunDetail:
    """One run."""
    return detail(call.core, call.run)


def get_run_document(call: Call[None, None]) -> RunDocument:
    """One run with all that belongs to it."""
    return document(call.core, call.run.id)


def explain_run(call: Call[OfStepOrRun, None]) -> Story:
    """Why it went as it did."""
    return story(call.core, call.run.id, call.query.step)


def why_run_waits(call: Call[OfStepOrRun, None]) -> Everything[Reason]:
    """What it waits for."""
    return Everything(reasons(call.core, call.run, call.query.step))


def detail(core: Core, run: Run) -> RunDetail:
    """A run as it is told on its own."""
    told = summary(core, run)  # its inputs and outputs, without what is secret among them
    counted = core.store.glance(lambda tx: steps.tally(tx, run.id))
    return RunDetail(
        **asdict(row(run)),
        version=run.version,
        history=told.history,
        data_interval=told.data_interval,
        inputs=told.inputs,
        outputs=told.outputs,
        trigger=told.trigger,
        killed_by=told.killed_by,
        held_by=run.held_by,
        successor=told.successor,
        steps=counted,
    )
