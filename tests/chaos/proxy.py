"""What if the way to PostgreSQL is bad? A proxy that cuts connections at COMMIT, delays, and swallows without closing.

It reads the protocol as far as that takes: messages, and which of them executes a COMMIT. Connections must come without
TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
import threading
from collections import Counter
from typing import Final

import msgspec
from psycopg.conninfo import conninfo_to_dict

HOST: Final = "127.0.0.1"
COMPLETE, READY, ERROR = b"C", b"Z", b"E"
CUT_BEFORE, CUT_AFTER = "cut before COMMIT", "cut after COMMIT"
LOST_BEFORE, LOST_AFTER = "silent before COMMIT", "silent after COMMIT"
CUT, LOST, DELAYED = "cut anywhere", "silent anywhere", "delayed"


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """How often something happens: at each COMMIT of a transaction that writes, at any message, as a part of 1."""

    cut_before: float = 0.02
    cut_after: float = 0.03
    lost_before: float = 0.003
    lost_after: float = 0.003
    cut: float = 0.0003
    lost: float = 0.00003
    delayed: float = 0.004
    longest_delay: float = 0.15


class Proxy:
    """Opens with `start` in a thread of its own, closes with every connection that goes through it."""

    def __init__(self, dsn: str, faults: Faults, chance: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.faults = faults
        self.chance = chance
        self.calm = False
        self._target = conninfo_to_dict(dsn)
        self._port = 0
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    @property
    def dsn(self) -> str:
        """The address by which one goes through it."""
        self._started.wait(10)
        named = {name: self._target[name] for name in ("user", "password", "dbname")}
        query = "sslmode=disable&gssencmode=disable"
        return f"postgresql://{named['user']}:{named['password']}@{HOST}:{self._port}/{named['dbname']}?{query}"

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        assert self._started.wait(10), "the proxy listens"

    def close(self) -> None:
        """Stop listening and cut what is left."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def strikes(self, *fates: tuple[str, float]) -> str:
        """Draw which of these happens now, if any, and count it."""
        if not self.calm:
            drawn = self.chance.random()
            for name, share in fates:
                if drawn < share:
                    self.counts[name] += 1
                    return name
                drawn -= share
        return ""

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, HOST, 0))
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far = await asyncio.open_connection(HOST, int(str(self._target["port"])))
        except OSError:
            writer.transport.abort()
            return
        passage = Passage(self, (reader, writer), far)
        pumps = [asyncio.ensure_future(passage.there()), asyncio.ensure_future(passage.back())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            writer.transport.abort()
            far[1].transport.abort()


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Passage:
    """One connection through the proxy, with what it has been told to execute."""

    def __init__(self, proxy: Proxy, near: Stream, far: Stream) -> None:
        self._proxy = proxy
        self._near = near
        self._far = far
        self._texts: dict[bytes, bytes] = {}
        self._portals: dict[bytes, bytes] = {}
        self._reads_only = False
        self._silent = False
        self._fate = ""
        self._answered = False

    async def there(self) -> None:
        """Carry what the client says, until something is cut."""
        reader, writer, faults = self._near[0], self._far[1], self._proxy.faults
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            length = await reader.readexactly(4)
            writer.write(length + await reader.readexactly(struct.unpack(">i", length)[0] - 4))
            while True:
                kind, message, body = await _message(reader)
                if self._silent:
                    continue
                if self._commits(kind, body):
                    fate = self._proxy.strikes(
                        (CUT_BEFORE, faults.cut_before), (CUT_AFTER, faults.cut_after),
                        (LOST_BEFORE, faults.lost_before), (LOST_AFTER, faults.lost_after),
                    )  # fmt: skip
                    self._fate = fate if fate in (CUT_AFTER, LOST_AFTER) else ""
                else:
                    fate = self._proxy.strikes((CUT, faults.cut), (LOST, faults.lost), (DELAYED, faults.delayed))
                if fate in (CUT, CUT_BEFORE):
                    return
                if fate in (LOST, LOST_BEFORE):
                    self._silent = True
                    continue
                if fate == DELAYED:
                    await asyncio.sleep(self._proxy.chance.uniform(0, faults.longest_delay))
                writer.write(message)
                await writer.drain()

    async def back(self) -> None:
        """Carry what the server answers, until something is cut."""
        reader, writer = self._far[0], self._near[1]
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                kind, message, body = await _message(reader)
                if self._fate:
                    # The answer to the COMMIT stays here, whatever it is; the one to its preparation may come before.
                    self._answered = self._answered or kind == ERROR or (kind == COMPLETE and body[:6] == b"COMMIT")
                    if self._answered and kind == READY:
                        if self._fate == CUT_AFTER:
                            return
                        self._silent, self._fate = True, ""
                elif not self._silent:
                    writer.write(message)
                    await writer.drain()

    def _commits(self, kind: bytes, body: bytes) -> bool:
        """Whether a message executes a COMMIT of a transaction that may have written."""
        text = self._executed(kind, body)
        if text.startswith(b"BEGIN"):
            self._reads_only = text.endswith(b"READ ONLY")
        return text == b"COMMIT" and not self._reads_only

    def _executed(self, kind: bytes, body: bytes) -> bytes:
        match kind:
            case b"Q":
                return body.rstrip(b"\0")
            case b"P":
                name, text = body.split(b"\0", 2)[:2]
                self._texts[name] = text if text.startswith((b"BEGIN", b"COMMIT")) else b""
            case b"B":
                portal, name = body.split(b"\0", 2)[:2]
                self._portals[portal] = self._texts.get(name, b"")
            case b"E":
                return self._portals.get(body.split(b"\0", 1)[0], b"")
            case _:
                pass
        return b""


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes, bytes]:
    """The next message: its kind, the whole of it, what stands in it."""
    head = await reader.readexactly(5)
    body = await reader.readexactly(struct.unpack(">i", head[1:])[0] - 4)
    return head[:1], head + body, body
