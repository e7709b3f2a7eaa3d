"""What can be listened to? Changes of all that one may see, and one run with its log."""

from __future__ import annotations

from typing import Final

from penstock.api.events import Listening
from penstock.api.live.changes import Listener
from penstock.api.live.following import Follower, placed
from penstock.api.route import Call
from penstock.api.shapes.live import ChangesAsked, FollowAsked
from penstock.errors.api import BadRequest
from penstock.model.access import Action
from penstock.services.access.rights import scope
from penstock.store.chunks import Level, Selected

LAST: Final = "last-event-id"
# What is told of needs the right to look at it.
NEEDS: Final = {
    "run": Action.RUNS_VIEW,
    "claim": Action.RUNS_VIEW,
    "flow": Action.FLOWS_VIEW,
    "trigger": Action.TRIGGERS_VIEW,
    "backfill": Action.BACKFILLS_VIEW,
    "kv": Action.KV_VIEW,
}


def listen_to_changes(call: Call[ChangesAsked, None]) -> Listening:
    """Hear what changes, from now on or from the last event on that one had."""
    last = call.headers.get(LAST, "")
    if last and not (last.isascii() and last.isdigit() and len(last) < 19):
        raise BadRequest("The Last-Event-ID is not one of this stream.")
    listener = Listener(
        scopes={what: scope(call.actor, action) for what, action in NEEDS.items()},
        others=call.scope.everywhere,
        kinds=frozenset(call.query.what),
        namespace=call.query.namespace,
        last=int(last) if last else None,
    )
    return call.hub.listen(listener)


def follow_run(call: Call[FollowAsked, None]) -> Listening:
    """Follow a run and its log until it has ended."""
    asked = call.query
    selected = Selected(
        step=asked.step, attempt=asked.attempt, least=asked.level.least() if asked.level else Level.NONE
    )
    follower = Follower(call.run.id, selected, asked.text, placed(call.headers.get(LAST, "")), from_now=asked.from_now)
    return call.hub.follow(follower)
