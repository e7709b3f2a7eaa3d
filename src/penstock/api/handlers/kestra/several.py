"""How is one thing done to many executions: those that are named, or all that fit?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.api.handlers.kestra.executions import status_of
from penstock.api.handlers.verbs import USUAL
from penstock.api.route import Call
from penstock.api.shapes.kestra.asked import Asked, filters, first, pairs, wanted_runs
from penstock.api.shapes.kestra.executions import Label
from penstock.api.shapes.verbs import BulkVerb
from penstock.errors.api import BadRequest
from penstock.services import bulk, labels, operate
from penstock.services import runs as verbs
from penstock.store.runs import Filter

MOST_TOLD = 20


class Counted(msgspec.Struct, frozen=True):
    """On how many executions it was done."""

    count: int


class Labelled(msgspec.Struct, frozen=True, rename="camel"):
    """Which executions get which labels."""

    executions_id: list[str]
    execution_labels: list[Label]


def kill_by_ids(call: Call[Asked, list[str]]) -> Counted:
    """End executions."""
    return _named(call, call.body, lambda run_id: verbs.kill(call.core, run_id, call.by))


def kill_by_query(call: Call[Asked, None]) -> Counted:
    """End executions that fit."""
    return _fitting(call, BulkVerb.KILL, lambda run_id: verbs.kill(call.core, run_id, call.by))


def pause_by_ids(call: Call[Asked, list[str]]) -> Counted:
    """Pause executions."""
    return _named(call, call.body, lambda run_id: operate.pause(call.core, run_id, call.by))


def pause_by_query(call: Call[Asked, None]) -> Counted:
    """Pause executions that fit."""
    return _fitting(call, BulkVerb.PAUSE, lambda run_id: operate.pause(call.core, run_id, call.by))


def resume_by_ids(call: Call[Asked, list[str]]) -> Counted:
    """Let executions go on."""
    return _named(call, call.body, lambda run_id: operate.resume(call.core, run_id, call.by))


def resume_by_query(call: Call[Asked, None]) -> Counted:
    """Let executions go on that fit."""
    return _fitting(call, BulkVerb.RESUME, lambda run_id: operate.resume(call.core, run_id, call.by))


def restart_by_ids(call: Call[Asked, list[str]]) -> Counted:
    """Restart executions."""
    return _named(call, call.body, lambda run_id: verbs.restart(call.core, run_id, call.by))


def restart_by_query(call: Call[Asked, None]) -> Counted:
    """Restart executions that fit."""
    return _fitting(call, BulkVerb.RESTART, lambda run_id: verbs.restart(call.core, run_id, call.by))


def replay_by_ids(call: Call[Asked, list[str]]) -> Counted:
    """Start new executions like these."""
    return _named(call, call.body, lambda run_id: verbs.replay(call.core, run_id, call.by))


def replay_by_query(call: Call[Asked, None]) -> Counted:
    """Start new executions like those that fit."""
    return _fitting(call, BulkVerb.REPLAY, lambda run_id: verbs.replay(call.core, run_id, call.by))


def change_status_by_ids(call: Call[Asked, list[str]]) -> Counted:
    """Say how executions ended."""
    status = status_of(first(call.query, "newStatus"))
    return _named(call, call.body, lambda run_id: operate.mark(call.core, run_id, call.by, status))


def label_by_ids(call: Call[Asked, Labelled]) -> Counted:
    """Give executions labels."""
    given = pairs(call.body.execution_labels)
    return _named(call, call.body.executions_id, lambda run_id: labels.label(call.core, run_id, given))


def _named(call: Call[Any, Any], ids: list[str], act: Callable[[str], object]) -> Counted:
    """Act on all that are named, or on none where one of them is not there."""
    if len(ids) > bulk.MOST:
        raise BadRequest(f"At most {bulk.MOST:,} executions are named at once.")
    found, _ = bulk.chosen(call.core, call.scope, Filter(ids=tuple(ids), every=True)) if ids else ([], False)
    known = {run.id for run in found}
    strange = [each for each in ids if each not in known]
    if strange:
        raise BadRequest(f"There are no executions {', '.join(each[:100] for each in strange[:MOST_TOLD])}.")
    dealt = bulk.deal(list(dict.fromkeys(ids)), _acted(act))
    if dealt.refused:
        told = "; ".join(f"{each.run}: {each.problem.sentence}" for each in dealt.refused[:MOST_TOLD])
        raise BadRequest(f"It was done on {len(dealt.done)} executions, and not on these: {told}")
    return Counted(len(dealt.done))


def _fitting(call: Call[Asked, Any], verb: BulkVerb, act: Callable[[str], object]) -> Counted:
    """Act on all that fit; those that refuse are not counted."""
    if not filters(call.query):
        raise BadRequest("Say which executions are meant: without a filter it would be all of them.")
    wanted = wanted_runs(call.query, call.core.clock.now())
    wanted = replace(wanted, statuses=wanted.statuses or USUAL[verb])
    count, cursor, more = 0, "", True
    while more:
        found, more = bulk.chosen(call.core, call.scope, wanted, cursor)
        count += len(bulk.deal([run.id for run in found], _acted(act)).done)
        cursor = found[-1].id if found else ""
    return Counted(count)


def _acted(act: Callable[[str], object]) -> Callable[[str], str]:
    def acted(run_id: str) -> str:
        act(run_id)
        return run_id

    return acted
