"""How does the installation stand just now? The figures that are read from the store when somebody asks for them."""

from __future__ import annotations

from penstock import __version__
from penstock.services.core import Core
from penstock.services.scheduler.lead import NAME
from penstock.store import alerts, busy, feed, leaders, maintenance, workers
from penstock.store.port import Tx
from penstock.telemetry.metrics import Standing


def gauges(core: Core) -> list[Standing]:
    """Every gauge, of one instant; counted over small tables, or up to a bound."""
    now, lease_now = core.clock.now(), core.store.lease_now()

    def read(tx: Tx) -> list[Standing]:
        led = leaders.get(tx, NAME)
        found = [Standing("penstock_info", 1, (__version__,))]
        found += _waiting(tx, now)
        found += _workers(tx)
        late, since = busy.overdue(tx, now)
        found += [
            Standing("penstock_triggers_overdue", late),
            Standing("penstock_triggers_overdue_seconds", _ago(now, since)),
            Standing("penstock_leader", int(led is not None and led.until >= lease_now)),
            *(Standing("penstock_backfills", count, (status,)) for status, count in busy.backfills(tx).items()),
            Standing("penstock_alerts_open", len(alerts.standing(tx))),
            Standing("penstock_alert_calls", alerts.waiting_calls(tx)),
            Standing("penstock_maintenance", len(maintenance.every(tx))),
            Standing("penstock_maintenance_waiting", len(maintenance.waiting(tx))),
            Standing("penstock_feed_head", feed.head(tx)),
        ]
        return found

    return core.store.read(read)


def _waiting(tx: Tx, now: int) -> list[Standing]:
    found = [Standing("penstock_runs", count, (status,)) for status, count in busy.going(tx).items()]
    for each in busy.queues(tx):
        found += [
            Standing("penstock_queue_waiting", each.waiting, (each.queue,)),
            Standing("penstock_queue_oldest_seconds", _ago(now, each.oldest), (each.queue,)),
            Standing("penstock_queue_running", each.running, (each.queue,)),
        ]
    limited = sum(each.waiting for each in busy.limits(tx))
    return [
        *found,
        Standing("penstock_limited_waiting", limited),
        Standing("penstock_inbox_events", busy.unfolded(tx)),
    ]


def _workers(tx: Tx) -> list[Standing]:
    there = workers.list_workers(tx)
    counts = {status: sum(each.status is status for each in there) for status in workers.WorkerStatus}
    return [
        *(Standing("penstock_workers", count, (str(status),)) for status, count in counts.items()),
        Standing("penstock_worker_slots", sum(each.capacity for each in there)),
        Standing("penstock_worker_slots_used", sum(busy.held(tx).values())),
    ]


def _ago(now: int, since: int | None) -> float:
    return 0.0 if since is None else max(0, now - since) / 1e6
