"""Which addresses are about flows, and about what they may be made of?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import flows, search, types
from penstock.api.route import Kind, Route, Where
from penstock.api.shapes.flows import (
    Diff,
    DiffAsked,
    FlowDetail,
    FlowPut,
    FlowRow,
    FlowsAsked,
    HistoryAsked,
    NamespaceRow,
    NamespacesAsked,
    PutAsked,
    RevisionAsked,
    RevisionRow,
    Validated,
)
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.search import Found, SearchAsked
from penstock.api.shapes.types import TypeDetail, TypeRow
from penstock.model.access import Action
from penstock.services.graph import Graph

FLOW: Final = "/v1/flows/{namespace}/{flow}"

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/flows",
        summary="Flows by name, a page at a time.",
        handler=flows.list_flows,
        where=Where.LIST,
        action=Action.FLOWS_VIEW,
        query=FlowsAsked,
        answer=Page[FlowRow],
    ),
    Route(
        method="GET",
        path=FLOW,
        summary="One flow: what it takes, what starts it.",
        handler=flows.get_flow,
        where=Where.PATH,
        action=Action.FLOWS_VIEW,
        query=RevisionAsked,
        answer=FlowDetail,
    ),
    Route(
        method="PUT",
        path=FLOW,
        summary="Make a text its newest revision; 201 where there was no such flow.",
        handler=flows.put_flow,
        where=Where.PATH,
        action=Action.FLOWS_EDIT,
        query=PutAsked,
        body=str,
        answer=FlowPut,
        takes="application/yaml",
    ),
    Route(
        method="DELETE",
        path=FLOW,
        summary="Let it start no more runs; its revisions and runs stay.",
        handler=flows.remove_flow,
        where=Where.PATH,
        action=Action.FLOWS_EDIT,
    ),
    Route(
        method="GET",
        path=f"{FLOW}/source",
        summary="Its text, as its author wrote it.",
        handler=flows.read_flow,
        where=Where.PATH,
        action=Action.FLOWS_VIEW,
        query=RevisionAsked,
        kind=Kind.FILE,
        gives="text/plain",
    ),
    Route(
        method="GET",
        path=f"{FLOW}/revisions",
        summary="Its revisions, newest first.",
        handler=flows.list_revisions,
        where=Where.PATH,
        action=Action.FLOWS_VIEW,
        query=HistoryAsked,
        answer=Page[RevisionRow],
    ),
    Route(
        method="GET",
        path=f"{FLOW}/graph",
        summary="Its tasks and groups as a graph.",
        handler=flows.draw_flow,
        where=Where.PATH,
        action=Action.FLOWS_VIEW,
        query=RevisionAsked,
        answer=Graph,
    ),
    Route(
        method="GET",
        path=f"{FLOW}/diff",
        summary="What two of its revisions differ in.",
        handler=flows.compare_revisions,
        where=Where.PATH,
        action=Action.FLOWS_VIEW,
        query=DiffAsked,
        answer=Diff,
    ),
    Route(
        method="POST",
        path="/v1/validate/flows",
        summary="What is wrong with a text of flows; nothing is kept.",
        handler=flows.validate_flows,
        where=Where.LIST,
        action=Action.FLOWS_EDIT,
        body=str,
        answer=Validated,
        takes="application/yaml",
    ),
    Route(
        method="GET",
        path="/v1/types",
        summary="The task types that flows may name.",
        handler=types.list_types,
        where=Where.SIGNED_IN,
        answer=Everything[TypeRow],
    ),
    Route(
        method="GET",
        path="/v1/types/{name}",
        summary="One task type with the schema of its properties.",
        handler=types.get_type,
        where=Where.SIGNED_IN,
        answer=TypeDetail,
    ),
    Route(
        method="GET",
        path="/v1/namespaces",
        summary="Namespaces that have flows, a page at a time.",
        handler=flows.list_namespaces,
        where=Where.LIST,
        action=Action.FLOWS_VIEW,
        query=NamespacesAsked,
        answer=Page[NamespaceRow],
    ),
    Route(
        method="GET",
        path="/v1/search",
        summary="Flows and runs by a part of a name, of those that one may see.",
        handler=search.search,
        where=Where.SIGNED_IN,
        query=SearchAsked,
        answer=Found,
    ),
    Route(
        method="GET",
        path="/v1/schemas/flow",
        summary="The JSON Schema of flows, for editors.",
        handler=types.get_flow_schema,
        where=Where.SIGNED_IN,
        answer=dict[str, object],
    ),
)
