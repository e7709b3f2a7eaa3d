"""Who holds the servers while nobody sits in front of them? A process of its own: when it goes, they go with it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from projects.lakehouse.services.jars import SETS, fetched
from projects.lakehouse.services.stack import Say, Stack
from projects.lakehouse.services.told import env_file, forget, read, tell
from projects.servers import ServerFailed

LOOKS_EVERY: Final = 0.5
READY: Final = "ready"
PROC: Final = Path("/proc")


class Holder:
    """The process that holds a stack, seen from outside: its files lie in the stack's folder."""

    def __init__(self, folder: Path, given: Path) -> None:
        self.folder, self.env_file = folder, given
        self.log = folder / "logs" / "holder.log"
        self._pid = folder / "holder.pid"
        self.told = folder / "pids.json"
        self.env = env_file(folder)

    @property
    def pid(self) -> int:
        """Its process; 0 where there is none. A number that another process has by now is not taken for it."""
        with contextlib.suppress(OSError, ValueError):
            number, born = self._pid.read_text().split()
            if _born(int(number)) == born:
                return int(number)
        return 0

    def up(self, say: Say, mend: bool = True) -> None:
        """Start it, or where it runs have it start again who has ended, and wait until all servers answer.

        Raises ServerFailed.
        """
        if pid := self.pid:
            say(f"The servers run already (process {pid}).")
            self._again(pid, say)
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

    def _again(self, pid: int, say: Say) -> None:
        made = Stack(self.folder, self.env_file)
        until = time.monotonic() + max(each.patience for each in made.services)
        told = ""
        while absent := ", ".join(name for name, answers in made.health().items() if not answers):
            if absent != told:
                say(f"Waiting for {absent}.")
                told = absent
            if not self.pid or time.monotonic() > until:
                raise ServerFailed(
                    f"No answer from {absent}: make -C projects/lakehouse logs SERVER={absent.split(', ')[0]}"
                )
            os.kill(pid, signal.SIGUSR1)
            time.sleep(LOOKS_EVERY)

    def environment(self) -> dict[str, str]:
        """The environment of a program that is to find the servers: ours, and what they are; raises ServerFailed."""
        if not self.pid or not (known := read(self.folder)):
            raise ServerFailed("No server runs: make -C projects/lakehouse up")
        return os.environ | known

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
        asked, wanted = threading.Event(), threading.Event()
        _when_asked(lambda *_: sys.exit(0))
        signal.signal(signal.SIGUSR1, lambda *_: wanted.set())
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "holder.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                _say("Another process holds the servers of this folder.")
                raise SystemExit(1) from None
            self._hold(mend, asked, wanted)

    def _hold(self, mend: bool, asked: threading.Event, wanted: threading.Event) -> None:
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
                if (mend or wanted.is_set()) and made.mend(_say):
                    self._tell(made)
                wanted.clear()
        except ServerFailed as failed:
            _say(str(failed))
            raise SystemExit(1) from None
        finally:
            _when_asked(signal.SIG_IGN)
            if made is not None:
                made.stop()
            forget(self.folder)
            for file in (self._pid, self.told):
                file.unlink(missing_ok=True)

    def _tell(self, made: Stack) -> None:
        self.told.write_text(json.dumps({each.name: each.pid for each in made.services}))
        tell(self.folder, made.env)


def _when_asked(do: Callable[..., object] | signal.Handlers) -> None:
    """What is done when it is asked to end."""
    for how in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(how, do)


def _say(line: str) -> None:
    print(line, flush=True)


def _born(pid: int) -> str:
    """When a process began, the same for whoever asks; the empty text where there is none."""
    if (PROC / "self" / "stat").exists():
        try:
            # its name, in parentheses, may hold anything; the 22nd of all is when it began, in ticks
            return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
        except OSError:
            return ""
    env = os.environ | {"TZ": "UTC", "LC_ALL": "C"}
    asked = ["ps", "-o", "lstart=", "-p", str(pid)]
    said = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)
    return said.stdout.strip().replace(" ", "_")
