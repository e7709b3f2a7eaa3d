"""Does a failed attempt get another, and when? Arithmetic on the policy alone; chance comes from the run's own id."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from penstock.model.node import Node
from penstock.model.plan import ROOT, Plan
from penstock.model.policy import Backoff, Retry
from penstock.model.run import Failure, Run, Step
from penstock.model.status import StepStatus

MOST_LOST_IN_A_ROW = 3


def policy_for(plan: Plan, node: Node) -> Retry | None:
    """The node's own retry, else that of the nearest group around it that has one, else the flow's.

    What is not its own says nothing of failures that are allowed, and does not make a warning of a success.
    """
    if node.retry is not None:
        return node.retry
    place = node
    while place.retry is None and place.id != ROOT:
        place = plan.node(plan.seats[place.id].parent)
    policy = place.retry or plan.flow.retry
    return None if policy is None or node.allow_failure else replace(policy, warn=False)


def next_try_at(policy: Retry | None, step: Step, failure: Failure | None, now: int, run_id: str) -> int | None:
    """The instant of the next attempt, or None when there is none: wrong kind, too many tries, or too late."""
    if policy is None or not applies(policy, failure):
        return None
    if policy.max_attempts is not None and step.tries >= policy.max_attempts:
        return None
    at = now + delay(policy, step.tries, _chance(run_id, step))
    began = step.first_at if step.first_at is not None else now
    if policy.max_duration is not None and at > began + policy.max_duration:
        return None
    return at


def next_run_at(policy: Retry, run: Run, failure: Failure, now: int) -> int | None:
    """The instant at which another run takes this one's place, or None: the same limits, counted in runs."""
    began = run.created_at if run.first_at is None else run.first_at
    whole = Step(key=ROOT, node=ROOT, status=StepStatus.FAILED, attempt=run.number, tries=run.number, first_at=began)
    return next_try_at(policy, whole, failure, now, run.id)


def delay(policy: Retry, tries: int, chance: float) -> int:
    """Microseconds to wait after `tries` tries; `chance` lies in [0, 1).

    constant: interval. exponential: interval × factor^(tries − 1). linear: interval × int(factor) × (tries − 1),
    which is
    what Kestra 0.20 calls exponential. random: evenly between interval and cap. All but random capped, then jittered.
    """
    longest = policy.cap if policy.cap is not None else policy.interval
    match policy.backoff:
        case Backoff.CONSTANT:
            wait = float(policy.interval)
        case Backoff.EXPONENTIAL:
            wait = policy.interval * policy.factor ** min(tries - 1, 64)
        case Backoff.LINEAR:
            wait = float(policy.interval * int(policy.factor) * (tries - 1))
        case Backoff.RANDOM:
            return policy.interval + int((longest - policy.interval) * chance)
    if policy.cap is not None:
        wait = min(wait, policy.cap)
    return int(wait * (1 - policy.jitter * chance))


def applies(policy: Retry, failure: Failure | None) -> bool:
    """Is a policy about failures of this kind?"""
    if not policy.exit_codes and not policy.kinds:
        return True
    if failure is None:
        return False
    return failure.exit_code in policy.exit_codes or str(failure.kind) in policy.kinds


def _chance(run_id: str, step: Step) -> float:
    digest = hashlib.blake2b(f"{run_id}/{step.key}/{step.attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
