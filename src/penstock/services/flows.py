"""How do flows get into the store, and which revision is the newest? Reading a flow's text is the dialects' work."""

from __future__ import annotations

from functools import partial

import msgspec
from msgspec.structs import replace

from penstock.errors import nearest
from penstock.errors.run import FlowDisabled, UnknownFlow
from penstock.model.access import Action
from penstock.model.flow import Flow
from penstock.model.plan import Plan
from penstock.services import triggers
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.unanswered import repeat_unknown
from penstock.store import feed
from penstock.store import flows as table
from penstock.store import triggers as known
from penstock.store.port import Tx


def push(core: Core, flow: Flow, source: str, digest: str, by: str = "") -> Plan:
    """Store a flow that was read without errors; the same digest as the newest revision makes no new one."""
    written = table.Written(
        namespace=flow.namespace,
        id=flow.id,
        dialect=flow.language.dialect,
        digest=digest,
        source=source,
        model=msgspec.json.encode(flow).decode(),
    )
    known = core.store.glance(lambda tx: table.saying(tx, written))
    return core.plans.add(flow, known or _store(core, flow, written, by))


@audited(Action.FLOWS_EDIT, "flows.push", "{flow.name}", namespace="{flow.namespace}")
def _store(core: Core, flow: Flow, written: table.Written, by: str) -> int:
    now = core.clock.now()

    def work(tx: Tx) -> int:
        revision = table.push(tx, written, now, by)
        triggers.sync(tx, replace(flow, revision=revision), now)
        feed.append(tx, [("flow", f"{flow.namespace}/{flow.id}", now)], now)
        return revision

    return repeat_unknown(core, lambda: core.store.write(work))


def sync_unknown(core: Core) -> None:
    """Give the triggers a row each of flows that were stored when there were no such rows."""
    for namespace, flow_id, revision in core.store.read(known.unknown_flows):
        flow, now = core.plan(namespace, flow_id, revision).flow, core.clock.now()
        core.store.write(partial(triggers.sync, flow=flow, now=now))


@audited(Action.FLOWS_EDIT, "flows.remove", "{namespace}.{flow_id}", namespace="{namespace}")
def remove(core: Core, namespace: str, flow_id: str) -> bool:
    """Let a flow start no more runs, by itself or by anybody; False when it is not there. Its runs stay."""
    now = core.clock.now()

    def work(tx: Tx) -> bool:
        triggers.forget(tx, namespace, flow_id, now)
        feed.append(tx, [("flow", f"{namespace}/{flow_id}", now)], now)
        return table.delete(tx, namespace, flow_id, now)

    return repeat_unknown(core, lambda: core.store.write(work))


def newest_plan(core: Core, namespace: str, flow_id: str, revision: int | None = None) -> Plan:
    """The plan of a flow's newest (or the given) revision, if it may be started. Raises UnknownFlow, FlowDisabled."""
    if revision is None:
        revision = _newest(core, namespace, flow_id)
    plan = core.plan(namespace, flow_id, revision)
    if plan.flow.disabled:
        raise FlowDisabled(f"The flow {plan.flow.name} is disabled.")
    return plan


def _newest(core: Core, namespace: str, flow_id: str) -> int:
    stored = core.store.read(lambda tx: table.current(tx, namespace, flow_id))
    if stored is None:
        known = [f"{flow.namespace}.{flow.id}" for flow in core.store.read(table.list_flows)]
        name = f"{namespace}.{flow_id}"
        raise UnknownFlow(f'There is no flow "{name}" in the store.', hint=nearest(name, known))
    return stored.revision
