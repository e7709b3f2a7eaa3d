"""Where does no run begin for now, and who says so?"""

from __future__ import annotations

from penstock.api.route import Call
from penstock.api.shapes.maintenance import HeldRow, MaintenanceAsked, MaintenanceDone, Still
from penstock.services import maintenance as verbs
from penstock.services.document import instant


def read_maintenance(call: Call[None, None]) -> Still:
    """What is in maintenance."""
    held, waiting = verbs.every(call.core)
    rows = [
        HeldRow(namespace=each.namespace, since=instant(each.since) or "", by=each.by, reason=each.reason)
        for each in held
    ]
    return Still(held=rows, waiting=waiting)


def set_maintenance(call: Call[None, MaintenanceAsked]) -> MaintenanceDone:
    """Let no run begin, or let them begin again."""
    asked = call.body
    if not asked.on:
        return MaintenanceDone(changed=verbs.end(call.core, asked.namespace), killed=[])
    before = {each.namespace for each in verbs.every(call.core)[0]}
    killed = verbs.begin(call.core, asked.namespace, call.by, reason=asked.reason, kill=asked.kill, force=asked.force)
    return MaintenanceDone(changed=asked.namespace not in before, killed=killed)
