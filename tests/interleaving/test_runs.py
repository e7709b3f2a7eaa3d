"""Do two who fold one run, its parent and its child, its timers and its end agree, whichever statement comes first?"""

from __future__ import annotations

from penstock.errors.run import NothingToRestart, UnknownRun
from penstock.model.policy import SECOND
from penstock.model.status import Outcome
from penstock.services import runs, sweep
from penstock.services.core import Core
from penstock.store import prune
from tests.interleaving.stage import Stage, again, answer, follow, remember


def test_fold_and_fold(stage: Stage) -> None:
    run = stage.start(stage.push([{"parallel p": ["t1..t2"]}, "after"]))
    for claim in stage.claim(stage.worker("a"), room=2):
        stage.leave(claim)

    orders = stage.explore(lambda core: follow(core, run), lambda core: follow(core, run), ready=remember(run))

    assert orders >= 47


def test_report_and_fold(stage: Stage) -> None:
    run = stage.start(stage.push([{"parallel p": ["t1..t2"]}, "after"]))
    first, second = stage.claim(stage.worker("a"), room=2)
    stage.leave(first)

    orders = stage.explore(lambda core: answer(core, second), lambda core: follow(core, run), ready=remember(run))

    assert orders >= 97


def test_two_reports_of_one_run(stage: Stage) -> None:
    run = stage.start(stage.push([{"parallel p": ["t1..t2"]}, "after"]))
    first, second = stage.claim(stage.worker("a"), room=2)

    orders = stage.explore(
        lambda core: answer(core, first), lambda core: answer(core, second, Outcome.FAILED), ready=remember(run)
    )

    assert orders >= 73


def test_child_ends_and_parent_is_killed(stage: Stage) -> None:
    stage.push(["low"], "low")
    run = stage.start(stage.push([{"subflow sub": {"flow": "low"}}]))
    (claim,) = stage.claim(stage.worker("a"))

    orders = stage.explore(
        lambda core: answer(core, claim), lambda core: runs.kill(core, run, "operator"), switches=1, switches_with_cut=0
    )

    assert claim.run != run
    assert orders >= 32


def test_timer_rings_and_report(stage: Stage) -> None:
    stage.start(stage.push([{"one": {"deadline": "5s"}}, "two"]))
    (claim,) = stage.claim(stage.worker("a"))
    stage.clock.advance(6 * SECOND)

    orders = stage.explore(lambda core: answer(core, claim), ring)

    assert orders >= 85


def test_prune_and_fold(stage: Stage) -> None:
    run = stage.start(stage.push([{"parallel p": ["t1..t2"]}]))
    first, late = stage.claim(stage.worker("a"), room=2)
    answer(stage.core, first, Outcome.FAILED)
    stage.leave(late)

    def check(a: object, b: object) -> None:
        if not stage.every_run():
            assert not stage.steps(run), "the run is gone, its steps are not"

    orders = stage.explore(lambda core: follow(core, run), forget, check)

    assert orders >= 48


def test_prune_and_restart(stage: Stage) -> None:
    run = stage.start(stage.push(["one"]))
    (claim,) = stage.claim(stage.worker("a"))
    answer(stage.core, claim, Outcome.FAILED)

    def check(a: object, b: object) -> None:
        if not stage.every_run():
            assert not stage.steps(run), "the run is gone, its steps are not"
            assert not stage.claim("calm"), "the run is gone, its attempts are not"

    orders = stage.explore(lambda core: restart(core, run), forget, check)

    assert orders >= 87


def ring(core: Core) -> None:
    """Do as a sweep does with what is due."""
    follow(core, *again(lambda: sweep.ring(core)))


def forget(core: Core) -> None:
    """Remove what ended before this instant."""
    again(lambda: core.store.write(lambda tx: prune.prune_runs(tx, core.clock.now() + 1)))


def restart(core: Core, run: str) -> None:
    """Restart a run if it can be, just now."""
    try:
        runs.restart(core, run, "operator")
    except (NothingToRestart, UnknownRun):
        return
