"""Which addresses are about runs?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import runs, verbs
from penstock.api.route import Route, Where
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.parts import OfStepOrRun
from penstock.api.shapes.runs import RunDetail, RunRow, RunsAsked, Tally, TallyAsked
from penstock.api.shapes.verbs import (
    BulkAnswer,
    BulkAsked,
    KillAsked,
    MarkAsked,
    ReplayAsked,
    RestartAsked,
    ResumeAsked,
    RunStart,
    SkipAsked,
)
from penstock.model.access import Action
from penstock.services.document import RunDocument
from penstock.services.explain import Story
from penstock.services.why import Reason

RUN: Final = "/v1/runs/{run}"

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/runs",
        summary="Runs that fit, a page at a time.",
        handler=runs.list_runs,
        where=Where.LIST,
        action=Action.RUNS_VIEW,
        query=RunsAsked,
        answer=Page[RunRow],
    ),
    Route(
        method="POST",
        path="/v1/runs",
        summary="Start a run; 200 where the same key has started it before.",
        handler=verbs.start_run,
        where=Where.BODY,
        action=Action.RUNS_START,
        body=RunStart,
        answer=RunDetail,
        status=201,
        also=(200,),
        idempotent_key=True,
    ),
    Route(
        method="GET",
        path="/v1/stats/runs",
        summary="How many runs fit, by status.",
        handler=runs.count_runs,
        where=Where.LIST,
        action=Action.RUNS_VIEW,
        query=TallyAsked,
        answer=Tally,
    ),
    Route(
        method="POST",
        path="/v1/bulk/runs",
        summary="Do one thing to many runs: those named, or all that fit.",
        handler=verbs.deal_with_runs,
        where=Where.LIST,
        action=Action.RUNS_OPERATE,
        body=BulkAsked,
        answer=BulkAnswer,
    ),
    Route(
        method="GET",
        path=RUN,
        summary="One run, without its steps.",
        handler=runs.get_run,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        answer=RunDetail,
    ),
    Route(
        method="GET",
        path=f"{RUN}/document",
        summary="One run with all its steps, attempts and outputs.",
        handler=runs.get_run_document,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        answer=RunDocument,
    ),
    Route(
        method="GET",
        path=f"{RUN}/explain",
        summary="Why it went as it did, event by event.",
        handler=runs.explain_run,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=OfStepOrRun,
        answer=Story,
    ),
    Route(
        method="GET",
        path=f"{RUN}/why",
        summary="What it waits for.",
        handler=runs.why_run_waits,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=OfStepOrRun,
        answer=Everything[Reason],
    ),
    Route(
        method="POST",
        path=f"{RUN}/kill",
        summary="End it and the runs that it started.",
        handler=verbs.kill_run,
        where=Where.RUN,
        action=Action.RUNS_OPERATE,
        body=KillAsked,
        answer=RunDetail,
    ),
    Route(
        method="POST",
        path=f"{RUN}/pause",
        summary="Let what runs end, and nothing more begin.",
        handler=verbs.pause_run,
        where=Where.RUN,
        action=Action.RUNS_OPERATE,
        answer=RunDetail,
    ),
    Route(
        method="POST",
        path=f"{RUN}/resume",
        summary="Let it, or a pause of it, go on.",
        handler=verbs.resume_run,
        where=Where.RUN,
        action=Action.RUNS_OPERATE,
        body=ResumeAsked,
        answer=RunDetail,
    ),
    Route(
        method="POST",
        path=f"{RUN}/restart",
        summary="Let it, having ended, go on from what did not succeed.",
        handler=verbs.restart_run,
        where=Where.RUN,
        action=Action.RUNS_OPERATE,
        body=RestartAsked,
        answer=RunDetail,
    ),
    Route(
        method="POST",
        path=f"{RUN}/replay",
        summary="Start a new run like it, anew or from one of its steps on.",
        handler=verbs.replay_run,
        where=Where.RUN,
        action=Action.RUNS_START,
        body=ReplayAsked,
        answer=RunDetail,
        status=201,
        idempotent_key=True,
    ),
    Route(
        method="POST",
        path=f"{RUN}/mark",
        summary="Say how a step of it, or itself, ended.",
        handler=verbs.mark_run,
        where=Where.RUN,
        action=Action.RUNS_OPERATE,
        body=MarkAsked,
        answer=RunDetail,
    ),
    Route(
        method="POST",
        path=f"{RUN}/skip",
        summary="Skip a step of it: now, or when its turn comes.",
        handler=verbs.skip_step,
        where=Where.RUN,
        action=Action.RUNS_OPERATE,
        body=SkipAsked,
        answer=RunDetail,
    ),
)
