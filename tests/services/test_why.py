"""Is told what a run waits for, and to whom one has to turn?"""

from __future__ import annotations

import pytest

from penstock.errors.run import UnknownStep
from penstock.model.inputs import Input
from penstock.model.node import Dag, Need, Node, Pause, PauseEnd, Sequence, Until
from penstock.model.policy import SECOND
from penstock.model.status import Outcome
from penstock.services.why import why
from tests.services.office import Office
from tests.services.test_operate import pushed, task

HOUR = 3600 * SECOND
ASKED = (Input(id="n", type="INT"), Input(id="m", type="INT", required=False))


def told(office: Office, run_id: str, step: str = "") -> list[str]:
    """The sentences about a run."""
    return [one.sentence for one in why(office.core, office.run(run_id), step)]


@pytest.mark.parametrize(
    ("pause", "sentence"),
    [
        (Pause(id="p"), '"p" waits for somebody to resume it.'),
        (
            Pause(id="p", inputs=ASKED, resumers=("ann", "bob")),
            '"p" waits for ann or bob to resume it with n (INT).',
        ),
        (Pause(id="p", delay=26 * HOUR), '"p" waits for somebody to resume it; in 26 h 0 min it goes on without.'),
        (
            Pause(id="p", delay=90 * SECOND, at_end=PauseEnd.FAIL),
            '"p" waits for somebody to resume it; in 2 min it fails without.',
        ),
        (
            Pause(id="p", delay=9 * SECOND, at_end=PauseEnd.CANCEL),
            '"p" waits for somebody to resume it; in 9.0 s it is cancelled without.',
        ),
    ],
)
def test_a_pause_says_who_may_end_it_with_what_and_what_comes_without_them(
    office: Office, pause: Pause, sentence: str
) -> None:
    run_id = office.start(pushed(office, pause))

    assert told(office, run_id) == [sentence]


def test_the_groups_around_are_told_of_only_when_asked_for(office: Office) -> None:
    deep: Node = Dag(id="d", nodes=(Sequence(id="s", nodes=(Pause(id="p"),)), task("q")), needs={"q": Need(on=("s",))})
    run_id = office.start(pushed(office, deep))

    every, one, later = told(office, run_id), told(office, run_id, "d"), told(office, run_id, "q")

    assert every == ['"p" waits for somebody to resume it.']
    assert one == ['"d" goes on with what lies in it.']
    assert later == ['"q" in the tasks of "d" has not begun: s comes first.']


def test_a_loop_between_two_iterations_says_when_it_goes_on(office: Office) -> None:
    run_id = office.start(
        pushed(office, Until(id="u", condition="{{ false }}", nodes=(task("a"),), interval=5 * SECOND))
    )
    office.work({"u[0]/a": Outcome.DONE}, most=1)

    assert told(office, run_id) == ['"u" is gone through again in 5.0 s.']


def test_a_step_that_there_is_not_is_told_with_the_nearest_one(office: Office) -> None:
    run_id = office.start(pushed(office, Pause(id="approve")))

    with pytest.raises(UnknownStep) as refused:
        told(office, run_id, "aprove")

    assert refused.value.hint == 'Did you mean "approve"?'
