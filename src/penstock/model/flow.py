"""What is a flow once read? One frozen value, whatever it was written in."""

from __future__ import annotations

import msgspec

from penstock.model.inputs import Input, Output
from penstock.model.node import Node, Sequence
from penstock.model.policy import Check, Limit, Retry, Sla
from penstock.model.trigger import Trigger


class Language(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which dialect a flow was written in, which version's behaviour it asks for, and how its expressions see
    statuses, the values of loops (as text, or as what they are), and durations among the inputs (as seconds, or as
    ISO-8601 text).
    """

    dialect: str = "kestra"
    version: str = "1"
    upper_case_statuses: bool = True
    values_as_text: bool = True
    durations_as_seconds: bool = True


class Flow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to do, written down. `body` is the root group: its id is empty, its errors and finally are the flow's.

    `variables` are not rendered unless an expression says `render`; `globals` are its project's;
    `timeout` bounds a whole run, in microseconds. `after` runs one after the other once it is known how the run ends,
    which it does not change.
    """

    id: str
    namespace: str
    body: Sequence
    after: tuple[Node, ...] = ()
    revision: int = 0
    language: Language = Language()
    description: str = ""
    labels: dict[str, str] = {}
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    variables: dict[str, object] = {}
    globals: dict[str, object] = {}
    limits: tuple[Limit, ...] = ()
    retry: Retry | None = None
    sla: tuple[Sla, ...] = ()
    checks: tuple[Check, ...] = ()
    timeout: int | None = None
    disabled: bool = False

    @property
    def limit(self) -> Limit | None:
        """The first of its limits, where it has any."""
        return self.limits[0] if self.limits else None

    @property
    def name(self) -> str:
        """Namespace and id, as people write a flow's address."""
        return f"{self.namespace}.{self.id}"
