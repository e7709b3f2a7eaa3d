"""Do the claims, reports, kills and rescues of an attempt agree, whichever statement comes first?"""

from __future__ import annotations

from collections import Counter

from penstock.errors.run import NothingToRestart
from penstock.model.event import Ended
from penstock.model.status import Outcome
from penstock.services import runs, sweep
from penstock.services.core import Core
from penstock.store import events
from tests.interleaving.stage import Stage, again, answer, follow, take


def test_claim_and_kill(stage: Stage) -> None:
    run = stage.start(stage.push(["one", "two"]))
    stage.worker("a")

    def check(a: object, b: object) -> None:
        assert all(claim.killing for claim in stage.held(run)), "a claim in flight was missed by the kill"

    orders = stage.explore(lambda core: take(core, "a"), lambda core: runs.kill(core, run, "operator"), check)

    assert orders >= 42


def test_claim_and_claim(stage: Stage) -> None:
    run = stage.start(stage.push([{"parallel p": ["t1..t3"]}]))
    stage.worker("a")
    stage.worker("b")

    def check(a: object, b: object) -> None:
        assert isinstance(a, list) and isinstance(b, list)
        taken = Counter(claim.step for claim in (*a, *b))
        assert all(count == 1 for count in taken.values()), taken
        assert sorted(taken) == sorted(claim.step for claim in stage.held(run))
        assert not stage.waited, "a claim passes by what another one is just taking"
        assert stage.cut or len(taken) == 3, "what nobody was taking was left lying"

    orders = stage.explore(lambda core: take(core, "a", 2), lambda core: take(core, "b", 2), check)

    assert orders >= 21


def test_report_and_kill(stage: Stage) -> None:
    run = stage.start(stage.push(["one", "two"]))
    (claim,) = stage.claim(stage.worker("a"))

    orders = stage.explore(lambda core: answer(core, claim), lambda core: runs.kill(core, run, "operator"))

    assert orders >= 107


def test_report_and_rescue(stage: Stage) -> None:
    run = stage.start(stage.push(["one", "two"]))
    (claim,) = stage.claim(stage.worker("a", alive=False))

    def check(a: object, b: object) -> None:
        told = [each for each in stage.store.read(lambda tx: events.every(tx, run)) if each.accepted]
        ends = [each for each in told if isinstance(each.event, Ended) and each.event.step == "one"]
        assert len(ends) <= 1

    orders = stage.explore(lambda core: answer(core, claim), rescue, check)

    assert orders >= 48


def test_a_report_said_twice_at_once(stage: Stage) -> None:
    stage.start(stage.push(["one", "two"]))
    (claim,) = stage.claim(stage.worker("a"))

    def check(a: object, b: object) -> None:
        assert (a, b) == (True, True), "what was accepted is not refused when it is said again"

    orders = stage.explore(lambda core: answer(core, claim), lambda core: answer(core, claim), check)

    assert orders >= 32


def test_rescue_and_rescue(stage: Stage) -> None:
    stage.start(stage.push([{"parallel p": ["t1..t2"]}]))
    stage.claim(stage.worker("a", alive=False), room=2)

    orders = stage.explore(rescue, rescue)

    assert orders >= 95


def test_restart_and_a_report_that_comes_late(stage: Stage) -> None:
    run = stage.start(stage.push([{"parallel p": ["t1..t2"]}]))
    first, late = stage.claim(stage.worker("a"), room=2)
    answer(stage.core, first, Outcome.FAILED)
    assert stage.run(run).status.ended

    def check(a: object, b: object) -> None:
        assert a is True, "an attempt whose run has ended may still say how it went"

    orders = stage.explore(lambda core: answer(core, late), lambda core: restart(core, run), check)

    assert orders >= 23


def rescue(core: Core) -> None:
    """Do as a sweep does with the dead."""
    follow(core, *again(lambda: sweep.rescue(core)))


def restart(core: Core, run: str) -> None:
    """Restart a run if it can be, just now."""
    try:
        runs.restart(core, run, "operator")
    except NothingToRestart:
        return
