"""May a run begin with these inputs? What its flow's checks say, evaluated once, before anything of it exists."""

from __future__ import annotations

import msgspec

from penstock import expr
from penstock.engine import Loaded
from penstock.errors import PenstockError
from penstock.errors.run import CheckUnmet
from penstock.model.plan import ROOT
from penstock.model.policy import Check, IfUnmet
from penstock.model.run import ErrorKind, Failure
from penstock.services.core import Core
from penstock.services.render import worker_calls, worker_scope
from penstock.services.secrets.masks import Masks


class Judged(msgspec.Struct, frozen=True):
    """What the checks say: messages of those not met, and why the run fails at once, where one wants that."""

    notes: tuple[str, ...] = ()
    failure: Failure | None = None


def judge(core: Core, loaded: Loaded) -> Judged:
    """Ask the checks of a flow about a run that is about to begin. Raises CheckUnmet when it may not."""
    checks = loaded.plan.flow.checks
    if not checks:
        return Judged()
    unmet = [(check, told) for check in checks if (told := _unmet(core, loaded, check)) is not None]
    blocking = [told for check, told in unmet if check.unmet is IfUnmet.BLOCK]
    if blocking:
        raise CheckUnmet(f"{loaded.plan.flow.name} does not start: {' · '.join(blocking)}")
    failing = [told for check, told in unmet if check.unmet is IfUnmet.FAIL]
    failure = Failure(ErrorKind.INPUT, " · ".join(failing), code=CheckUnmet.code) if failing else None
    return Judged(tuple(f"{check.style}: {told}" for check, told in unmet), failure)


def _unmet(core: Core, loaded: Loaded, check: Check) -> str | None:
    """The message of a check that is not met, or cannot be evaluated; None when it is met."""
    used: set[str] = set()
    try:
        scope = worker_scope(core, loaded, ROOT, used)
        met = expr.truthy(expr.compile(check.condition).render(scope, worker_calls(core, loaded, used)))
        return None if met else check.message
    except PenstockError as error:
        why = Masks(used).hide_text(error.sentence)
        return f"{check.message} (its condition cannot be evaluated: {why})"
