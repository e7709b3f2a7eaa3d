"""What can stand in a flow? One task, or one of the ways of arranging tasks; a closed union.

A loop over a file in batches is not among them: it is written out as a split, a loop, subflows and a merge.
"""

from __future__ import annotations

import enum

import msgspec

from penstock.model.inputs import Input, Output
from penstock.model.policy import Cache, Limit, OnChildFailure, Retry, Sensor


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
    """One thing to do: `type` names the task type, `properties` are what its author wrote, templates unrendered.

    Each of its attempts needs room behind all of `limits`; workers that serve `queue` do them.
    """

    type: str
    properties: dict[str, object] = {}
    log_level: str = ""
    sensor: Sensor | None = None
    cache: Cache | None = None
    limits: tuple[Limit, ...] = ()
    queue: str = "default"


class Group(Base, frozen=True, kw_only=True, omit_defaults=True):
    """What every group has besides: the tasks that run after a failure, and those that run whatever happens."""

    errors: tuple[Node, ...] = ()
    finally_: tuple[Node, ...] = ()


class Sequence(Group, frozen=True, kw_only=True, tag="sequence", omit_defaults=True):
    """One after the other; the first failure ends it."""

    nodes: tuple[Node, ...] = ()


class Parallel(Group, frozen=True, kw_only=True, tag="parallel", omit_defaults=True):
    """Side by side, at most `limit` at once (0: all; or a template that gives the number when the group begins)."""

    nodes: tuple[Node, ...] = ()
    limit: int | str = 0
    on_child_failure: OnChildFailure = OnChildFailure.CONTINUE


class ForEach(Group, frozen=True, kw_only=True, tag="foreach", omit_defaults=True):
    """Its nodes once for each of `values` (a list, or a template that gives one), at most `limit` values at once (0:
    all; or a template, as for a parallel group).

    `distinct` drops values that repeat; `on_child_failure` CONTINUE still ends a loop of limit 1 at its first failure.
    With `gathers` the loop hands on how its iterations ended and the `outputs` of each (so their warnings are not its
    own), its values may stand in a stored file, and its tasks know the `item` they are about. With `tallies` it hands
    on how many batches its values are, and how many of the runs for them stand how.
    """

    values: list[object] | dict[str, object] | str
    nodes: tuple[Node, ...] = ()
    limit: int | str = 1
    distinct: bool = True
    on_child_failure: OnChildFailure = OnChildFailure.CONTINUE
    gathers: bool = False
    outputs: tuple[Output, ...] = ()
    tallies: bool = False


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
    """A run of another flow. `transmit_cancelled` hands up cancelled and retried too (language versions 1 and 2).

    `at` is a template that gives the instant when it begins; empty: at once. With `go_on` a restart goes on with the
    run that failed, without it a restart starts another one.
    """

    namespace: str
    flow: str
    revision: int | None = None
    inputs: dict[str, object] = {}
    labels: dict[str, object] = {}
    wait: bool = True
    transmit_failed: bool = True
    transmit_cancelled: bool = True
    inherit_labels: bool = False
    at: str = ""
    go_on: bool = True


class TriggerRule(enum.StrEnum):
    """When a node of a dag begins, by what became of those it needs; the words are Airflow's, and so is their meaning.

    Failed counts failed, killed and cancelled (a node that did not begin because one before it failed).
    """

    ALL_SUCCESS = "all_success"
    ALL_DONE = "all_done"
    ALL_FAILED = "all_failed"
    ALL_SKIPPED = "all_skipped"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    NONE_SKIPPED = "none_skipped"
    ALWAYS = "always"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"


class Need(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a node of a dag waits for: others of its dag, and by which rule.

    `setups` are those of `on` that prepared what this node takes down again (rule ALL_DONE_SETUP_SUCCESS).
    """

    on: tuple[str, ...] = ()
    rule: TriggerRule = TriggerRule.ALL_SUCCESS
    setups: tuple[str, ...] = ()


class Dag(Group, frozen=True, kw_only=True, tag="dag", omit_defaults=True):
    """Its nodes as a graph, at most `limit` at once (0: all; or a template); a node not in `needs` begins at once.

    `judges` are the nodes whose ends decide what the dag comes to (none named: all of them), which leaves out what
    only takes down again. A failure stops the dag as `on_child_failure` says; with FINISH the rules decide.
    """

    nodes: tuple[Node, ...] = ()
    needs: dict[str, Need] = {}
    limit: int | str = 0
    judges: tuple[str, ...] = ()
    on_child_failure: OnChildFailure = OnChildFailure.FINISH


class Keep(enum.StrEnum):
    """Which iterations of a loop until stay."""

    ALL = "all"
    LAST = "last"


class Until(Group, frozen=True, kw_only=True, tag="until", omit_defaults=True):
    """Its nodes again and again until `condition` (a template, evaluated after each iteration) is true.

    At most `most` iterations and `longest` microseconds (neither: for ever), `interval` microseconds between two;
    reaching a maximum is a failure when `fail_at_most`, else a success. With `keep` LAST, rows go with their iteration.
    """

    condition: str
    nodes: tuple[Node, ...] = ()
    most: int | None = None
    longest: int | None = None
    interval: int = 0
    keep: Keep = Keep.ALL
    fail_at_most: bool = False


class PauseEnd(enum.StrEnum):
    """What becomes of a pause whose time is over."""

    RESUME = "resume"
    WARN = "warn"
    FAIL = "fail"
    CANCEL = "cancel"


class Pause(Base, frozen=True, kw_only=True, tag="pause", omit_defaults=True):
    """Waits until somebody resumes it with `inputs`, or until `delay` is over; then `at_end` says what follows.

    `delay` is a template that gives an ISO-8601 duration, or microseconds; empty waits for ever. `resumers` are the
    people who may resume it (none named: everybody).
    """

    delay: str | int = ""
    at_end: PauseEnd = PauseEnd.RESUME
    inputs: tuple[Input, ...] = ()
    resumers: tuple[str, ...] = ()


class Folder(Group, frozen=True, kw_only=True, tag="folder", omit_defaults=True):
    """One after the other in one folder on one worker; lost with its worker, it begins anew as a whole.

    `properties` are what its author wrote for it (inputFiles, outputFiles, namespaceFiles, cache), unrendered.
    """

    nodes: tuple[Node, ...] = ()
    properties: dict[str, object] = {}


Arrangement = Sequence | Parallel | ForEach | If | Switch | Dag | Until | Folder
Leaf = Task | Subflow | Pause
Node = Task | Subflow | Pause | Sequence | Parallel | ForEach | If | Switch | Dag | Until | Folder
