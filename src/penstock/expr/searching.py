"""How long may a search for a pattern take? Each has its limits of length and time, and many of them cost fuel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from penstock.errors.expr import ExprFailed, ExprLimit
from penstock.expr.calls import Frame, spend

if TYPE_CHECKING:
    import regex as engine

SECONDS = 0.5
# What a search may take is bounded by time alone, so that there may not be many in one expression.
FUEL = 50
LONGEST = 2_000
T = TypeVar("T")


def searched(frame: Frame, pattern: str, work: Callable[[engine.Pattern[str]], T]) -> T:
    """Compile a pattern and use it; raises ExprFailed for what is no pattern, ExprLimit for what takes too long."""
    import regex as engine

    spend(frame, FUEL)
    if len(pattern) > LONGEST:
        raise ExprLimit(f"A pattern has {LONGEST:,} characters at most.")
    try:
        return work(engine.compile(pattern))
    except TimeoutError:
        raise ExprLimit(f"The pattern takes more than {SECONDS:g} s.", hint="Nested repetitions are slow.") from None
    except (engine.error, OverflowError, RecursionError, MemoryError) as error:
        raise ExprFailed(f"This is no pattern: {error}.") from None
