"""What has every server of the lakehouse in common? It is launched, answers after a while, ends with us, has a log."""

from __future__ import annotations

import signal
import subprocess
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from projects.servers.child import ServerFailed, kill, listens, spawn, stop, tail

# Serial collection and one compiler: small servers start sooner and hold less than with the defaults.
SMALL = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
LOG4J = """rootLogger.level=INFO
rootLogger.appenderRef.console.ref=Console
appender.console.type=Console
appender.console.name=Console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} - %m%n
"""


class Service(ABC):
    """One server, that ends with this process; its data stays in its folder."""

    name: ClassVar[str]
    # Who must answer before it is launched.
    after: tuple[str, ...] = ()
    # Seconds in which it must answer.
    patience: ClassVar[float] = 120.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder / self.name
        self.log = folder / "logs" / f"{self.name}.log"

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it is found."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """Its process; 0 where it has none."""

    @abstractmethod
    def launch(self) -> None:
        """Start it, unless it runs; call it from a thread that lives as long as the server should."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it does its work already; quick, and never raises."""

    @abstractmethod
    def stop(self) -> None:
        """Ask it to end, and see that it does; safe to call twice."""

    @abstractmethod
    def crash(self) -> None:
        """Kill it, as a power cut would."""

    def ended(self) -> ServerFailed:
        """What is said of it when it has ended by itself."""
        return ServerFailed(f"{self.name} has ended by itself.\n{tail(self.log)}")

    def silent(self) -> ServerFailed:
        """What is said of it when it does not answer in time."""
        return ServerFailed(f"{self.name} did not answer within {self.patience:.0f} s.\n{tail(self.log)}")


class Child(Service):
    """A server that is one process of ours."""

    # The port on which it must not meet somebody else; 0 for none.
    port: int = 0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What is run; writes the settings that this needs."""

    def env(self) -> Mapping[str, str] | None:
        """Its environment; None for ours."""
        return None

    def launch(self) -> None:
        """Start its process."""
        if self.pid:
            return
        if self.port and listens(self.port):
            raise taken(self.name, self.port)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._process = spawn(self.command(), log=self.log, env=self.env(), folder=self.folder)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def stop(self) -> None:
        """Ask its process to end; what has not ended after 15 s is killed."""
        process, self._process = self._process, None
        if process is not None:
            stop(process, signal.SIGTERM)

    def crash(self) -> None:
        """Kill its process."""
        process, self._process = self._process, None
        if process is not None:
            kill(process)


def taken(name: str, port: int) -> ServerFailed:
    """What is said where somebody else is on a server's port."""
    return ServerFailed(f"{name} cannot start: another program answers on port {port}.")


def answered(services: Iterable[Service]) -> None:
    """Wait until all of these answer that were launched; raises ServerFailed."""
    for each in services:
        until = time.monotonic() + each.patience
        while not each.answers():
            if not each.pid:
                raise each.ended()
            if time.monotonic() > until:
                raise each.silent()
            time.sleep(0.05)


def answers_http(address: str) -> bool:
    """Whether a server answers there with success."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(200 <= answer.status < 300)
    except (urllib.error.URLError, OSError, ValueError):
        return False
