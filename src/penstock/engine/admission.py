"""What follows from a limit's answer? The run goes on from where it waited, or ends."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine import begin, restart
from penstock.engine.draft import Draft
from penstock.engine.finish import tell_parent
from penstock.model.event import Admitted, Refused
from penstock.model.policy import WhenFull
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import RunStatus


def admitted(draft: Draft, event: Admitted) -> None:
    """The limit has room: begin, or go on with the restart that waited."""
    run = draft.run
    if run.status is not RunStatus.QUEUED:
        return
    if run.pending:
        draft.run = replace(run, pending="", reason="")
        restart.go_on_pending(draft, run.pending)
    else:
        begin.go(draft)


def refused(draft: Draft, event: Refused) -> None:
    """The limit has no room and the flow does not wait: the run ends before anything ran."""
    if draft.run.status is not RunStatus.QUEUED:
        return
    status = RunStatus.CANCELLED if event.when_full is WhenFull.CANCEL else RunStatus.FAILED
    draft.move_run(status)
    message = f"The limit of {event.limit} was reached, and the flow says to {event.when_full}."
    draft.run = replace(draft.run, ended_at=draft.now, reason="", pending="", failure=Failure(ErrorKind.LIMIT, message))
    tell_parent(draft, None)
