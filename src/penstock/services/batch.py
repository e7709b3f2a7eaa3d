"""What do several events of one run come to in one transaction? A sheet of everything that must be written together."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from penstock.engine import Decision, Loaded
from penstock.model.effect import Effect, Forget, Produce, Ready, StartChild, TellParent
from penstock.model.event import Begin, Ended, Event, Fault
from penstock.model.run import Attempt, Run, Step
from penstock.services.core import Core
from penstock.services.reading import absorb
from penstock.store.queue import Fronts


class Recorded(msgspec.Struct, frozen=True):
    """An event as history keeps it: when it was said, by which worker under which fence (0: none)."""

    event: Event
    at: int
    worker: str = ""
    fence: int = 0


class Product(msgspec.Struct, frozen=True):
    """Outputs on their way to a row: their JSON, or the address of the blob that holds it."""

    run: str
    step: str
    attempt: int
    body: bytes
    uri: str = ""


class ChildStart(msgspec.Struct, frozen=True):
    """A child run that is to be inserted, and how it begins; or the reason why it cannot be."""

    asked: StartChild
    run: Run | None
    problem: str = ""
    begin: Begin = Begin()


class Batch:
    """Everything that the transaction will write; opens on a loaded run, closes with its commit.

    `expected` is the version that the run must still have; None for a run that does not exist yet. `before` is the run
    as it was at that version.
    """

    def __init__(self, loaded: Loaded, *, new: bool = False) -> None:
        self.loaded = loaded
        self.before = loaded.run
        self.expected: int | None = None if new else loaded.run.version
        self.events: list[Recorded] = []
        self.steps: dict[str, Step] = {}
        self.effects: list[Effect] = []
        self.attempts: list[Attempt] = []
        self.products: list[Product] = []
        self.children: list[ChildStart] = []
        self.folded: list[int] = []
        self.fronts: Fronts = {}

    def take(self, recorded: Recorded, decision: Decision, outputs: dict[str, object] | None = None) -> None:
        """Add an event with what was decided upon it, and the outputs that came with it."""
        event = recorded.event
        self.events.append(recorded)
        if decision.fault is not None:
            self.events.append(Recorded(Fault(decision.fault), recorded.at))
        if isinstance(event, Ended):
            step = self.loaded.steps.get(event.step)
            self.attempts.append(attempt_of(event, step))
            if outputs is not None:
                self.loaded.outputs[event.step] = outputs
            if step is not None and step.attempt > event.attempt:
                self.loaded.outputs.pop(event.step, None)  # it came late: a newer attempt's may count more
        absorb(self.loaded, decision)
        self.steps.update((step.key, step) for step in decision.steps)
        for effect in decision.effects:
            if isinstance(effect, Produce):
                self.loaded.outputs[effect.step] = effect.outputs
            elif isinstance(effect, Forget):
                self._forget(effect.iteration)
        self.effects.extend(decision.effects)

    def _forget(self, iteration: str) -> None:
        """Neither write nor remember what is not kept."""
        inside = f"{iteration}/"
        for key in [key for key in self.steps if key == iteration or key.startswith(inside)]:
            del self.steps[key]
        self.loaded.forget(iteration)

    def ready(self) -> list[Ready]:
        """The attempts that this batch would make claimable."""
        return [effect for effect in self.effects if isinstance(effect, Ready)]

    def consume(self, ready: Ready) -> None:
        """An attempt was done within this batch, so it need not become claimable."""
        self.effects.remove(ready)

    def committed(self) -> Run:
        """The run as the store has it once this batch is written."""
        return replace(self.loaded.run, version=0 if self.expected is None else self.expected + 1)

    def stow(self, core: Core) -> None:
        """Put what is too large for a row into blobs, before the transaction; said twice it is the same blob."""
        run_id, self.fronts = self.loaded.run.id, core.fronts
        for effect in self.effects:
            match effect:
                case Produce(step, attempt, outputs):
                    self.products.append(product(core, run_id, step, attempt, outputs))
                case TellParent(parent=parent, outputs=outputs):
                    self.products.append(product(core, parent.run, parent.step, parent.attempt, outputs))
                case _:
                    pass


def product(core: Core, run_id: str, step: str, attempt: int, outputs: dict[str, object]) -> Product:
    """Outputs ready to be written: into the row, or into a blob first when they are larger than a row may be."""
    body = msgspec.json.encode(outputs)
    if len(body) <= core.knobs.row_limit:
        return Product(run_id, step, attempt, body)
    return Product(run_id, step, attempt, b"", core.blobs.put(f"runs/{run_id}/{step}/{attempt}/outputs.json", body))


def attempt_of(event: Ended, step: Step | None) -> Attempt:
    """An attempt as history keeps it, from its end and its step as that stood before."""
    return Attempt(
        step=event.step,
        number=event.attempt,
        outcome=event.outcome,
        worker=event.worker,
        queued_at=step.queued_at if step and step.attempt == event.attempt else None,
        started_at=event.started_at,
        ended_at=event.ended_at,
        failure=event.failure,
        state=event.state,
    )
