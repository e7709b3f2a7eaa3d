"""What can be asked about flows, and done with them?"""

from __future__ import annotations

import difflib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from penstock.api import cursors
from penstock.api.problems import one
from penstock.api.route import Answer, Call, Sent
from penstock.api.shapes.flows import (
    Diff,
    DiffAsked,
    FlowDetail,
    FlowPut,
    FlowRow,
    FlowsAsked,
    HistoryAsked,
    InputAbout,
    NamespaceRow,
    NamespacesAsked,
    PushAsked,
    Pushed,
    PutAsked,
    RevisionAsked,
    RevisionRow,
    TriggerAbout,
    Validated,
)
from penstock.api.shapes.lists import Page, labels
from penstock.app.manner import manner_of
from penstock.errors import Severity
from penstock.errors.api import Changed, Unfitting
from penstock.errors.project import InvalidFlows
from penstock.errors.run import UnknownFlow
from penstock.model.flow import Flow
from penstock.services import flows as verbs
from penstock.services import pushing
from penstock.services.document import instant
from penstock.services.graph import Graph, graph_of
from penstock.services.project import Manner, read_given, read_text, read_texts
from penstock.store import flows
from penstock.store.port import Tx

Before = Annotated[int, Meta(ge=0, le=2**31)]
ONE_LINE = "It came as one line: curl sends files as they are by `--data-binary @FILE`, and not by `-d`."


def list_flows(call: Call[FlowsAsked, None]) -> Page[FlowRow]:
    """Flows by name."""
    asked = call.query
    after = cursors.read(asked.cursor, tuple[str, str]) or ("", "")
    wanted: dict[str, Any] = {"namespace": asked.namespace, "text": asked.text, "labels": labels(asked.label)}
    found = call.core.store.read(lambda tx: flows.page(tx, call.scope, asked.limit + 1, after, **wanted))
    shown = found[: asked.limit]
    rows = [flow_row(each) for each in shown]
    return Page(rows, cursors.written((shown[-1].namespace, shown[-1].id)) if len(found) > len(shown) else "")


def list_namespaces(call: Call[NamespacesAsked, None]) -> Page[NamespaceRow]:
    """Namespaces that have flows."""
    asked = call.query
    after = cursors.read(asked.cursor, str) or ""
    found = call.core.store.glance(lambda tx: flows.namespaces(tx, call.scope, asked.limit + 1, after))
    shown = found[: asked.limit]
    rows = [NamespaceRow(namespace=name, flows=count) for name, count in shown]
    return Page(rows, cursors.written(shown[-1][0]) if len(found) > len(shown) else "")


def get_flow(call: Call[RevisionAsked, None]) -> Answer:
    """A revision of a flow, the newest unless another is asked for."""
    found, newest = _revision(call, call.query.revision)
    flow = found.flow()
    told = FlowDetail(
        namespace=found.namespace,
        id=found.id,
        revision=found.revision,
        newest=newest,
        changed=instant(found.created_at) or "",
        changed_by=found.created_by,
        dialect=found.dialect,
        digest=found.digest,
        description=flow.description,
        disabled=flow.disabled,
        labels=flow.labels,
        inputs=_inputs(flow),
        outputs=[each.id for each in flow.outputs],
        triggers=[
            TriggerAbout(id=each.id, type=each.type, description=each.description, disabled=each.disabled)
            for each in flow.triggers
        ],
    )
    return Answer(told, etag=_tag(newest) if found.revision == newest else "")


def read_flow(call: Call[RevisionAsked, None]) -> Sent:
    """The text of a revision, as its author wrote it."""
    found, _ = _revision(call, call.query.revision)
    headers = {"ETag": _tag(found.revision), "Cache-Control": "no-cache"}
    return Sent([found.source.encode()], "text/plain; charset=utf-8", headers=headers)


def list_revisions(call: Call[HistoryAsked, None]) -> Page[RevisionRow]:
    """The revisions of a flow, newest first; those of a removed one, too."""
    asked, (namespace, flow_id) = call.query, _name(call)
    before = cursors.read(asked.cursor, Before) or 2**31
    found = call.core.store.read(lambda tx: flows.history(tx, namespace, flow_id, asked.limit + 1, before))
    if not found and not asked.cursor:
        raise _unknown(namespace, flow_id)
    shown = found[: asked.limit]
    rows = [
        RevisionRow(
            revision=each.revision,
            dialect=each.dialect,
            digest=each.digest,
            created=instant(each.created_at) or "",
            created_by=each.created_by,
        )
        for each in shown
    ]
    return Page(rows, cursors.written(shown[-1].revision) if len(found) > len(shown) else "")


def draw_flow(call: Call[RevisionAsked, None]) -> Graph:
    """A revision of a flow as a graph."""
    found, _ = _revision(call, call.query.revision)
    return graph_of(call.core.plan(found.namespace, found.id, found.revision))


def compare_revisions(call: Call[DiffAsked, None]) -> Diff:
    """What two revisions differ in."""
    older, _ = _revision(call, call.query.older)
    newer, _ = _revision(call, call.query.newer)
    lines = difflib.unified_diff(
        older.source.splitlines(keepends=True),
        newer.source.splitlines(keepends=True),
        f"revision {older.revision}",
        f"revision {newer.revision}",
    )
    return Diff(older.revision, newer.revision, "".join(line if line.endswith("\n") else f"{line}\n" for line in lines))


