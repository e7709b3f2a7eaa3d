"""What may happen to a run in whichever order? Attempts that are held, timers that ring, words late and doubled."""

from __future__ import annotations

from copy import deepcopy

import msgspec
from hypothesis import strategies as st

from penstock.engine import Decision, NotLoaded, advance
from penstock.model.effect import AskLimit, Effect, Ready, StartChild, Withdraw, Work
from penstock.model.event import Admitted, Begin, ChildEnded, Due, Ended, Evaluated, Event, Kill, Restart
from penstock.model.flow import Flow
from penstock.model.plan import FINALLY
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure, Run, Step
from penstock.model.status import Outcome, RunStatus, StepStatus
from tests.engine import rules
from tests.engine.tale import Tale

OUTCOMES = [Outcome.DONE] * 6 + [Outcome.FAILED] * 3 + [Outcome.LOST, Outcome.SNOOZED, Outcome.WARNING, Outcome.SKIPPED]
SETTLED = (RunStatus.SUCCESS, RunStatus.WARNING, RunStatus.FAILED)
ENDS_OF_CHILDREN = (*SETTLED, RunStatus.SUCCESS, RunStatus.KILLED, RunStatus.CANCELLED)
VALUES = {"runIf": "true", "condition": "", "value": "a", "values": ["v", "w"], "o": "out"}
NAMES = {"namespace": "tests", "flow": "other", "inputs": {}, "labels": {}}
OPERATED = (Restart, Admitted)


