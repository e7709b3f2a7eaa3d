"""What can happen to a run? A closed union of frozen values; the engine has a file for each kind that needs one."""

from __future__ import annotations

import enum

import msgspec

from penstock.model.asset import Touched
from penstock.model.policy import WhenFull
from penstock.model.run import Failure, GroupState, Parent, Step
from penstock.model.status import Outcome, RunStatus, StepStatus


class Begin(msgspec.Struct, frozen=True, tag="begin", omit_defaults=True):
    """The run exists and may be started; or it has failed before it could (`failure`). `notes` are what its flow's
    checks say.
    """

    by: str = ""
    failure: Failure | None = None
    notes: tuple[str, ...] = ()


class Replayed(msgspec.Struct, frozen=True, tag="replayed", omit_defaults=True):
    """The run begins in the middle of its flow, at `from_step`, with what it keeps of the run `of`: its `steps`, and
    the `root` group. Their outputs and loop values were copied with them, so that the old run may go. With `alone`
    that step is done again and nothing else, whatever came after it. `variables` are the old run's, if they changed.
    """

    by: str
    of: str
    from_step: str
    steps: tuple[Step, ...] = ()
    root: GroupState = GroupState()
    alone: bool = False
    variables: dict[str, object] | None = None


class Admitted(msgspec.Struct, frozen=True, tag="admitted", omit_defaults=True):
    """The limits have room for an attempt, or for the run itself (the empty step); `limit` names them."""

    limit: str
    step: str = ""
    attempt: int = 0


class Refused(msgspec.Struct, frozen=True, tag="refused", omit_defaults=True):
    """A limit has no room and the flow (or the task) does not want to wait, or can never have it (`why`)."""

    limit: str
    when_full: WhenFull
    step: str = ""
    attempt: int = 0
    why: str = ""


class SetVariables(msgspec.Struct, frozen=True, tag="set", omit_defaults=True):
    """The variables of the run are to hold these, maps merged into maps; without `overwrite` none may be there yet."""

    values: dict[str, object]
    overwrite: bool = True


class UnsetVariables(msgspec.Struct, frozen=True, tag="unset", omit_defaults=True):
    """The variables of the run are to hold these no more; a name with dots leads into maps."""

    names: tuple[str, ...]
    ignore_missing: bool = False


class Exit(msgspec.Struct, frozen=True, tag="exit"):
    """The run is to end now, as this."""

    status: StepStatus


Order = SetVariables | UnsetVariables | Exit


class Ended(msgspec.Struct, frozen=True, tag="ended", kw_only=True, omit_defaults=True):
    """An attempt ended, or was lost with its worker; outputs stand in their own table. `started_at` is what was
    *Started*;
    `until` is when a snoozed step wants its next attempt; `orders` are what a done one wants of its run. `touched` is
    what data it has read and written, where somebody wants to know that."""

    step: str
    attempt: int
    outcome: Outcome
    worker: str = ""
    started_at: int | None = None
    ended_at: int | None = None
    failure: Failure | None = None
    state: dict[str, object] | None = None
    until: int | None = None
    orders: tuple[Order, ...] = ()
    fence: int = 0
    touched: tuple[Touched, ...] = ()


class Evaluated(msgspec.Struct, frozen=True, tag="evaluated", omit_defaults=True):
    """A worker evaluated expressions that reach out; `values` by property name. Recorded, so that replays decide the
    same.
    """

    step: str
    attempt: int
    values: dict[str, object] = {}
    failure: Failure | None = None
    fence: int = 0


class ChildEnded(msgspec.Struct, frozen=True, tag="child_ended", omit_defaults=True):
    """The run that a subflow step waits for has ended, or could not be `started` (`failure` says why); a step that does
    not wait hears *queued* once its child exists. `first` is the run that was started first, where retries took its
    place.
    """

    step: str
    attempt: int
    run: str
    status: RunStatus
    failure: Failure | None = None
    first: str = ""
    started: bool = True


