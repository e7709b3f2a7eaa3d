"""Who holds the servers while nobody sits in front of them? A process of its own: when it goes, they go with it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from projects.lakehouse.services.jars import SETS, fetched
from projects.lakehouse.services.stack import Say, Stack
from projects.servers import ServerFailed

LOOKS_EVERY: Final = 0.5
READY: Final = "ready"
SECRET: Final = ("AWS_SECRET_ACCESS_KEY", "ICEBERG_JDBC_PASSWORD", "ICEBERG_DATABASE_URL", "GOLD_DATABASE_URL")


class Holder:
    """The process that holds a stack, seen from outside: its files lie in the stack's folder."""

    def __init__(self, folder: Path, env_file: Path) -> None:
        self.folder, self.env_file = folder, env_file
        self.log = folder / "logs" / "holder.log"
        self._pid = folder / "holder.pid"
        self.told = folder / "pids.json"
        self.env = folder / "env"
        # what no log may show; the project's settings name this file
        self.secrets = folder / "secrets"

    @property
    def pid(self) -> int:
        """Its process; 0 where there is none. A number that another process has by now is not taken for it."""
        with contextlib.suppress(OSError, ValueError):
            number, born = self._pid.read_text().split()
            if _born(int(number)) == born:
                return int(number)
        return 0

    def up(self, say: Say, mend: bool = True) -> None:
        """Start it, unless it runs, and wait until all servers answer; raises ServerFailed."""
        if self.pid:
            say(f"The servers run already (process {self.pid}).")
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")
        with self.log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "projects.lakehouse.services", "hold", *([] if mend else ["--no-mend"])],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        shown = 0
        while True:
            lines = self.log.read_text().splitlines()
            for line in lines[shown:]:
                if line == READY:
                    return
                say(line)
            shown = len(lines)
            if process.poll() is not None:
                raise ServerFailed("The servers could not be started; see above.")
            time.sleep(LOOKS_EVERY / 5)

    def environment(self) -> dict[str, str]:
        """The environment of a program that is to find the servers: ours, and what they are; raises ServerFailed."""
        if not self.pid or not self.env.exists():
            raise ServerFailed("No server runs: make -C projects/lakehouse up")
        words = shlex.split(self.env.read_text())
        return os.environ | dict(word.split("=", 1) for word in words if "=" in word)

    def down(self, seconds: float = 60.0) -> bool:
        """Ask it to stop all servers, and wait; whether there was anything to stop."""
        pid = self.pid
        if not pid:
            return False
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + seconds
        while self.pid:
            if time.monotonic() > until:
                raise ServerFailed(f"Process {pid} has not stopped its servers within {seconds:.0f} s.")
            time.sleep(LOOKS_EVERY / 5)
        return True

    def hold(self, mend: bool = True) -> None:
        """Be it: fetch what is lacking, start the servers, start again who ends, and stop all when asked to."""
        asked = threading.Event()
        _when_asked(lambda *_: sys.exit(0))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._pid.write_text(f"{os.getpid()} {_born(os.getpid())}")
        made: Stack | None = None
        try:
            for name in SETS:
                fetched(name, _say)
            made = Stack(self.folder, self.env_file)
            made.start(_say)
            _when_asked(lambda *_: asked.set())
            self._tell(made)
            _say(READY)
            while not asked.wait(LOOKS_EVERY):
                if mend and made.mend(_say):
                    self._tell(made)
        except ServerFailed as failed:
            _say(str(failed))
            raise SystemExit(1) from None
        finally:
            _when_asked(signal.SIG_IGN)
            if made is not None:
                made.stop()
            for file in (self._pid, self.told, self.env, self.secrets):
                file.unlink(missing_ok=True)

    def _tell(self, made: Stack) -> None:
        self.told.write_text(json.dumps({each.name: each.pid for each in made.services}))
        known = made.env
        private = {name: known.pop(name) for name in SECRET}
        # flows see what begins with ENV_ as `envs.name`
        lines = [f"{name}={shlex.quote(value)}" for name, value in (known | private).items()]
        lines += [f"ENV_{name}={shlex.quote(value)}" for name, value in known.items()]
        _write(self.env, (f"export {line}" for line in lines))
        _write(self.secrets, (f"{name}={value}" for name, value in private.items()))


def _write(file: Path, lines: Iterable[str]) -> None:
    """Write a file for nobody else's eyes."""
    file.touch(mode=0o600)
    file.write_text("".join(f"{line}\n" for line in lines))


def _when_asked(do: Callable[..., object] | signal.Handlers) -> None:
    """What is done when it is asked to end."""
    for how in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(how, do)


def _say(line: str) -> None:
    print(line, flush=True)


def _born(pid: int) -> str:
    """When a process began, as the machine tells it; the empty text where there is none."""
    said = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return said.stdout.strip().replace(" ", "_")
