"""What does the engine answer? The new run, the steps that changed, and what the world must do."""

from __future__ import annotations

import msgspec

from penstock.engine.rule import Noted
from penstock.model.effect import Effect
from penstock.model.run import Failure, Run, Step


class Decision(msgspec.Struct, frozen=True):
    """`steps` holds each changed step once, in its newest form; an empty decision changes nothing.

    `fault` says why the engine broke down where the run had to be given up; `rules` by which rule of what something
    was decided, in that order.
    """

    run: Run
    steps: tuple[Step, ...] = ()
    effects: tuple[Effect, ...] = ()
    fault: Failure | None = None
    rules: tuple[Noted, ...] = ()
