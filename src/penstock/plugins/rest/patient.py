"""How is a server asked in JSON, and waited for while it is started again?"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from penstock.errors.task import AnswerRefused, NoAnswer
from penstock.plugins.http.client import Sending, read_all, sent
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Level
from penstock.sdk.task import TaskFailed

LARGEST: Final = 64 * 1024 * 1024
SOONEST, LATEST = 0.2, 2.0
# Begins, or is too busy: both say so.
NOT_NOW: Final = 503


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """A server: its address, what it is called, how long an answer may take, in seconds, and what it means by a no.

    `patience` is for how long it may be away before that is a failure; a server that is started again takes a while.
    """

    address: str
    called: str
    cause: Callable[[str], str]
    timeout: float = 30.0
    patience: float = 60.0
    headers: Mapping[str, str] = {}

    def get(self, path: str, waiting: Waiting, **query: object) -> Any:
        """Ask; raises AnswerRefused and NoAnswer."""
        asked = f"?{urlencode({name: str(value) for name, value in query.items()})}" if query else ""
        return self._patiently(waiting, lambda: self._call("GET", f"{path}{asked}", None), again=True)

    def say(
        self, path: str, waiting: Waiting, body: object = None, method: str = "POST", *, again: bool = False
    ) -> Any:
        """Tell it something; again only while nobody is there to hear it, or where saying it twice is as saying it
        once (`again`). Raises AnswerRefused and NoAnswer.
        """
        return self._patiently(waiting, lambda: self._call(method, path, body), again=again)

    def _call(self, method: str, path: str, body: object) -> Any:
        sending = Sending(
            method=method,
            uri=f"{self.address.rstrip('/')}{path}",
            headers={"Accept": "application/json", "Content-Type": "application/json", **self.headers},
            body=None if body is None else msgspec.json.encode(body),
            connect_timeout=min(self.timeout, 10.0),
            read_timeout=self.timeout,
            called=self._named,
        )
        with sent(sending) as reply:
            content = read_all(reply, LARGEST)
            if reply.code >= 400:
                told = content.decode("utf-8", "replace")
                # one that begins is named as one that is away
                who = self._named if reply.code == NOT_NOW else self.called
                raise AnswerRefused(f"{who}: {self.cause(told)}", reply.code, told)
        return msgspec.json.decode(content) if content.strip() else None

    def _patiently(self, waiting: Waiting, work: Callable[[], Any], *, again: bool) -> Any:
        began, pause, said = time.monotonic(), SOONEST, False
        while True:
            try:
                done = work()
                if said:
                    waiting.context.log(f"{self._named} answers again, after {time.monotonic() - began:.0f} s.")
                return done
            except AnswerRefused as refused:
                if refused.status != NOT_NOW or time.monotonic() - began > self.patience:
                    raise
            except TaskFailed as failed:
                if not _away(failed.__cause__, again=again):
                    raise
                if time.monotonic() - began > self.patience:
                    sentence = f"{failed.sentence} Nobody has answered there for {time.monotonic() - began:.0f} s."
                    raise NoAnswer(sentence) from failed.__cause__
                if not said:
                    waiting.context.log(
                        f"{failed.sentence} Waiting for it, {self.patience:.0f} s at most.", Level.WARN
                    )  # fmt: skip
                    said = True
            waiting.pause(pause)
            pause = min(pause * 1.5, LATEST)

    @property
    def _named(self) -> str:
        return f"{self.called} at {self.address}"


def _away(error: BaseException | None, *, again: bool) -> bool:
    """Whether nobody was there to hear it; what may have been heard is said again only where that does no harm."""
    if again:
        return isinstance(error, OSError | http.client.HTTPException)
    return isinstance(getattr(error, "reason", error), ConnectionRefusedError | socket.gaierror)
