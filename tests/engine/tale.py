"""How does a run go when nothing but the engine decides? A sheet that keeps what a store would, and nothing more."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from penstock.engine import Decision, Loaded, NotLoaded, advance, keep
from penstock.engine.replay import untouched
from penstock.model.effect import VALUES_CHUNK, Announce, Effect, Forget, KeepValues, Produce, SetTimer, Tell
from penstock.model.event import Due, Ended, Event, Timer
from penstock.model.flow import Flow
from penstock.model.ids import run_id
from penstock.model.plan import plan
from penstock.model.policy import SECOND
from penstock.model.run import Run, Step
from penstock.model.status import Outcome, RunStatus

BEGAN = 1_700_000_000 * SECOND


class Tale:
    """One run: its steps, outputs, loop values, timers and clock; opens on a flow, closes with the test."""

    def __init__(self, flow: Flow, inputs: dict[str, object] | None = None, **changes: object) -> None:
        self.plan = plan(flow)
        self.now = BEGAN
        fresh = Run(
            id=run_id(BEGAN // 1000, bytes(10)),
            namespace=flow.namespace,
            flow=flow.id,
            revision=1,
            status=RunStatus.QUEUED,
            created_at=BEGAN,
            inputs=inputs or {},
        )
        self.run: Run = replace(fresh, **changes)
        self.steps: dict[str, Step] = {}
        self.outputs: dict[str, dict[str, object]] = {}
        self.values: dict[tuple[str, int], list[object]] = {}
        self.timers: dict[tuple[str, int, Timer], int] = {}
        self.said: list[Event] = []

    def tell(self, event: Event, made: dict[str, object] | None = None) -> Decision:
        """Let something happen, and whatever the run then tells itself; gives everything that was decided."""
        effects: list[Effect] = []
        steps: dict[str, Step] = {}
        waiting: list[Event] = [event]
        while waiting:
            each = waiting.pop(0)
            if made is not None and isinstance(each, Ended) and each.outcome is Outcome.DONE:
                self.outputs[each.step] = made
            decision = self.decide(each)
            self.said.append(each)
            self.take(decision)
            effects += decision.effects
            steps |= {step.key: step for step in decision.steps}
            waiting += [effect.event for effect in decision.effects if isinstance(effect, Tell)]
        return Decision(self.run, tuple(steps.values()), tuple(effects))

    def decide(self, event: Event) -> Decision:
        """Ask the engine, with no more loaded than it asks for."""
        loaded = Loaded(self.plan, self.run)
        return self.with_parts(loaded, lambda: advance(loaded, event, self.now))

    def with_parts(self, loaded: Loaded, ask: Callable[[], Decision]) -> Decision:
        """Ask until everything that is needed has been looked up."""
        for _ in range(1000):
            try:
                return ask()
            except NotLoaded as need:
                self.look_up(loaded, need)
        raise AssertionError("the engine asks for ever")

    def look_up(self, loaded: Loaded, need: NotLoaded) -> None:
        """Give a decision the parts that it lacks; what does not exist is looked up, too."""
        loaded.steps.update({key: self.steps.get(key) for key in need.steps})
        loaded.outputs.update({key: self.outputs.get(key) for key in need.outputs})
        if need.values is not None:
            loaded.values[need.values] = self.values[need.values]
        for step in self.steps.values():
            if need.every or step.node in need.nodes or (need.open_steps and step.status.open):
                loaded.steps.setdefault(step.key, step)
        loaded.nodes |= need.nodes
        loaded.every |= need.every
        loaded.open_steps |= need.open_steps

    def take(self, decision: Decision) -> None:
        """Keep what was decided, as a commit does."""
        self.run = replace(decision.run, version=self.run.version + 1)
        self.steps.update({step.key: step for step in decision.steps})
        for effect in decision.effects:
            match effect:
                case Produce(step, _, outputs):
                    self.outputs[step] = outputs
                case KeepValues(step, values):
                    for start in range(0, len(values), VALUES_CHUNK):
                        self.values[step, start // VALUES_CHUNK] = list(values[start : start + VALUES_CHUNK])
                case SetTimer(step, attempt, timer, at):
                    self.timers[step, attempt, timer] = at
                case Forget(iteration):
                    self.forget(iteration)
                case _:
                    pass
        if self.run.status.ended:
            self.timers.clear()

    def forget(self, iteration: str) -> None:
        """Drop the rows of an iteration, and the outputs of what lies in it."""
        for kept in (self.steps, self.outputs):
            for key in [key for key in kept if key == iteration or key.startswith(f"{iteration}/")]:
                del kept[key]

    def wait(self, micros: int) -> Decision:
        """Let time pass; what falls due on the way rings in its order."""
        until = self.now + micros
        effects: list[Effect] = []
        while due := sorted((at, key) for key, at in self.timers.items() if at <= until):
            at, key = due[0]
            del self.timers[key]
            self.now = max(self.now, at)
            effects += self.tell(Due(*key)).effects
        self.now = until
        return Decision(self.run, (), tuple(effects))

    def replayed(self, from_step: str, inputs: dict[str, object]) -> tuple[Tale, Decision]:
        """Another tale: of a new run like this one, from one of its steps on."""
        fresh = replace(untouched(self.run), id=run_id(self.now // 1000, b"\1" * 10), created_at=self.now)
        fresh = replace(fresh, inputs=fresh.inputs | inputs)
        old = Loaded(self.plan, self.run)
        decision = self.with_parts(old, lambda: self._begun_from(old, fresh, from_step))
        told = Tale(self.plan.flow)
        told.plan, told.now, told.run = self.plan, self.now, decision.run
        kept = {step.key for step in decision.steps}
        told.outputs = {key: found for key, found in self.outputs.items() if key in kept}
        told.values = dict(self.values)
        told.take(decision)
        for effect in decision.effects:
            if isinstance(effect, Tell):
                told.tell(effect.event)
        return told, decision

    def _begun_from(self, old: Loaded, fresh: Run, from_step: str) -> Decision:
        event, loaded = keep(old, fresh, from_step, "operator")
        return advance(loaded, event, self.now)

    def scope_of_everything(self) -> Loaded:
        """The run as an expression sees it when all of it is loaded."""
        outputs = {key: self.outputs.get(key) for key in [*self.plan.seats, *self.steps]}
        return Loaded(self.plan, self.run, dict(self.steps), outputs, values=dict(self.values), every=True)


def news(decision: Decision) -> list[Effect]:
    """The effects of a decision without the run's own statuses, which its history tells."""
    return [effect for effect in decision.effects if not isinstance(effect, Announce)]
