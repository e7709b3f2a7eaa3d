"""What is told of flows: in lists, one with what it takes, its revisions, its graph; what becomes of texts?"""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a text: line and column count from 1."""

    line: int
    column: int
    file: str = ""
    text: str = ""


class FlowProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a text; `path` leads to it in the text's own keys."""

    code: str
    detail: str
    severity: str = "error"
    hint: str = ""
    path: str = ""
    place: Place | None = None


class NamespaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace, and how many flows stand in it itself."""

    namespace: str
    flows: int


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow in a list: its newest revision, when that was made and by whom."""

    namespace: str
    id: str
    revision: int
    changed: str
    changed_by: str
    labels: dict[str, str] = {}


class InputAbout(msgspec.Struct, frozen=True, kw_only=True):
    """An input that a flow declares; `default` is what it is where nothing is given, as its author wrote it."""

    id: str
    type: str
    description: str
    required: bool
    has_default: bool
    default: object
    values: list[object]


class TriggerAbout(msgspec.Struct, frozen=True, kw_only=True):
    """What starts a flow by itself."""

    id: str
    type: str
    description: str
    disabled: bool


class FlowDetail(FlowRow, frozen=True, kw_only=True):
    """One revision of a flow: what it takes, what starts it, and `newest`, the number of the newest revision."""

    newest: int
    dialect: str
    digest: str
    description: str
    disabled: bool
    inputs: list[InputAbout]
    outputs: list[str]
    triggers: list[TriggerAbout]


class RevisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A revision in a list."""

    revision: int
    dialect: str
    digest: str
    created: str
    created_by: str


class Diff(msgspec.Struct, frozen=True, kw_only=True, rename={"older": "from", "newer": "to"}):
    """What two revisions' texts differ in, as a unified diff."""

    older: int
    newer: int
    diff: str


class FlowPut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a text: the revision that says it now, whether that is new, and what is worth a warning in it."""

    namespace: str
    id: str
    revision: int
    changed: bool
    problems: list[FlowProblem]


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a text holds flows that can be kept, which ones, and what is wrong with it."""

    valid: bool
    flows: list[str]
    problems: list[FlowProblem]


class FlowChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a flow: its newest revision before and after, null where there is none, and its file."""

    namespace: str
    flow: str
    what: str
    file: str
    before: int | None
    after: int | None


class TriggerChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a trigger: of a schedule also its next dates before and after, or why they cannot be told.

    `off_by` is who has switched it off, in which case it fires for none of them.
    """

    namespace: str
    flow: str
    trigger: str
    kind: str
    what: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    off_by: str = ""
    problem: str = ""


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What a push changes, or would: each flow of it and each that is gone, triggers with their next dates, warnings.

    `done` says whether it was done, `pruned` whether those that are gone were removed with it.
    """

    flows: tuple[FlowChange, ...]
    triggers: tuple[TriggerChange, ...]
    problems: list[FlowProblem]
    pruned: bool
    done: bool


class GraphNode(msgspec.Struct, frozen=True, kw_only=True):
    """A task or group: `parent` is the group that it stands in (empty: the flow), `branch` the list of it.

    `calls` is the flow that a subflow starts.
    """

    id: str
    type: str
    parent: str
    branch: str
    position: int
    description: str
    calls: str


class GraphEdge(msgspec.Struct, frozen=True, kw_only=True):
    """One node comes after another: as lists say, or (`needs`) since it waits for it."""

    source: str
    target: str
    needs: bool = False


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """A flow's enabled nodes in the order of their lists, and their edges; groups are nodes that others stand in."""

    namespace: str
    flow: str
    revision: int
    nodes: list[GraphNode]
    edges: list[GraphEdge]


class TypeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A task type: its name, the other names that flows may call it by, and what it does in a sentence."""

    name: str
    aliases: list[str]
    about: str


class TypeDetail(TypeRow, frozen=True, kw_only=True):
    """A task type with the JSON Schema of its properties."""

    schema: dict[str, object]
