"""How are flows listed, shown, pushed, pulled and deleted where a server has them?"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from penstock.app.manner import manner_of
from penstock.cli.ending import Exit
from penstock.cli.flows import Input, Shown, page, tell_list, tell_source
from penstock.cli.options import instant, project_of
from penstock.cli.push import PullGiven, PushGiven, chosen_files, tell, texts_of, write
from penstock.cli.remote.asking import asked, refuse
from penstock.cli.said import as_json, data, note
from penstock.cli.target import named
from penstock.client import Client
from penstock.client.faults import problem_of
from penstock.client.shapes.flows import Pushed
from penstock.services.pushing import FlowChange, PushPlan, TriggerChange
from penstock.settings.read import Project
from penstock.store.flows import Listed

MOST = 50


def list_flows(url: str, given: dict[str, Any]) -> None:
    """List the flows of a server."""
    with asked(url, given) as client:
        found = [
            Listed(one.namespace, one.id, one.revision, micros(one.changed))
            for one in client.flows.list(namespace=given["namespace"])
        ]
    tell_list(found, wants_json=given["json"])


def show(url: str, given: dict[str, Any]) -> None:
    """Show one flow: its text, inputs and revisions."""
    with asked(url, given) as client:
        namespace, flow_id = flow_named(client, given["flow"], given)
        told = client.flows.get(namespace, flow_id, given["revision"])
        source = client.flows.source(namespace, flow_id, given["revision"])
        every = list(islice(client.flows.revisions(namespace, flow_id), MOST))
    if given["json"]:
        as_json(
            {
                "namespace": namespace,
                "flow": flow_id,
                "revision": told.revision,
                "dialect": told.dialect,
                "changed": told.changed,
                "by": told.changed_by,
                "source": source,
                "revisions": [one.revision for one in every],
            }
        )
    elif given["source"]:
        tell_source(source)
    else:
        inputs = [Input(i.id, i.type, i.description, i.required, i.has_default, i.default) for i in told.inputs]
        shown = Shown(
            name=f"{namespace}.{flow_id}",
            revision=told.revision,
            changed=micros(told.changed),
            by=told.changed_by,
            description=told.description,
            inputs=inputs,
            revisions=[(one.revision, micros(one.created), one.created_by) for one in every],
            source=source,
        )
        data("\n".join(page(shown)))


def push(url: str, given: dict[str, Any]) -> int:
    """Push the flows of files to a server: all of them, or none."""
    refuse(given, "allow_unknown")
    wanted = msgspec.convert(given, PushGiven)
    project, files = chosen_files(wanted)
    with asked(url, given) as client:
        done = client.flows.push(
            texts_of(files),
            within=wanted.within,
            prune=wanted.prune,
            dry_run=wanted.dry_run,
            project=as_said(project),
        )
    return tell(planned(done), wanted)


def plan(url: str, given: dict[str, Any]) -> int:
    """Show what pushing the flows of files to a server would change."""
    return push(url, given | {"dry_run": True})


def pull(url: str, given: dict[str, Any]) -> int:
    """Write the newest texts of a server's flows to files."""
    wanted = msgspec.convert(given, PullGiven)
    with asked(url, given) as client:
        texts = {
            (one.namespace, one.id): client.flows.source(one.namespace, one.id)
            for one in client.flows.list(namespace=wanted.namespace)
        }
    return write(texts, wanted)


def delete(url: str, given: dict[str, Any]) -> int:
    """Let a flow of a server start no more runs."""
    with asked(url, given) as client:
        namespace, flow_id = flow_named(client, given["flow"], given)
        client.flows.delete(namespace, flow_id)
    note(f"{namespace}.{flow_id} starts no more runs.")
    return Exit.SUCCESS


def flow_named(client: Client, name: str, given: dict[str, Any]) -> tuple[str, str]:
    """The flow of a server that a name means. Raises UnknownFlow."""
    listed = [(one.namespace, one.id) for one in client.flows.list(text=name.rpartition(".")[2])]
    return named(name, listed, project_of(given.get("project", "")).settings.namespace)


def as_said(project: Project) -> dict[str, object] | None:
    """What a project adds to its flows, as a server takes it; none where there is no project."""
    if project.file is None:
        return None
    manner = manner_of(project)
    return {
        "namespace": manner.namespace,
        "version": manner.version,
        "plugin_defaults": manner.defaults,
        "variables": manner.globals,
    }


def planned(done: Pushed) -> PushPlan:
    """What a server says of a push, as a store does."""
    return PushPlan(
        flows=msgspec.convert(done.flows, tuple[FlowChange, ...], from_attributes=True),
        triggers=msgspec.convert(done.triggers, tuple[TriggerChange, ...], from_attributes=True),
        problems=tuple(problem_of(each) for each in done.problems),
        pruned=done.pruned,
        done=done.done,
    )


def micros(text: str) -> int:
    """The microseconds of an instant that a server tells."""
    return instant(text, "")
