"""Which addresses are about the installation: pools, limits, queues, workers, settings?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import busy
from penstock.api.route import Route, Where
from penstock.api.shapes.busy import (
    FileProblems,
    LimitRow,
    PoolRow,
    PoolSlots,
    QueueRow,
    SettingsShown,
    WorkerRow,
)
from penstock.api.shapes.lists import Everything
from penstock.model.access import Action

POOL: Final = "/v1/pools/{name}"

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/pools",
        summary="Pools by name, with what is in use of them.",
        handler=busy.list_pools,
        where=Where.WHOLE,
        action=Action.POOLS_VIEW,
        answer=Everything[PoolRow],
    ),
    Route(
        method="PUT",
        path=POOL,
        summary="Give a pool a size.",
        handler=busy.set_pool,
        where=Where.WHOLE,
        action=Action.POOLS_EDIT,
        body=PoolSlots,
        answer=PoolRow,
    ),
    Route(
        method="DELETE",
        path=POOL,
        summary="Forget a pool: who wants it waits until it is set again.",
        handler=busy.delete_pool,
        where=Where.WHOLE,
        action=Action.POOLS_EDIT,
    ),
    Route(
        method="GET",
        path="/v1/limits",
        summary="Limits that are in use or waited for.",
        handler=busy.list_limits,
        where=Where.WHOLE,
        action=Action.POOLS_VIEW,
        answer=Everything[LimitRow],
    ),
    Route(
        method="GET",
        path="/v1/queues",
        summary="Queues that something waits in, or that somebody serves.",
        handler=busy.list_queues,
        where=Where.WHOLE,
        action=Action.WORKERS_VIEW,
        answer=Everything[QueueRow],
    ),
    Route(
        method="GET",
        path="/v1/workers",
        summary="Workers that are known.",
        handler=busy.list_workers,
        where=Where.WHOLE,
        action=Action.WORKERS_VIEW,
        answer=Everything[WorkerRow],
    ),
    Route(
        method="GET",
        path="/v1/settings",
        summary="What may be seen of the settings.",
        handler=busy.get_settings,
        where=Where.WHOLE,
        action=Action.SETTINGS_VIEW,
        answer=SettingsShown,
    ),
    Route(
        method="GET",
        path="/v1/problems",
        summary="What is wrong with the files of a project that is watched.",
        handler=busy.list_file_problems,
        where=Where.WHOLE,
        action=Action.FLOWS_VIEW,
        answer=Everything[FileProblems],
    ),
)