def put_flow(call: Call[PutAsked, str]) -> Answer:
    """Make a text the newest revision of a flow; with `If-Match` only on top of the revision that it names."""
    namespace, flow_id = _name(call)
    reading = read_text(call.body, manner_of(call.app.project))
    problems = [one(each) for each in reading.problems]
    if reading.flow is None:
        count = sum(each.severity is Severity.ERROR for each in reading.problems)
        hint = ONE_LINE if count and "\n" not in call.body.strip() else ""
        raise InvalidFlows(f"The text has {count} {'error' if count == 1 else 'errors'}.", reading.problems, hint=hint)
    if (reading.flow.namespace, reading.flow.id) != (namespace, flow_id):
        raise Unfitting(f"The text is the flow {reading.flow.name}, and the address is that of another one.")
    before = call.core.store.glance(lambda tx: flows.newest(tx, namespace, flow_id))
    wanted = call.headers.get("if-match", "")
    if wanted and (before is None or (wanted.strip() != "*" and _tag(before) != wanted.strip())):
        said = f"its newest revision is {before}" if before else "it is not there"
        raise Changed(f"The flow {namespace}.{flow_id} is not what the call says it is: {said}.")
    if call.query.dry_run:
        now = call.core.store.read(lambda tx: flows.current(tx, namespace, flow_id))
        changed = now is None or now.digest != reading.digest
        revision = (now.revision if now else 0) + changed
        told = FlowPut(namespace=namespace, id=flow_id, revision=revision, changed=changed, problems=problems)
        return Answer(told)
    plan = verbs.push(call.core, reading.flow, reading.source, reading.digest, call.by)
    made = plan.flow.revision
    told = FlowPut(namespace=namespace, id=flow_id, revision=made, changed=made != before, problems=problems)
    return Answer(told, 200 if before else 201, headers={"ETag": _tag(made)})


def push_flows(call: Call[None, PushAsked]) -> Pushed:
    """Make many texts the newest revisions of their flows, all or none; dry, only tell what that would change."""
    asked = call.body
    found = read_given({each.file: each.text for each in asked.texts}, _manner(call))
    if asked.dry_run:
        planned = pushing.plan(call.core, found, asked.within, prune=asked.prune)
    else:
        planned = pushing.push(call.core, found, asked.within, prune=asked.prune, by=call.by)
    return Pushed(
        flows=planned.flows,
        triggers=planned.triggers,
        problems=[one(each) for each in planned.problems],
        pruned=planned.pruned,
        done=planned.done,
    )


def _manner(call: Call[None, PushAsked]) -> Manner:
    """How the texts are read: as their project says, and as far as the server lets it."""
    own, given = manner_of(call.app.project), call.body.project
    if given is None:
        return own
    return Manner(
        namespace=given.namespace,
        version=given.version,
        defaults=tuple(msgspec.to_builtins(each) for each in given.plugin_defaults),
        globals=given.variables,
        allow_unknown=own.allow_unknown,
    )


def remove_flow(call: Call[None, None]) -> None:
    """Let a flow start no more runs."""
    namespace, flow_id = _name(call)
    if not verbs.remove(call.core, namespace, flow_id):
        raise _unknown(namespace, flow_id)


def validate_flows(call: Call[None, str]) -> Validated:
    """What is wrong with a text of one flow or several; nothing is kept."""
    found = read_texts(call.body, manner_of(call.app.project))
    flows_read = [each.flow.name for each in found if each.flow is not None]
    problems = [one(each) for reading in found for each in reading.problems]
    return Validated(valid=len(flows_read) == len(found), flows=flows_read, problems=problems)


def flow_row(flow: flows.Shown) -> FlowRow:
    """A flow as lists tell it."""
    return FlowRow(
        namespace=flow.namespace,
        id=flow.id,
        revision=flow.revision,
        changed=instant(flow.changed_at) or "",
        changed_by=flow.changed_by,
        labels=flow.labels,
    )


def _revision(call: Call[object, object], number: int | None) -> tuple[flows.Revision, int]:
    """A revision of the flow in the address, and the number of its newest one. Raises UnknownFlow."""
    namespace, flow_id = _name(call)

    def look(tx: Tx) -> tuple[flows.Revision | None, int | None]:
        newest = flows.newest(tx, namespace, flow_id)
        wanted = number or newest
        return flows.revision(tx, namespace, flow_id, wanted) if wanted else None, newest

    found, newest = call.core.store.read(look)
    if found is None:
        if newest is not None:
            raise UnknownFlow(f"The flow {namespace}.{flow_id} has no revision {number}; its newest is {newest}.")
        raise _unknown(namespace, flow_id)
    return found, newest or found.revision


def _name(call: Call[object, object]) -> tuple[str, str]:
    return call.path["namespace"], call.path["flow"]


def _unknown(namespace: str, flow_id: str) -> UnknownFlow:
    return UnknownFlow(f'There is no flow "{namespace}.{flow_id}" in the store.'[:400])


def _tag(revision: int) -> str:
    return f'"r{revision}"'


def _inputs(flow: Flow) -> list[InputAbout]:
    return [
        InputAbout(
            id=each.id,
            type=each.type,
            description=each.description,
            required=each.required,
            has_default=each.has_default,
            default=each.default if each.type != "SECRET" else None,
            values=list(each.values),
        )
        for each in flow.inputs
    ]
