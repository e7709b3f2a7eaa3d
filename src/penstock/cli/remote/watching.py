"""How are alerts and branches looked after where a server has them?"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.cli.alerts import AlertGiven, tell_added, tell_alerts, tell_tried
from penstock.cli.ending import Exit
from penstock.cli.git import GitGiven, tell_branches
from penstock.cli.remote.asking import asked, refuse
from penstock.cli.remote.flows import micros
from penstock.cli.said import note
from penstock.client import Client
from penstock.client.faults import problem_of
from penstock.client.shapes.alerts import AlertRow
from penstock.client.shapes.around import BranchRow
from penstock.store.alerts import Alert, Open, Watches
from penstock.store.git import State


def add_alert(url: str, given: dict[str, Any]) -> int:
    """Be told of something."""
    wanted = msgspec.convert(given, AlertGiven)
    with asked(url, given) as client:
        made = client.alerts.put(
            wanted.name, wanted.on, namespace=wanted.namespace, after=wanted.after, tells=wanted.tell, url=wanted.url
        )
    return tell_added(_alert(made))


def list_alerts(url: str, given: dict[str, Any]) -> None:
    """List alerts, and what stands open."""
    with asked(url, given) as client:
        found = client.alerts.list()
    standing = [Open(each.name, one.object, micros(one.since)) for each in found for one in each.open]
    tell_alerts([_alert(each) for each in found], standing, wants_json=given["json"])


def remove_alert(url: str, given: dict[str, Any]) -> int:
    """Be told no more."""
    with asked(url, given) as client:
        if _named(client, given["name"]) is None:
            return Exit.WRONG_CALL
        client.alerts.delete(given["name"])
    note(f"The alert {given['name']} is no more.")
    return Exit.SUCCESS


def try_alert(url: str, given: dict[str, Any]) -> int:
    """Have an alert tell of something that did not happen."""
    with asked(url, given) as client:
        found = _named(client, given["name"])
        if found is None:
            return Exit.WRONG_CALL
        return tell_tried(found, client.alerts.test(found.id))


def status(url: str, given: dict[str, Any]) -> int:
    """Tell how branches stand."""
    wanted = msgspec.convert(given, GitGiven)
    with asked(url, given) as client:
        found = [client.branches.get(wanted.name)] if wanted.name else client.branches.list()
    return tell_branches([_state(each) for each in found], wanted)


def bring(url: str, given: dict[str, Any]) -> int:
    """Have the server look at a branch now."""
    refuse(given, "dry_run")
    with asked(url, given) as client:
        client.branches.pull(given["name"])
    note(f"The server looks at {given['name']} now: `penstock git status` tells what came of it.")
    return Exit.SUCCESS


def _named(client: Client, name: str) -> Alert | None:
    found = next((_alert(each) for each in client.alerts.list() if each.name == name), None)
    if found is None:
        note(f"There is no alert {name}.")
    return found


def _alert(row: AlertRow) -> Alert:
    """An alert of a server as commands tell them; of its address no more is told than the host."""
    return Alert(
        id=row.name,
        namespace=row.namespace,
        watches=Watches(row.watches),
        patience=round(row.after * 1e6),
        tells_namespace=row.tells_namespace,
        tells=row.tells,
        made_at=micros(row.made),
        made_by=row.made_by,
        url=f"https://{row.host}" if row.host and "{" not in row.host else row.host,
    )


def _state(row: BranchRow) -> State:
    problems = tuple(problem_of(each) for each in row.problems)
    return State(
        name=row.name,
        looked_commit=row.looked_commit,
        looked_at=micros(row.looked) if row.looked else 0,
        applied_commit=row.applied_commit,
        applied_at=micros(row.applied) if row.applied else 0,
        problems=msgspec.json.encode(problems).decode() if problems else "",
    )
