"""What can stand in a flow? One task, or one of the ways of arranging tasks; a closed union.

The next ways stand here as further values: dag, loop until, pause, working directory, batches.
"""

from __future__ import annotations

import msgspec

from penstock.model.policy import OnChildFailure, Retry


class Base(msgspec.Struct, frozen=True, kw_only=True, tag_field="node", omit_defaults=True):
    """What every node has. `run_if` and `timeout` (of one attempt) are templates as written; empty means none.

    `deadline` bounds the whole step, its retries and children included, in microseconds.
    """

    id: str
    description: str = ""
    disabled: bool = False
    run_if: str = ""
    retry: Retry | None = None
    timeout: str | int = ""
    deadline: int | None = None
    allow_failure: bool = False
    allow_warning: bool = False


class Task(Base, frozen=True, kw_only=True, tag="task", omit_defaults=True):
    """One thing to do: `type` names the task type, `properties` are what its author wrote, templates unrendered."""

    type: str
    properties: dict[str, object] = {}
    log_level: str = ""


class Group(Base, frozen=True, kw_only=True, omit_defaults=True):
    """What every group has besides: the tasks that run after a failure, and those that run whatever happens."""

    errors: tuple[Node, ...] = ()
    finally_: tuple[Node, ...] = ()


class Sequence(Group, frozen=True, kw_only=True, tag="sequence", omit_defaults=True):
    """One after the other; the first failure ends it."""

    nodes: tuple[Node, ...] = ()


class Parallel(Group, frozen=True, kw_only=True, tag="parallel", omit_defaults=True):
    """Side by side, at most `limit` at once (0: all)."""

    nodes: tuple[Node, ...] = ()
    limit: int = 0
    on_child_failure: OnChildFailure = OnChildFailure.CONTINUE


class ForEach(Group, frozen=True, kw_only=True, tag="foreach", omit_defaults=True):
    """Its nodes once for each of `values` (a list, or a template that gives one), at most `limit` values at once (0:
    all).

    `distinct` drops values that repeat; `on_child_failure` CONTINUE still ends a loop of limit 1 at its first failure.
    """

    values: list[object] | dict[str, object] | str
    nodes: tuple[Node, ...] = ()
    limit: int = 1
    distinct: bool = True
    on_child_failure: OnChildFailure = OnChildFailure.CONTINUE


class If(Group, frozen=True, kw_only=True, tag="if", omit_defaults=True):
    """One of two branches, by a condition; without the branch it is a success."""

    condition: str
    then: tuple[Node, ...] = ()
    else_: tuple[Node, ...] = ()


class Switch(Group, frozen=True, kw_only=True, tag="switch", omit_defaults=True):
    """The branch whose name the value renders to, else the default; a failure where there is neither."""

    value: str
    cases: dict[str, tuple[Node, ...]] = {}
    default: tuple[Node, ...] = ()


class Subflow(Base, frozen=True, kw_only=True, tag="subflow", omit_defaults=True):
    """A run of another flow. `transmit_cancelled` hands up cancelled and retried too (language versions 1 and 2)."""

    namespace: str
    flow: str
    revision: int | None = None
    inputs: dict[str, object] = {}
    labels: dict[str, object] = {}
    wait: bool = True
    transmit_failed: bool = True
    transmit_cancelled: bool = True
    inherit_labels: bool = False


Arrangement = Sequence | Parallel | ForEach | If | Switch
Node = Task | Subflow | Sequence | Parallel | ForEach | If | Switch
