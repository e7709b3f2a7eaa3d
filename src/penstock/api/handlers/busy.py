"""How busy is the installation, and what does it consist of? Pools, limits, queues, workers, settings."""

from __future__ import annotations

from penstock import __version__
from penstock.api.problems import one
from penstock.api.route import Answer, Call
from penstock.api.shapes.busy import (
    FileProblems,
    LimitRow,
    LimitsShown,
    PoolRow,
    PoolSlots,
    QueueRow,
    Retained,
    SettingsShown,
    WorkerRow,
)
from penstock.api.shapes.lists import Everything
from penstock.errors.api import NoSuchAddress
from penstock.services import pools as verbs
from penstock.services.core import Core
from penstock.services.document import instant
from penstock.store import busy, workers
from penstock.store.port import Tx
from penstock.store.workers import Worker, WorkerStatus


def list_pools(call: Call[None, None]) -> Everything[PoolRow]:
    """Pools by name, and those that are waited for and have no size."""
    return Everything(_pools(call.core))


def set_pool(call: Call[None, PoolSlots]) -> PoolRow:
    """Give a pool a size."""
    name = call.path["name"]
    verbs.set_slots(call.core, name, call.body.slots)
    return next(each for each in _pools(call.core) if each.name == name)


def delete_pool(call: Call[None, None]) -> None:
    """Forget a pool."""
    if not verbs.delete(call.core, call.path["name"]):
        raise NoSuchAddress(f'There is no pool "{call.path["name"][:100]}".')


def list_limits(call: Call[None, None]) -> Everything[LimitRow]:
    """Limits that are in use or waited for."""
    found = call.core.store.read(busy.limits)
    return Everything(
        [
            LimitRow(
                name=each.name,
                used=each.used,
                holders=each.holders,
                waiting=each.waiting,
                oldest=instant(each.oldest),
                count=each.count,
                window=each.span / 1e6 if each.span else None,
            )
            for each in found
        ]
    )


def list_queues(call: Call[None, None]) -> Everything[QueueRow]:
    """Queues that something waits in, or that somebody serves."""
    found, known, held = call.core.store.read(_work)
    living = [each for each in known if _status(call.core, each) == WorkerStatus.RUNNING]
    loads = {each.queue: each for each in found}
    rows = []
    for name in sorted({*loads, *(queue for each in living for queue in each.queues)}):
        load = loads.get(name, busy.QueueLoad(name, 0, None, 0))
        serving = [each for each in living if name in each.queues]
        rows.append(
            QueueRow(
                name=name,
                waiting=load.waiting,
                oldest=instant(load.oldest),
                running=load.running,
                workers=len(serving),
                free=sum(max(0, each.capacity - held.get(each.id, 0)) for each in serving),
            )
        )
    return Everything(rows)


def list_workers(call: Call[None, None]) -> Everything[WorkerRow]:
    """Workers that are known."""
    _, known, held = call.core.store.read(_work)
    return Everything(
        [
            WorkerRow(
                id=each.id,
                host=each.host,
                status=_status(call.core, each),
                version=each.version,
                started=instant(each.started_at) or "",
                queues=list(each.queues),
                slots=each.capacity,
                held=held.get(each.id, 0),
            )
            for each in known
        ]
    )


def get_settings(call: Call[None, None]) -> Answer:
    """What may be seen of the settings."""
    where, settings = call.app.where, call.app.project.settings
    keep = settings.retention
    told = SettingsShown(
        version=__version__,
        store=where.shown,
        database=call.core.store.kind,
        blobs=where.blobs,
        project=str(call.app.project.root),
        namespace=settings.namespace,
        language=settings.kestra.version,
        retention=Retained(
            runs=None if keep.runs is None else keep.runs / 1e6,
            logs=None if keep.logs is None else keep.logs / 1e6,
            audit=None if keep.audit is None else keep.audit / 1e6,
        ),
        limits=LimitsShown(
            calls=settings.limits.calls,
            log=int(settings.limits.log),
            grace=settings.limits.grace / 1e6,
            lease=settings.limits.lease / 1e6,
        ),
        secret_sources=list(settings.secret_sources),
        calendars=sorted(settings.calendars),
        git=sorted(settings.git),
        login=settings.oidc.issuer if settings.oidc else "",
    )
    return Answer(told)


def list_file_problems(call: Call[None, None]) -> Everything[FileProblems]:
    """What is wrong with the files of a project that is watched."""
    found = call.app.problems
    return Everything([FileProblems(file=file, problems=[one(each) for each in found[file]]) for file in sorted(found)])


def _pools(core: Core) -> list[PoolRow]:
    found, unknown = verbs.every(core)
    set_ = [
        PoolRow(
            name=each.name, slots=each.slots, used=each.used, waiting=each.waiting, changed=instant(each.changed_at)
        )
        for each in found
    ]
    return [*set_, *(PoolRow(name=each, slots=None, used=0, waiting=0, changed=None) for each in unknown)]


def _work(tx: Tx) -> tuple[list[busy.QueueLoad], list[Worker], dict[str, int]]:
    return busy.queues(tx), workers.list_workers(tx), busy.held(tx)


def _status(core: Core, worker: Worker) -> str:
    silent = worker.beat_at < core.store.lease_now() - core.knobs.lease
    return "silent" if silent else worker.status.value