class Timer(enum.StrEnum):
    """What a timer is for."""

    RETRY = "retry"
    SNOOZE = "snooze"
    STEP_TIMEOUT = "step_timeout"
    RUN_TIMEOUT = "run_timeout"
    NEXT = "next"
    PAUSE = "pause"
    SLA = "sla"
    BEGIN = "begin"


class Due(msgspec.Struct, frozen=True, tag="due"):
    """A timer rang; it names the attempt it was for, so a late one changes nothing."""

    step: str
    attempt: int
    timer: Timer


class Expand(msgspec.Struct, frozen=True, tag="expand"):
    """A loop has more values to start than one decision takes; `attempt` is the cursor it goes on from."""

    step: str
    attempt: int


class Kill(msgspec.Struct, frozen=True, tag="kill"):
    """Somebody, or a parent run, wants the run ended: gracefully, or by force."""

    by: str
    force: bool = False


class Restart(msgspec.Struct, frozen=True, tag="restart", omit_defaults=True):
    """An operator wants an ended run to go on from what did not succeed, or to do `parts` (keys of reported steps)
    again; or a restarted run wants that of the child run that its step, the `parent`, waits for.
    """

    by: str
    parts: tuple[str, ...] = ()
    parent: Parent | None = None


class Hold(msgspec.Struct, frozen=True, tag="hold"):
    """An operator pauses the run: what runs may end, nothing more begins."""

    by: str


class Held(msgspec.Struct, frozen=True, tag="held"):
    """An attempt that was ready has been taken back, because its run is paused."""

    step: str
    attempt: int


class Resume(msgspec.Struct, frozen=True, tag="resume", omit_defaults=True):
    """An operator lets go on what is paused: one attempt at a pause, with typed `inputs`, or the run itself."""

    by: str
    step: str = ""
    attempt: int = 0
    inputs: dict[str, object] = {}


class Mark(msgspec.Struct, frozen=True, tag="mark", omit_defaults=True):
    """An operator says how a step ended (or is to be taken: skipped when its turn comes), or an ended run."""

    by: str
    status: StepStatus
    step: str = ""
    reason: str = ""


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that an attempt does among others and reports by itself: a model of dbt, a table, a file."""

    name: str
    status: StepStatus
    started_at: int | None = None
    ended_at: int | None = None
    message: str = ""


class Reported(msgspec.Struct, frozen=True, tag="reported", omit_defaults=True):
    """An attempt tells of its parts; `number` counts its reports, so that each is taken once."""

    step: str
    attempt: int
    number: int
    parts: tuple[Part, ...] = ()
    fence: int = 0


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """The event before this one could not be decided and changed nothing; the run is given up in its stead."""

    failure: Failure


Event = (
    Begin
    | Replayed
    | Admitted
    | Refused
    | Ended
    | Evaluated
    | ChildEnded
    | Due
    | Expand
    | Kill
    | Restart
    | Hold
    | Held
    | Resume
    | Mark
    | Reported
    | Fault
)


def kind(event: Event) -> str:
    """The event's word, as stored beside its body."""
    return str(type(event).__struct_config__.tag)


def about(event: Event) -> tuple[str, int]:
    """Step key and attempt that an event is about; the empty key and 0 when it is about the run."""
    match event:
        case (
            Ended(step=step, attempt=attempt)
            | Evaluated(step=step, attempt=attempt)
            | ChildEnded(step=step, attempt=attempt)
            | Due(step=step, attempt=attempt)
            | Expand(step=step, attempt=attempt)
            | Held(step=step, attempt=attempt)
            | Resume(step=step, attempt=attempt)
            | Reported(step=step, attempt=attempt)
            | Admitted(step=step, attempt=attempt)
            | Refused(step=step, attempt=attempt)
        ):
            return step, attempt
        case Mark(step=step):
            return step, 0
        case Begin() | Replayed() | Kill() | Restart() | Hold() | Fault():
            return "", 0
