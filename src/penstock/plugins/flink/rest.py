"""How is Flink asked by HTTP, and what does it mean when it does not answer?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from penstock.plugins.flink.waiting import Waiting
from penstock.plugins.http.client import Sending, read_all, sent
from penstock.sdk.context import Level
from penstock.sdk.task import TaskFailed

LARGEST: Final = 64 * 1024 * 1024
ROOT: Final = "Caused by: "
SOONEST, LATEST = 0.2, 2.0
LONGEST: Final = 2_000
PLACE: Final = re.compile(r"\bline (\d+), column (\d+)")
CAUSES: Final = ("org.apache.flink.", "org.apache.calcite.", "java.")


class Refused(TaskFailed):
    """Flink answered, and said no; `status` is HTTP's, `told` all that it said."""

    def __init__(self, message: str, status: int, told: str) -> None:
        super().__init__(message)
        self.status, self.told = status, told


class Silent(TaskFailed):
    """Nobody answers at the address, for as long as was waited."""


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """One of Flink's servers: its address, what it is called, how long an answer may take, in seconds.

    `patience` is for how long it may be away before that is a failure; a server that is started again takes a while.
    """

    address: str
    called: str
    timeout: float = 30.0
    patience: float = 60.0
    headers: Mapping[str, str] = {}

    def get(self, path: str, waiting: Waiting, **query: object) -> Any:
        """Ask; raises Refused and Silent."""
        asked = f"?{urlencode({name: str(value) for name, value in query.items()})}" if query else ""
        return self._patiently(waiting, lambda: self._call("GET", f"{path}{asked}", None))

    def say(self, path: str, waiting: Waiting, body: object = None, method: str = "POST") -> Any:
        """Tell it something; again only while nobody is there to hear it. Raises Refused and Silent."""
        return self._patiently(waiting, lambda: self._call(method, path, body))

    def _call(self, method: str, path: str, body: object) -> Any:
        sending = Sending(
            method=method,
            uri=f"{self.address.rstrip('/')}{path}",
            headers={"Accept": "application/json", "Content-Type": "application/json", **self.headers},
            body=None if body is None else msgspec.json.encode(body),
            connect_timeout=min(self.timeout, 10.0),
            read_timeout=self.timeout,
            called=f"{self.called} at {self.address}",
        )
        with sent(sending) as reply:
            content = read_all(reply, LARGEST)
            if reply.code >= 400:
                told = _told(content)
                raise Refused(f"{self.called}: {cause(told)}", reply.code, told)
        return msgspec.json.decode(content) if content.strip() else None

    def _patiently(self, waiting: Waiting, work: Callable[[], Any]) -> Any:
        until, pause, said = time.monotonic() + self.patience, SOONEST, False
        while True:
            try:
                return work()
            except Refused as refused:
                # a JobManager that begins says so
                if refused.status != 503 or time.monotonic() > until:
                    raise
            except TaskFailed as failed:
                if not isinstance(failed.__cause__, OSError) or _heard(failed.__cause__):
                    raise
                if time.monotonic() > until:
                    raise Silent(failed.sentence) from failed.__cause__
                if not said:
                    waiting.context.log(f"{failed.sentence} Waiting for it, {self.patience:.0f} s at most.", Level.WARN)
                    said = True
            waiting.pause(pause)
            pause = min(pause * 1.5, LATEST)


def _heard(error: BaseException) -> bool:
    """Whether it may have been heard although no answer came: then it must not be said again."""
    reason = getattr(error, "reason", error)
    return not isinstance(reason, ConnectionRefusedError)


def _told(content: bytes) -> str:
    try:
        body = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return content.decode("utf-8", "replace")
    errors = body.get("errors") if isinstance(body, dict) else None
    return "\n".join(str(each) for each in errors) if isinstance(errors, list) else str(body)


def cause(told: str) -> str:
    """The deepest cause in what a server of Java's told, without its stack, and with the place that one above it says.

    Calcite, which reads Flink's SQL, tells the place in one exception and what is wrong there in the next.
    """
    causes = _causes(told)
    if not causes:
        text = [line for line in told.splitlines() if line.strip() and not line.strip().startswith("at ")]
        return " ".join(text)[:LONGEST] or "no reason given"
    deepest = causes[-1]
    placed = next((match for each in reversed(causes) if (match := PLACE.search(each))), None)
    if placed is None or PLACE.search(deepest):
        return deepest[:LONGEST]
    return f"{deepest[:LONGEST]} (line {placed[1]}, column {placed[2]})"


def _causes(told: str) -> list[str]:
    """What each exception says after `Caused by`, over as many lines as it takes."""
    found: list[str] = []
    within = False
    for line in told.splitlines():
        text = line.strip()
        if text.startswith(ROOT):
            found.append(_unnamed(text.removeprefix(ROOT)))
            within = True
        elif not text or text.startswith(("at ", "...")):
            within = False
        elif within:
            found[-1] += f" {text}"
    return found


def _unnamed(text: str) -> str:
    """A sentence without the name of the class that says it."""
    name, sign, rest = text.partition(": ")
    return rest if sign and name.startswith(CAUSES) and " " not in name else text
