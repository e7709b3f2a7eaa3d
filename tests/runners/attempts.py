"""How does a test see a process through to its end? A bench: a reactor, a launcher, and what each process said."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from penstock.clock import SystemClock
from penstock.runners.process.launcher import Child, Exit, Launcher, Order
from penstock.services.worker.reactor import Reactor

ENV = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


class Seen:
    """What a process left: its streams, the frames of its channel, its exit."""

    def __init__(self) -> None:
        self.child: Child
        self.out = b""
        self.err = b""
        self.channel = b""
        self.open = 3
        self.exit: Exit | None = None

    @property
    def ended(self) -> bool:
        """Everything is read and the process is gone."""
        return self.open == 0 and self.exit is not None

    @property
    def frames(self) -> list[dict[str, object]]:
        """The frames of the channel, decoded."""
        found, rest = [], self.channel
        while rest:
            size = int.from_bytes(rest[:4], "big")
            found.append(msgspec.json.decode(rest[4 : 4 + size]))
            rest = rest[4 + size :]
        return found


class Bench:
    """A reactor and a launcher; closes both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.reactor = Reactor(self.clock)
        self.launcher = Launcher(self.reactor, f"test/{os.getpid()}")
        self.open: dict[int, Callable[[], None]] = {}

    def close(self) -> None:
        """End what still runs and let go of everything."""
        self.launcher.close()
        for close in list(self.open.values()):
            close()
        self.reactor.close()

    def start(self, mode: str, **more: object) -> Seen:
        """Start a process and collect what it says."""
        env = more.pop("env", ENV)
        interpreter = more.pop("interpreter", sys.executable)
        preimports = more.pop("preimports", ())
        body = {"mode": mode, "cwd": str(self.folder), "limits": {}, "path": "task.py"} | more
        order = msgspec.convert({"interpreter": interpreter, "env": env, "body": body, "preimports": preimports}, Order)
        seen = Seen()
        seen.child = child = self.launcher.launch(order, lambda ended: setattr(seen, "exit", ended))
        self._collect(seen, child.stdout, "out")
        self._collect(seen, child.stderr, "err")
        self._collect(seen, child.channel.fileno(), "channel")
        return seen

    def run(self, mode: str, **more: object) -> Seen:
        """See one process through."""
        seen = self.start(mode, **more)
        self.until(lambda: seen.ended)
        return seen

    def until(self, so: Callable[[], bool]) -> None:
        """Turn until something is so; half a minute at most."""
        late = [False]
        timer = self.reactor.after(30_000_000, lambda: late.__setitem__(0, True))
        while not so():
            self.reactor.turn()
            assert not late[0], "it took too long"
        timer.cancel()

    def _collect(self, seen: Seen, descriptor: int, name: str) -> None:
        def ready() -> None:
            try:
                data = os.read(descriptor, 1 << 16)
            except ConnectionResetError:
                data = b""
            if data:
                setattr(seen, name, getattr(seen, name) + data)
                return
            self.reactor.forget(descriptor)
            self.open.pop(descriptor)()
            seen.open -= 1

        self.open[descriptor] = seen.child.channel.close if name == "channel" else lambda: os.close(descriptor)
        self.reactor.watch(descriptor, ready)
