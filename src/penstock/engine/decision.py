"""What does the engine answer? The new run, the steps that changed, and what the world must do."""

from __future__ import annotations

import msgspec

from penstock.model.effect import Effect
from penstock.model.run import Run, Step


class Decision(msgspec.Struct, frozen=True):
    """`steps` holds each changed step once, in its newest form; an empty decision changes nothing."""

    run: Run
    steps: tuple[Step, ...] = ()
    effects: tuple[Effect, ...] = ()
