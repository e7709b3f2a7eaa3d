"""What has an attempt told so far? Its log, numbers, outputs, saved state and outcome, whichever way it told them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from penstock.errors.work import BadAnswer
from penstock.model.asset import Access, Touched
from penstock.model.event import Ended, Order
from penstock.model.policy import SECOND
from penstock.services.secrets.masks import Masks
from penstock.services.worker.capture import LEVELS, Capture, Source
from penstock.services.worker.channel import read_metric, read_order, read_outcome, read_touched
from penstock.services.worker.ending import Told
from penstock.services.worker.hiding import Outputs, hidden
from penstock.services.worker.logs import Log
from penstock.services.worker.parts import Parts
from penstock.services.worker.shop import Progress, Shop
from penstock.store.chunks import Level, Stream
from penstock.store.queue import Claim

MOST_TOUCHED: Final = 500
LONGEST_NOTE: Final = 300
# Of all statements that are told of, so many characters are kept.
MOST_SQL: Final = 200_000


class Story:
    """One attempt's account; `ask` takes its questions."""

    def __init__(self, shop: Shop, claim: Claim, ask: Callable[[dict[str, object]], None]) -> None:
        self._shop = shop
        self._claim = claim
        self._ask = ask
        self.masks: Masks = shop.known.of(claim.run)
        self._log = Log(claim.run, claim.step, claim.attempt, self.masks)
        self.capture = Capture(lambda piece: shop.logs.put(self._log, piece), self.masks, shop.core.knobs.log_cap)
        self.outputs: dict[str, object] = {}
        self.state: dict[str, object] | None = None
        self.orders: tuple[Order, ...] = ()
        self.touched: dict[tuple[str, str, str, str], Touched] = {}
        self._sql_left = MOST_SQL
        self.told: Told | None = None
        self.snoozed = False
        self._wait: float | None = None
        self.files: list[str] = []
        self.parts = Parts(shop, claim)
        self.out = Source(Stream.OUT)
        self.err = Source(Stream.ERR)

    def say(self, message: str, level: Level = Level.INFO) -> None:
        """Add a sentence of the worker's to the log."""
        self.capture.say(message, self._shop.core.clock.now(), level)

    def hear(self, frame: dict[str, object]) -> None:
        """Take a frame of the channel. BadAnswer when it makes no sense."""
        now = self._shop.core.clock.now()
        match frame.get("t"):
            case "log":
                self._line(frame, now)
            case "metric":
                self._number(frame, now)
            case "output":
                self._values(frame.get("values"))
            case "state":
                value = frame.get("value")
                self.state = value if isinstance(value, dict) else None
            case "progress":
                self._progress(frame)
            case "part":
                self.parts.hear(self.masks.hide_data(frame))
            case "data":
                self._touch(frame)
            case "order":
                self.orders = (*self.orders, read_order(frame))
            case "ask":
                self._ask(frame)
            case "outcome":
                self.told = read_outcome(frame)
            case other:
                raise BadAnswer(f'The process sent a message of a kind "{other}", which does not exist.')

    def hear_line(self, body: dict[str, object]) -> None:
        """Take what a script printed between `::` and `::`: outputs, metrics, parts, logs, progress, `files` to be
        stored (globs), `state` for the next attempt, data that it `reads` and `writes`; that it waits for something
        (`snooze`), with the seconds after which it wants to look again.
        """
        now = self._shop.core.clock.now()
        self._values(body.get("outputs"))
        if isinstance(body.get("state"), dict):
            self.hear({"t": "state", "value": body["state"]})
        if isinstance(progress := body.get("progress"), dict):
            self._progress(progress)
        files = body.get("files")
        self.files += [glob for glob in files if isinstance(glob, str)] if isinstance(files, list) else []
        again = body.get("snooze", False)
        if again is not False:
            self.snoozed, self._wait = True, _seconds(again)
        try:
            for number in _dicts(body.get("metrics")):
                self._number(number, now)
            for part in _dicts(body.get("parts")):
                self.parts.hear(self.masks.hide_data(part))
            for access in Access:
                for data in _dicts(body.get(access)):
                    self._touch({**data, "access": access})
        except BadAnswer as error:
            self.say(error.sentence, Level.WARNING)
        for line in _dicts(body.get("logs")):
            self._line(line, now)

    def again_at(self) -> int | None:
        """When a snoozed attempt wants to be followed by another; its task's interval decides where it said nothing."""
        wait = self.told.wait if self.told is not None else self._wait
        return None if wait is None else self._shop.core.clock.now() + round(max(wait, 0) * SECOND)

    def end(self) -> None:
        """Both streams are closed: keep what is left of them, and tell what was not told of the parts."""
        self.parts.flush()
        now = self._shop.core.clock.now()
        self.capture.end(self.out, now)
        self.capture.end(self.err, now)

    def hidden(self, ended: Ended, made: Outputs) -> tuple[Ended, Outputs]:
        """An attempt's end, with the data that it touched, and its outputs, without secrets, which is said."""
        if self.touched:
            ended = msgspec.structs.replace(ended, touched=tuple(self.touched.values()))
        return hidden(self.masks, ended, made, lambda sentence: self.say(sentence, Level.WARNING))

    def _line(self, frame: dict[str, object], now: int) -> None:
        level = LEVELS.get(str(frame.get("level", "info")).lower(), Level.INFO)
        self.capture.say(str(frame.get("message", "")), now, level, Stream.LOG)

    def _number(self, frame: dict[str, object], now: int) -> None:
        number = read_metric(self._claim.step, self._claim.attempt, self.masks.hide_data(frame), now)
        self._shop.logs.put_number(self._claim.run, number)

    def _values(self, values: object) -> None:
        if isinstance(values, dict):
            self.outputs.update({str(name): value for name, value in values.items()})

    def _touch(self, frame: dict[str, object]) -> None:
        """Keep what was told of data, the last word on each; nothing where nobody wants to know."""
        if not self._shop.core.knobs.lineage:
            return
        made = read_touched(self.masks.hide_data(frame))
        key = (made.access, made.namespace, made.name, made.part)
        if key in self.touched or len(self.touched) < MOST_TOUCHED:
            self._sql_left -= len(made.sql)
            self.touched[key] = made if self._sql_left >= 0 else msgspec.structs.replace(made, sql="")

    def _progress(self, frame: dict[str, object]) -> None:
        done, total = frame.get("done"), frame.get("total")
        self._shop.told(
            Progress(
                self._claim.run,
                self._claim.step,
                done if isinstance(done, int | float) else 0,
                total if isinstance(total, int | float) else None,
                str(frame.get("unit") or ""),
                self.masks.hide_text(str(frame.get("note") or ""))[:LONGEST_NOTE],
            )
        )


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _dicts(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
