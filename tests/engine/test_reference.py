"""Do the engine and a slow, obvious evaluator agree on what becomes of every step of random trees?"""

from __future__ import annotations

import random

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from penstock.model import ids
from penstock.model.effect import Ready, StartChild, Work
from penstock.model.event import Begin, ChildEnded, Due, Ended, Evaluated, Event, Kill, Mark, Restart, Resume
from penstock.model.node import If, Task
from penstock.model.run import Phase
from penstock.model.status import Outcome, RunStatus, StepStatus
from tests.engine import rules
from tests.engine.outlines import Story, stories
from tests.engine.reference import YES, Reference, turn
from tests.engine.tale import Tale

BAD = ("failed", "killed", "cancelled")
WORDS = {"success": Outcome.DONE} | {str(outcome): outcome for outcome in Outcome}
slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)


class Driver:
    """A run whose attempts come to what the story says; whatever fails comes last, else in any order."""

    def __init__(self, story: Story, seed: int) -> None:
        self.story = story
        self.tale = Tale(story.flow)
        self.held: dict[tuple[str, int], Ready | StartChild] = {}
        self._rng = random.Random(seed)

    def outcome(self, key: str, attempt: int) -> str:
        """What this attempt comes to."""
        words = self.story.words[ids.node_of(key)]
        return words[(turn(key) + attempt) % len(words)]

    def met(self, key: str) -> int:
        """After how many iterations the condition of a loop until is true."""
        return self.story.met[ids.node_of(key)] + turn(key) % 2

    def tell(self, told: Event) -> None:
        """Let something happen, and keep what is to be done."""
        for effect in self.tale.tell(told).effects:
            match effect:
                case Ready(step, attempt):
                    self.held[step, attempt] = effect
                case StartChild(parent=parent):
                    self.held[parent.step, parent.attempt] = effect
                case _:
                    pass
        rules.hold(self.tale)

    def go_on(self) -> bool:
        """Let one more thing happen; is there any?"""
        calm = sorted(key for key, asked in self.held.items() if not self._is_bad(key, asked))
        paused = sorted(s.key for s in self.tale.steps.values() if s.status is StepStatus.PAUSED and not s.due_at)
        if calm:
            self.tell(self._end(self._rng.choice(calm)))
        elif paused:
            self.tell(Resume("somebody", paused[0], self.tale.steps[paused[0]].attempt))
        elif self.tale.timers:
            at, key = min((at, key) for key, at in self.tale.timers.items())
            del self.tale.timers[key]
            self.tale.now = max(self.tale.now, at)
            self.tell(Due(*key))
        elif self.held:
            self.tell(self._end(self._rng.choice(sorted(self.held))))
        else:
            return False
        return True

    def kill(self) -> None:
        """Kill the run, and end whatever it had under way as killed."""
        going = sorted(self.held)
        self.tell(Kill("somebody"))
        self._rng.shuffle(going)
        for step, attempt in going:
            asked = self.held.pop((step, attempt))
            if isinstance(asked, StartChild):
                self.tell(ChildEnded(step, attempt, asked.id, RunStatus.KILLED))
            else:
                self.tell(Ended(step=step, attempt=attempt, outcome=Outcome.KILLED))

    def _is_bad(self, key: tuple[str, int], asked: Ready | StartChild) -> bool:
        if isinstance(asked, Ready) and asked.work is not Work.TASK:
            return False
        return self.outcome(*key) in BAD

    def _end(self, key: tuple[str, int]) -> Event:
        (step, attempt), asked = key, self.held.pop(key)
        if isinstance(asked, StartChild):
            return ChildEnded(step, attempt, asked.id, RunStatus(self.outcome(*key)))
        if asked.work is Work.EVALUATE:
            return Evaluated(step, attempt, self._values(step))
        if asked.work is not Work.TASK:
            return Ended(step=step, attempt=attempt, outcome=Outcome.DONE, worker="w")
        until = self.tale.now + 1 if self.outcome(*key) == "snoozed" else None
        return Ended(step=step, attempt=attempt, outcome=WORDS[self.outcome(*key)], until=until)

    def _values(self, key: str) -> dict[str, object]:
        node = self.tale.plan.node(ids.node_of(key))
        match node:
            case Task():
                return {"runIf": node.run_if == YES}
            case If():
                return {"condition": node.condition == YES}
            case _:
                group = self.tale.steps[key].group
                assert group is not None
                return {"condition": group.next >= self.met(key)}


def statuses(tale: Tale) -> dict[str, str]:
    """How every step has ended, of those that have begun."""
    return {key: str(step.status) for key, step in tale.steps.items() if step.status is not StepStatus.WAITING}


def agree(driver: Driver, reference: Reference) -> None:
    """The run has become what the reference says."""
    flow = driver.story.flow
    result = reference.run(flow.body, flow.after, flow.retry)
    found = statuses(driver.tale)
    differing = {key: (found.get(key), reference.found.get(key)) for key in {*found, *reference.found}}
    differing = {key: both for key, both in differing.items() if both[0] != both[1]}
    assert not differing, f"found, expected: {differing}"
    assert str(driver.tale.run.status) == result
    assert driver.tale.run.open == 0


@slow
@given(stories(), st.integers(0, 2**20))
def test_the_engine_and_the_reference_agree_on_every_step(story: Story, seed: int) -> None:
    for around, kind in story.pairs:
        event(f"{kind} in {around}")
    driver = Driver(story, seed)
    for each in story.skips:
        driver.tell(Mark("somebody", StepStatus.SKIPPED, each))

    driver.tell(Begin())
    while driver.go_on():
        pass

    agree(driver, Reference(driver.outcome, driver.met, story.skips))


@slow
@given(stories(), st.lists(st.integers(0, 40), max_size=2), st.integers(0, 2**20))
def test_killed_anywhere_and_restarted_a_run_still_becomes_what_the_reference_says(
    story: Story, kills: list[int], seed: int
) -> None:
    driver = Driver(story, seed)
    driver.tell(Begin())
    for steps in kills:
        for _ in range(steps):
            driver.go_on()
        kill_and_look(driver)
        restart(driver)
    while driver.go_on():
        pass

    for _ in range(2):
        before, attempts = statuses(driver.tale), {key: step.attempt for key, step in driver.tale.steps.items()}
        if not restart(driver):
            return
        while driver.go_on():
            pass
        agree(driver, Reference(driver.outcome, driver.met, (), before, attempts))


def restart(driver: Driver) -> bool:
    """Restart what has not succeeded; was there anything to restart?"""
    if driver.tale.run.status is RunStatus.SUCCESS:
        return False
    driver.tell(Restart("somebody"))
    return True


def kill_and_look(driver: Driver) -> None:
    """What had ended stays, what was open is killed, and nothing begins but what comes after the end."""
    tale = driver.tale
    if tale.run.status.ended:
        return
    before, verdict = dict(tale.steps), tale.run.root.verdict
    late = tale.run.root.phase is Phase.AFTER
    driver.kill()
    while driver.go_on():
        pass
    assert str(tale.run.status) == (str(verdict) if late else "killed")
    for key, step in tale.steps.items():
        was = before.get(key)
        if was is None or was.status is StepStatus.WAITING:
            assert step.status is StepStatus.WAITING or (tale.plan.is_after(key) and not late), f"{key} has begun"
        elif was.status.ended:
            assert step.status is was.status, f"{key} was {was.status} and is {step.status}"
        elif not tale.plan.is_after(key) or late:
            assert step.status is StepStatus.KILLED, f"{key} is {step.status}"
