"""Which errors can a run meet? Codes PS-3xx."""

from __future__ import annotations

from penstock.errors import PenstockError


class BadId(PenstockError):
    """An id that people gave does not have the form of one."""

    code = "PS-301"


class ForbiddenMove(PenstockError):
    """A run or a step was asked to go where its status table has no way."""

    code = "PS-302"


class UnknownRun(PenstockError):
    """No run has this id."""

    code = "PS-303"
    hint = "`penstock runs list` shows the runs that are kept."


class InvalidInput(PenstockError):
    """A value given to a flow does not fit the input it is for."""

    code = "PS-304"


class NothingToRestart(PenstockError):
    """A restart was asked of a run in which everything succeeded, or which has not ended."""

    code = "PS-305"


class UnknownStep(PenstockError):
    """A verb names a step that the run or its flow does not have."""

    code = "PS-306"


class TooDeep(PenstockError):
    """Subflows call subflows beyond the depth that is allowed."""

    code = "PS-307"


class ImpureExpression(PenstockError):
    """A group's own property reaches out (a secret, say) where only a recorded value may decide."""

    code = "PS-308"


class UnknownFlow(PenstockError):
    """No flow, or no such revision of it, is in the store."""

    code = "PS-309"


class FlowDisabled(PenstockError):
    """A flow that its author switched off is not started."""

    code = "PS-310"
    hint = "Remove `disabled: true` from the flow."


class UnknownSecret(PenstockError):
    """An expression asks for a secret that nobody has set."""

    code = "PS-311"
    hint = "Set it by `penstock secrets set`, as SECRET_<NAME> in the environment, or in the project's file of secrets."


class UnknownKey(PenstockError):
    """An expression asks for a key that the key-value store does not have."""

    code = "PS-312"
    hint = "Set it with a `kv.set` task, or say `errorOnMissing=false` to get null."


class EngineFault(PenstockError):
    """A decision broke down; it is a fault of ours, not of the flow."""

    code = "PS-313"
    hint = "Please report it with the flow and `penstock runs show`; a restart of the run tries again."


class NothingToPause(PenstockError):
    """A run that has ended, is being killed or is paused already was to be paused."""

    code = "PS-314"


class NotResumable(PenstockError):
    """Nothing waits to be resumed there, or not by this person, or not with these values."""

    code = "PS-315"
    hint = "`penstock runs show` tells what a run waits for."


class NothingToMark(PenstockError):
    """A step or a run cannot be given this end by an operator as it stands now."""

    code = "PS-316"


class CheckUnmet(PenstockError):
    """A flow's `checks` do not let a run with these inputs begin."""

    code = "PS-317"
    hint = "Nothing was started. The flow's `checks` say what its runs must be like."


class BadSchedule(PenstockError):
    """A cron expression, a date or a time zone of a schedule cannot be read."""

    code = "PS-318"


class UnknownTrigger(PenstockError):
    """A flow has no trigger of this name, or none of the kind that is asked for."""

    code = "PS-319"


class NothingToBackfill(PenstockError):
    """A backfill would start no run, or more than one may: its dates, its schedule or its list are not usable."""

    code = "PS-320"


class UnknownBackfill(PenstockError):
    """There is no backfill of this id."""

    code = "PS-321"
    hint = "`penstock backfills list` names them."


class UnknownFile(PenstockError):
    """The namespace has no file at this path, or not that revision of it."""

    code = "PS-322"
    hint = "`penstock files list NAMESPACE` names its files."
