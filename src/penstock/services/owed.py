"""What must stand in the store beside a run, by what was decided so far? Work, timers and words not yet answered."""

from __future__ import annotations

from penstock.model.effect import AskLimit, KeepValues, Ready, SetTimer, Tell, Work
from penstock.model.event import Admitted, Due, Ended, Evaluated, Event, Held, Refused, Timer, about, kind
from penstock.services.refold import Folded

Attempt = tuple[str, int]


class Owed:
    """The open accounts of a run; opens empty, takes each event with its decision.

    `work` are attempts that were made ready and are not answered, `asked` those that wait for a limit (the run: the
    empty step and 0), `timers` what is to ring, `words` what the run told
    itself and has not heard yet (kind, step, attempt), `values` the loops whose values are kept, with their number.
    """

    def __init__(self) -> None:
        self.work: dict[Attempt, Work] = {}
        self.asked: set[Attempt] = set()
        self.timers: dict[tuple[str, int, Timer], int] = {}
        self.words: set[tuple[str, str, int]] = set()
        self.values: dict[str, int] = {}

    def take(self, folded: Folded) -> None:
        """Close what an event answers, and open what was decided upon it."""
        if not folded.told.accepted:
            return
        self._close(folded.told.event)
        if folded.decision is None:
            return
        for effect in folded.decision.effects:
            match effect:
                case Ready(step, attempt, work):
                    self.work[step, attempt] = work
                case AskLimit():
                    self.asked.add((effect.step, effect.attempt))
                case SetTimer(step, attempt, timer, at):
                    self.timers[step, attempt, timer] = at
                case Tell(event):
                    self.words.add((kind(event), *about(event)))
                case KeepValues(step, values):
                    self.values[step] = len(values)
                case _:
                    pass
        if folded.decision.run.status.ended:
            self.timers.clear()

    def _close(self, event: Event) -> None:
        match event:
            case Ended(step=step, attempt=attempt) | Evaluated(step=step, attempt=attempt) | Held(step, attempt):
                self.work.pop((step, attempt), None)
                self.asked.discard((step, attempt))
            case Admitted() | Refused():
                self.asked.discard(about(event))
            case Due(step, attempt, timer):
                self.timers.pop((step, attempt, timer), None)
            case _:
                self.words.discard((kind(event), *about(event)))
