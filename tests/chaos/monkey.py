"""What happens to processes and servers while runs go? Kills, stops, restarts, drawn from a seed, each counted."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from projects.servers import PostgresServer
from tests.chaos.herd import Herd, send
from tests.chaos.servers import Servers

# Seconds that something stands still: mostly a moment, now and then longer than a lease.
STALLS: Final = ((0.02, 1.0), (4.5, 6.5))
LONG_STALL: Final = 0.25


class Monkey:
    """Makes trouble at each `turn`, and lets everything be whole again by `calm`.

    In the thread that started the server: its death is tied to that thread's.
    """

    def __init__(
        self, herd: Herd, servers: Servers, server: PostgresServer | None, chance: random.Random, pause: float
    ) -> None:
        self.faults: Counter[str] = Counter()
        self._herd = herd
        self._servers = servers
        self._server = server
        self._chance = chance
        self._pause = pause
        self._stopped: dict[int, float] = {}
        self._strike_at = time.monotonic() + pause
        self._acts: dict[str, tuple[float, Callable[[], bool]]] = {
            "worker killed": (4, herd.kill),
            "worker asked to stop": (2, herd.ask_to_leave),
            "worker stopped": (3, self._stall_worker),
            "zygote killed": (1.5, lambda: self._kill_below(zygotes=True)),
            "child killed": (3, lambda: self._kill_below(zygotes=False)),
            "zygote or child stopped": (1.5, self._stall_below),
            "penstock serve killed": (2, servers.kill),
            "penstock serve stopped": (2, self._stall_server),
        }
        if server is not None:
            self._acts["server stopped fast"] = (0.4, lambda: self._restart(server, server.close))
            self._acts["server stopped at once"] = (0.4, lambda: self._restart(server, server.abort))
            self._acts["server killed"] = (0.4, lambda: self._restart(server, server.crash))

    def turn(self) -> None:
        """Let go on what stood still long enough, start what is missing, and strike when it is time to."""
        self._go_on()
        self._herd.tend()
        self._servers.tend()
        if time.monotonic() >= self._strike_at:
            name = self._chance.choices(list(self._acts), [weight for weight, _ in self._acts.values()])[0]
            if self._acts[name][1]():
                self.faults[name] += 1
            self._strike_at = time.monotonic() + self._chance.expovariate(1 / self._pause)

    def calm(self) -> None:
        """Let everything go on that stands still, and every worker that was killed have its successor."""
        self._go_on(everything=True)
        self._herd.whole()

    def _go_on(self, *, everything: bool = False) -> None:
        for pid, at in list(self._stopped.items()):
            if everything or time.monotonic() >= at:
                del self._stopped[pid]
                send(pid, signal.SIGCONT)

    def _stall(self, pid: int) -> bool:
        # One at a time stands still for long: with nobody at work there is nothing to be found.
        alone = all(at < time.monotonic() + STALLS[0][1] for at in self._stopped.values())
        least, most = STALLS[alone and self._chance.random() < LONG_STALL]
        self._stopped[pid] = time.monotonic() + self._chance.uniform(least, most)
        send(pid, signal.SIGSTOP)
        return True

    def _stall_worker(self) -> bool:
        return self._stall_one(self._herd.pids)

    def _stall_server(self) -> bool:
        return self._stall_one(self._servers.pids)

    def _stall_one(self, pids: list[int]) -> bool:
        standing = [pid for pid in pids if pid not in self._stopped]
        return bool(standing) and self._stall(self._chance.choice(standing))

    def _stall_below(self) -> bool:
        below = (*self._herd.zygotes(), *self._herd.children())
        found = [pid for pid in below if pid not in self._stopped]
        return bool(found) and self._stall(self._chance.choice(found))

    def _kill_below(self, *, zygotes: bool) -> bool:
        found = self._herd.zygotes() if zygotes else self._herd.children()
        if found:
            send(self._chance.choice(found), signal.SIGKILL)
        return bool(found)

    def _restart(self, server: PostgresServer, stop: Callable[[], None]) -> bool:
        stop()
        # Now and then it is away for longer than a moment.
        time.sleep(self._chance.choice((0.0, 0.0, 0.3, 1.5)))
        server.start()
        return True
