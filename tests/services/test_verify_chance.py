"""Is every run what its events make it, whatever flow chance writes and whatever people and tasks do to it?"""

from __future__ import annotations

import random
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.errors import PenstockError
from penstock.model.effect import Work
from penstock.model.flow import Flow
from penstock.model.status import Outcome
from penstock.services import apply, flows, operate, runs
from penstock.store import kv
from penstock.store.port import Tx
from tests.engine import outline, trees
from tests.services.office import Office

MOST = 40
OUTCOMES = [{"n": 1}, {"n": 2}, {"n": 1}, *Outcome]
DOINGS = [*["work"] * 8, "wait", "wait", "kill", "restart", "restart", "replay", "pause", "resume", "mark", "skip"]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(trees.flows(), st.integers(0, 2**32))
def test_a_flow_of_chance_is_verified_after_whatever_was_done_to_it(flow: Flow, seed: int) -> None:
    chance = random.Random(seed)
    office = Office()
    for name, value in (("x", "a"), ("list", "[1, 2]"), ("which", "other"), ("o", "made")):
        office.store.write(partial(known_value, name, value))
    flows.push(office.core, replace(outline.flow(["child"]), id="other"), "other", "other")
    plan = flows.push(office.core, flow, "chance", "chance")
    known = [office.start(plan)]
    for _ in range(chance.randint(1, MOST)):
        doing = chance.choice(DOINGS)
        run_id = chance.choice(known)
        match doing:
            case "work":
                work(office, chance)
            case "wait":
                office.wait(chance.randint(1, 30))
            case _:
                known += meddle(office, doing, run_id, chance)

    office.close()  # which verifies every run, those of subflows too


def known_value(name: str, value: str, tx: Tx) -> object:
    """Keep a value that expressions look up."""
    return kv.set_value(tx, "tests", name, value, now=1)


def work(office: Office, chance: random.Random) -> None:
    """Let a worker do one thing."""
    for held in office.claim():
        if held.work is Work.EVALUATE:
            apply.report_evaluated(office.core, held, office.evaluated(held))
        else:
            office.end(held, chance.choice(OUTCOMES))


def meddle(office: Office, doing: str, run_id: str, chance: random.Random) -> list[str]:
    """Let an operator do something to a run, if that can be done just now; gives the run that it began."""
    step = chance.choice(["", *sorted(office.steps(run_id))])
    try:
        match doing:
            case "pause":
                operate.pause(office.core, run_id, "me")
            case "resume":
                operate.resume(office.core, run_id, "me", step=step)
            case "mark":
                operate.mark(office.core, run_id, "me", chance.choice(operate.MARKS), step=step)
            case "skip":
                operate.skip(office.core, run_id, "me", chance.choice([step, *office.plan_of(run_id).seats]))
            case "kill":
                runs.kill(office.core, run_id, "me")
            case "restart":
                runs.restart(office.core, run_id, "me")
            case _:
                return [runs.replay(office.core, run_id, "me", from_step=step)]
    except PenstockError:
        pass  # nothing to restart, no such step
    return []
