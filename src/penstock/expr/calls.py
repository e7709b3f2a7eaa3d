"""What may an evaluation ask of the outside, and how much may it spend? The clock, functions and limits, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from penstock.errors.expr import ExprLimit


class Calls(msgspec.Struct, frozen=True):
    """What the outside gives to an evaluation: the time, functions that reach out, limits, and the language version.

    A function is called with the arguments as they were written: positional ones in order, named ones by name. With a
    `clock`, in microseconds, an evaluation has `micros` of time besides its fuel; what functions take is not counted.
    """

    now: datetime | None = None
    functions: Mapping[str, Callable[..., object]] = {}
    fuel: int = 1_000_000
    output: int = 10_000_000
    depth: int = 100
    zone: str = "UTC"
    version: str = "1"
    clock: Callable[[], int] | None = None
    micros: int = 1_000_000
    # Texts that come out of a text are rendered again, as a setting of old has it; then there is no `render`.
    recursive: bool = False


PURE = Calls()


class Frame(msgspec.Struct, frozen=True):
    """Where an evaluation stands: the scope, the template's own variables (innermost last), and the fuel left."""

    scope: Mapping[str, object]
    calls: Calls
    layers: tuple[dict[str, object], ...]
    # Shared by all frames of an evaluation: the fuel left, at how much the clock is looked at, and the last moment.
    fuel: list[int]
    depth: int = 0
    # Texts from raw tags, taken out so that rendering again leaves them alone; None when nothing renders again.
    kept: list[str] | None = None


# So much fuel is spent from one look at the clock to the next.
LOOK = 2_000


def tank(calls: Calls) -> list[int]:
    """Give the fuel of a new evaluation."""
    if calls.clock is None:
        return [calls.fuel, 0, 0]
    return [calls.fuel, max(0, calls.fuel - LOOK), calls.clock() + calls.micros]


def spend(frame: Frame, amount: int) -> None:
    """Take fuel for work done; raises ExprLimit when none is left, or no time."""
    fuel = frame.fuel
    fuel[0] -= amount
    if fuel[0] < fuel[1]:
        _look(frame.calls, fuel)


def _look(calls: Calls, fuel: list[int]) -> None:
    if fuel[0] < 0:
        raise ExprLimit(f"The expression takes more than {calls.fuel:,} steps.", hint="Loop over fewer values.")
    if calls.clock is not None and calls.clock() > fuel[2]:
        raise ExprLimit(f"The expression takes more than {calls.micros / 1_000_000:g} s.")
    fuel[1] = max(0, fuel[0] - LOOK)


def fits(size: int, limit: int = PURE.output) -> None:
    """Refuse a text or list that would be larger than the limit, before it is built."""
    if size > limit:
        raise ExprLimit(f"The expression makes more than {limit:,} characters or elements.")


def deeper(frame: Frame) -> Frame:
    """Give the frame of a call one level further down: a macro, or a text rendered within a text."""
    if frame.depth >= frame.calls.depth:
        raise ExprLimit(f"The expression calls itself more than {frame.calls.depth} levels deep.")
    return msgspec.structs.replace(frame, depth=frame.depth + 1)
