"""What becomes of a run on which a decision breaks down? It fails, saying so, and nothing else stops with it.

Deliberately simple: it follows no group and asks no policy, since one of those has just failed.
"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.decision import Decision
from penstock.engine.finish import words_to_parent
from penstock.engine.loaded import Loaded
from penstock.engine.rule import Noted, Rule
from penstock.model.effect import Announce, Effect, KillChild, Withdraw
from penstock.model.plan import ROOT
from penstock.model.run import Change, Failure
from penstock.model.status import RunStatus, StepStatus


def give_up(loaded: Loaded, failure: Failure, now: int) -> Decision:
    """End a run as failed with everything in it, whatever state it is in; a run that has ended stays as it is."""
    run = loaded.run
    noted: tuple[Noted, ...] = ((ROOT, Rule.FAULT, ()),)
    if run.status.ended:
        return Decision(run, fault=failure, rules=noted)
    left = loaded.all_open()
    noted = (*((step.key, Rule.HALTED, ()) for step in left), *noted)
    over = {"status": StepStatus.CANCELLED, "ended_at": now, "due_at": None, "evaluating": False, "held": False}
    steps = tuple(replace(step, **over, waits_for=()) for step in left)
    effects: list[Effect] = [KillChild(step.child, "penstock") for step in left if step.child]
    held = tuple(step.key for step in left if not step.child and (step.group is None or step.evaluating))
    if held:
        effects.append(Withdraw(held))
    ended = replace(
        run,
        status=RunStatus.FAILED,
        ended_at=now,
        outputs=None,
        failure=failure,
        reason="",
        pending="",
        open=0,
        active=0,
        retrying=0,
        waiting=0,
        held_by="",
        history=(*run.history, Change(RunStatus.FAILED, now)),
    )
    effects += [Announce(RunStatus.FAILED), *words_to_parent(loaded.plan, ended, None)]
    return Decision(ended, steps, tuple(effects), failure, noted)
