"""What is told of flows: in lists, one with what it takes, its revisions; what became of a text?"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from penstock.api.problems import OneProblem
from penstock.api.shapes.lists import Cursor, Labels, Limit, Namespace, Text
from penstock.services.pushing import FlowChange, TriggerChange
from penstock.settings.keys import PluginDefault


class FlowsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which flows a list shows."""

    namespace: Namespace = ""
    text: Text = ""
    label: Labels = ()
    limit: Limit = 50
    cursor: Cursor = ""


class NamespacesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the list of namespaces."""

    limit: Limit = 100
    cursor: Cursor = ""


class NamespaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace, and how many flows stand in it itself."""

    namespace: str
    flows: int


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow in a list: its newest revision, when that was made and by whom, and its labels."""

    namespace: str
    id: str
    revision: int
    changed: str
    changed_by: str
    labels: dict[str, str]


class RevisionAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which revision is meant."""

    revision: Annotated[
        Annotated[int, Meta(ge=1, le=2**31)] | None, Meta(description="This revision instead of the newest.")
    ] = None


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


class HistoryAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a flow's history."""

    limit: Limit = 50
    cursor: Cursor = ""


class RevisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A revision in a list."""

    revision: int
    dialect: str
    digest: str
    created: str
    created_by: str


class DiffAsked(msgspec.Struct, frozen=True, kw_only=True, rename={"older": "from", "newer": "to"}):
    """Which two revisions are compared."""

    older: Annotated[int, Meta(ge=1, le=2**31, description="The revision to begin with.")]
    newer: Annotated[
        Annotated[int, Meta(ge=1, le=2**31)] | None, Meta(description="The revision to end with; else the newest.")
    ] = None


class Diff(msgspec.Struct, frozen=True, rename={"older": "from", "newer": "to"}):
    """What two revisions' texts differ in, as a unified diff."""

    older: int
    newer: int
    diff: str


class PutAsked(msgspec.Struct, frozen=True, kw_only=True):
    """How a text is kept."""

    dry_run: Annotated[bool, Meta(description="Only say what would become of it.")] = False


class FlowPut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a text: the revision that says it now, whether that is new, and what is worth a warning in it."""

    namespace: str
    id: str
    revision: int
    changed: bool
    problems: list[OneProblem]


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a text holds flows that can be kept, which ones, and what is wrong with it."""

    valid: bool
    flows: list[str]
    problems: list[OneProblem]


class GivenText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text by the name of its file, as problems tell it and as other texts include it."""

    file: Annotated[str, Meta(min_length=1, max_length=1000)]
    text: str


class GivenProject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the project of some texts adds to each of them, as its penstock.yaml says it."""

    namespace: Annotated[str, Meta(max_length=150)] = ""
    version: Annotated[Literal["0.20", "1", "2"], Meta(description="The version of Kestra's language.")] = "1"
    plugin_defaults: Annotated[tuple[PluginDefault, ...], Meta(max_length=1000)] = ()
    variables: dict[str, object] = {}


class PushAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Flows that are to be the newest revisions all together, and texts that they include.

    Gone are flows that the namespace `within` and those below it have (the empty one: all), or, where it is null, the
    very namespaces of these texts; `prune` removes them. Without a `project` that of the server counts.
    """

    texts: Annotated[list[GivenText], Meta(min_length=1, max_length=20_000)]
    project: GivenProject | None = None
    within: Annotated[str, Meta(max_length=150)] | None = None
    prune: bool = False
    dry_run: bool = False


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What a push changes, or would: each flow of it and each that is gone, triggers with their next dates, warnings.

    `done` says whether it was done, `pruned` whether those that are gone were removed with it.
    """

    flows: tuple[FlowChange, ...]
    triggers: tuple[TriggerChange, ...]
    problems: list[OneProblem]
    pruned: bool
    done: bool
