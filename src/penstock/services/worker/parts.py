"""How do the parts that an attempt tells of become steps? Gathered for a moment, then told to its run as one event."""

from __future__ import annotations

from typing import Final

from penstock.errors.store import StoreError
from penstock.errors.work import BadAnswer
from penstock.model.event import Part, Reported
from penstock.model.policy import MILLISECOND
from penstock.model.status import StepStatus
from penstock.services import reports
from penstock.services.worker.reactor import Timer
from penstock.services.worker.shop import Shop
from penstock.store.queue import Claim

GATHER: Final = 200 * MILLISECOND
MOST: Final = 500
STATUSES: Final = {
    StepStatus.RUNNING,
    StepStatus.SUCCESS,
    StepStatus.WARNING,
    StepStatus.FAILED,
    StepStatus.SKIPPED,
    StepStatus.CANCELLED,
}
LONGEST_NAME: Final = 500


class Parts:
    """The parts of one attempt; `flush` tells what is not told yet."""

    def __init__(self, shop: Shop, claim: Claim) -> None:
        self._shop = shop
        self._claim = claim
        self._known: dict[str, Part] = {}
        self._news: dict[str, Part] = {}
        self._number = 0
        self._timer: Timer | None = None

    def hear(self, frame: dict[str, object]) -> None:
        """Take what a process says of one part. BadAnswer when it makes no sense."""
        part = self._read(frame)
        self._known[part.name] = self._news[part.name] = part
        if len(self._news) >= MOST:
            self.flush()
        elif self._timer is None:
            self._timer = self._shop.reactor.after(GATHER, self.flush)

    def flush(self) -> None:
        """Tell the run what is new; while the store is away it is kept for the next time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._news:
            return
        claim = self._claim
        event = Reported(claim.step, claim.attempt, self._number + 1, tuple(self._news.values()), claim.fence)
        try:
            reports.parts(self._shop.core, claim, event)
        except StoreError:
            self._timer = self._shop.reactor.after(5 * GATHER, self.flush)
            return
        self._number += 1
        self._news.clear()

    def _read(self, frame: dict[str, object]) -> Part:
        name, word = str(frame.get("name") or ""), str(frame.get("status") or "")
        if not name or len(name) > LONGEST_NAME or word not in set(STATUSES):
            raise BadAnswer(f'The process told of a part "{name[:80]}" that is "{word}", which makes no sense.')
        status = StepStatus(word)
        known = self._known.get(name)
        started = _micros(frame.get("started_at")) or (known.started_at if known else None)
        ended = _micros(frame.get("ended_at"))
        now = self._shop.core.clock.now()
        return Part(
            name=name,
            status=status,
            started_at=started if started is not None else now,
            ended_at=None if status.open else ended if ended is not None else now,
            message=str(frame.get("message") or ""),
        )


def _micros(seconds: object) -> int | None:
    return round(seconds * 1_000_000) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None
