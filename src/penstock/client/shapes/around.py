"""What is told of flows that start each other, of branches that they come from, and of how runs ended day by day?"""

from __future__ import annotations

import msgspec

from penstock.client.shapes.flows import FlowProblem
from penstock.model.status import RunStatus


class NearFlow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow near another: how many flows away; one that is only named somewhere is not `there`."""

    namespace: str
    flow: str
    distance: int
    there: bool


class FlowLink(msgspec.Struct, frozen=True, kw_only=True):
    """A flow (`source`) starts another (`target`): its task of kind subflow, or the other's trigger, named `by`.

    Where that hangs on more than names (labels, outputs) it is not `sure`.
    """

    source: str
    target: str
    kind: str
    by: str
    sure: bool


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """Flows and what links them, as far as who asks may see them; `more`: others are near, too."""

    flows: list[NearFlow]
    links: list[FlowLink]
    more: bool


class BranchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A branch: the commit that was looked at last, the one that stands here, and what is wrong with the former."""

    name: str
    branch: str
    looked_commit: str
    looked: str | None
    applied_commit: str
    applied: str | None
    problems: list[FlowProblem]


class BranchWanted(msgspec.Struct, frozen=True, kw_only=True):
    """The branch that is looked at soon."""

    name: str


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """How long runs took, in seconds: how many began, the sum, and the medians, each known to a twentieth."""

    count: int
    sum: float
    p50: float | None
    p95: float | None


class DayRow(msgspec.Struct, frozen=True, kw_only=True):
    """How the runs ended that were created on a day (UTC), and how long they took; those that go on are not among them.

    A status that none has is left out.
    """

    day: str
    ended: int
    statuses: dict[RunStatus, int]
    took: Took


class FlowDayRow(DayRow, frozen=True, kw_only=True):
    """The same of one flow."""

    namespace: str
    flow: str