class Chance:
    """A run driven by draws: what is open in the world, what was said, and what had ended."""

    def __init__(self, flow: Flow, data: st.DataObject) -> None:
        self.tale = Tale(flow)
        self.data = data
        self.held: dict[tuple[str, int], Work] = {}
        self.children: dict[tuple[str, int], StartChild] = {}
        self.waits = False
        self.said: list[Event] = []

    def happen(self) -> None:
        """Let one thing happen that may happen now, or that has happened before."""
        able = ["time"] + ["again"] * bool(self.said)
        able += ["end"] * 4 * bool(self.held) + ["child"] * 2 * bool(self.children) + ["admit"] * self.waits
        what = self.data.draw(
            st.sampled_from([*able, "kill", "restart"] if self.data.draw(st.integers(0, 9)) == 9 else able)
        )
        match what:
            case "time":
                self.pass_time(self.data.draw(st.integers(1, 15)) * SECOND)
            case "again":
                self.tell(self.data.draw(st.sampled_from(self.said)))
            case "end":
                self.end(self.data.draw(st.sampled_from(sorted(self.held))), self.data.draw(st.sampled_from(OUTCOMES)))
            case "child":
                key = self.data.draw(st.sampled_from(sorted(self.children)))
                self.child(
                    key, self.data.draw(st.sampled_from([RunStatus.SUCCESS, *sorted(SETTLED), RunStatus.CANCELLED]))
                )
            case "admit":
                self.waits = False
                self.tell(Admitted("tests.chance"))
            case "kill":
                self.tell(Kill("chance", self.data.draw(st.booleans())))
            case _:
                self.tell(Restart("chance"))

    def drain(self) -> None:
        """Let everything that is under way end well, until nothing is."""
        for _ in range(3000):
            if self.held:
                self.end(min(self.held), Outcome.DONE)
            elif self.children:
                self.child(min(self.children), RunStatus.SUCCESS)
            elif self.waits:
                self.waits = False
                self.tell(Admitted("tests.chance"))
            elif self.tale.timers:
                self.pass_time(SECOND)
            else:
                return
        raise AssertionError("the run goes on for ever")

    def end(self, key: tuple[str, int], outcome: Outcome) -> None:
        """End an attempt that a worker holds."""
        work, (step, attempt) = self.held.pop(key), key
        failure = Failure(ErrorKind.TASK, "chance") if outcome is Outcome.FAILED else None
        if work is Work.EVALUATE and outcome is not Outcome.LOST:
            values: dict[str, object] = {
                "runIf": "true",
                "condition": "",
                "value": "a",
                "values": ["v", "w"],
                "o": "out",
            }
            values |= {"namespace": "tests", "flow": "other", "inputs": {}, "labels": {}}
            self.tell(Evaluated(step, attempt, values, failure))
        else:
            until = self.tale.now + SECOND if outcome is Outcome.SNOOZED else None
            self.tell(Ended(step=step, attempt=attempt, outcome=outcome, failure=failure, until=until))

    def child(self, key: tuple[str, int], status: RunStatus) -> None:
        """End a child run, or have one exist that nobody waits for."""
        asked, (step, attempt) = self.children.pop(key), key
        self.tell(ChildEnded(step, attempt, asked.id, status if asked.parent.wait else RunStatus.QUEUED))

    def pass_time(self, micros: int) -> None:
        """Let timers ring, in any order."""
        self.tale.now += micros
        due = sorted(key for key, at in self.tale.timers.items() if at <= self.tale.now)
        for step, attempt, timer in self.data.draw(st.permutations(due)) if due else []:
            if self.tale.timers.pop((step, attempt, timer), None) is not None:
                self.tell(Due(step, attempt, timer))

    def tell(self, event: Event) -> None:
        """Decide twice, from all that is known and from no more than is asked for; then check what must hold."""
        before, was = dict(self.tale.steps), self.tale.run
        whole = decided_with_everything(self.tale, event)
        decision = self.tale.decide(event)
        assert same(whole, decision), f"what is loaded changes what is decided upon {event}"
        decision = self.tale.tell(event)
        self.said.append(event)
        for effect in decision.effects:
            self.act(effect)
        self.check(event, was, before)

    def act(self, effect: Effect) -> None:
        """Do what a worker and a store would."""
        match effect:
            case Ready(step, attempt, work):
                assert (step, attempt) not in self.held, f"{step} {attempt} is ready twice"
                self.held[step, attempt] = work
            case Withdraw(steps):
                for step, attempt in [key for key in self.held if key[0] in steps]:
                    if self.data.draw(st.booleans()):
                        continue  # a worker has it, and will say some time what came of it
                    del self.held[step, attempt]
                    self.tell(Ended(step=step, attempt=attempt, outcome=Outcome.KILLED))
            case StartChild(parent=parent):
                self.children[parent.step, parent.attempt] = effect
            case AskLimit():
                self.waits = True
            case _:
                pass

    def check(self, event: Event, was: Run, before: dict[str, Step]) -> None:
        """Whatever happened, these hold."""
        tale = self.tale
        rules.hold(tale)
        if not isinstance(event, OPERATED):
            assert not was.status.ended or tale.run.status is was.status, f"{event} moved a run that was {was.status}"
            for key, step in before.items():
                now = tale.steps[key]
                assert not step.status.ended or (now.status, now.attempt) == (step.status, step.attempt), (
                    f"{event}: {key}"
                )
        for key, step in tale.steps.items():
            assert step.attempt >= (before[key].attempt if key in before else 0)
            policy = rules.policy(tale, step)
            most = policy.max_attempts if policy and policy.max_attempts else 1
            assert step.group is not None or step.tries <= most, f"{key} was tried {step.tries} times of {most}"
            assert step.status is not StepStatus.PAUSED
        for asked in self.held:
            row = tale.steps.get(asked[0])
            assert not asked[0] or (row is not None and row.attempt >= asked[1])
        back = msgspec.json.decode(msgspec.json.encode(tale.run), type=Run)
        assert back == tale.run
        if tale.run.status in SETTLED and not was.status.ended:
            self.finally_ran()

    def finally_ran(self) -> None:
        """A run that was not killed did everything of its finally, and the errors only after a failure."""
        tale = self.tale
        began = bool(tale.run.root.counts)
        for node in tale.plan.children("", FINALLY) if began else ():
            assert tale.steps[node.id].status.ended, f"{node.id} never ran"


def decided_with_everything(tale: Tale, event: Event) -> Decision:
    """What the engine decides when all of the run lies before it, and the event happens twice to the same."""
    loaded = tale.scope_of_everything()
    again = deepcopy(loaded)
    try:
        first, second = advance(loaded, event, tale.now), advance(again, event, tale.now)
    except NotLoaded as need:
        raise AssertionError(f"everything is not enough: {need.__dict__}") from need
    assert first == second, "the same question had two answers"
    assert loaded.steps == again.steps and loaded.run == again.run
    return first


def same(one: Decision, other: Decision) -> bool:
    """Are two decisions one, but for the order of what has none?"""
    return (
        one.run == other.run
        and {step.key: step for step in one.steps} == {step.key: step for step in other.steps}
        and sorted(map(_plain, one.effects)) == sorted(map(_plain, other.effects))
    )


def _plain(effect: Effect) -> str:
    if isinstance(effect, Withdraw):
        effect = Withdraw(tuple(sorted(effect.steps)), effect.force)
    return repr(effect)


def begin(chance: Chance) -> None:
    """Begin the run."""
    chance.tell(Begin(by="chance"))
