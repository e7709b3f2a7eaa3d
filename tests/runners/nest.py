"""How does a test have tasks done in a process that is kept? A nest: a task type that runs any text, and its words."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from penstock.runners.process.kept import Kept, Warm, Wear
from penstock.runners.process.launcher import Exit, Order
from penstock.runners.process.warm import FREE, Task
from tests.runners.attempts import ENV, Bench

HOME = str(Path(__file__).resolve().parents[2] / "src")
WARM = "penstock.runners.process.warm"
POINTS = "[penstock.task_types]\nnest.do = nest_types:Do\n"
TYPES = '''
from typing import ClassVar
from penstock.sdk import TaskType

class Do(TaskType, frozen=True, kw_only=True):
    """Run a text; what it puts into `made` is handed on."""
    type_name: ClassVar[str] = "nest.do"
    source: str = ""
    def run(self, context):
        made = {}
        exec(self.source, {"context": context, "made": made})
        return made
'''
TELL = """
import os, random
was = os.umask(0o022)
made.update(pid=os.getpid(), cwd=os.getcwd(), env=dict(os.environ), random=random.random(), umask=was)
"""


class Done:
    """What one task left: what it printed, its frames, and its end, if its process ended with it."""

    def __init__(self) -> None:
        self.warm: Warm
        self.out = self.err = self.channel = b""
        self.exit: Exit | None = None
        self.free = False

    @property
    def frames(self) -> list[dict[str, object]]:
        """The frames of the channel, but for the one that says that the process is free."""
        found, rest = [], self.channel
        while len(rest) >= 4:
            size = int.from_bytes(rest[:4], "big")
            found.append(msgspec.json.decode(rest[4 : 4 + size]))
            rest = rest[4 + size :]
        return [frame for frame in found if frame["t"] != FREE]

    @property
    def made(self) -> dict[str, object]:
        """The outputs of its outcome."""
        outcome = self.frames[-1]
        assert outcome["outcome"] == "done", outcome
        outputs = outcome["outputs"]
        assert isinstance(outputs, dict)
        return outputs

    @property
    def pid(self) -> object:
        """The process that did it, by what TELL told."""
        return self.made["pid"]


class Nest(Bench):
    """A bench with kept processes; `now` is its clock, held by hand."""

    def __init__(self, folder: Path, most: int = 4, wear: Wear | None = None) -> None:
        super().__init__(folder)
        self.now = 0
        self.kept = Kept(self.launcher, most, wear or Wear())
        info = folder / "nest_types-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nest-types\nVersion: 1\n")
        (info / "entry_points.txt").write_text(POINTS)
        (folder / "nest_types.py").write_text(TYPES)
        self._env = ENV | {"PYTHONPATH": f"{HOME}{os.pathsep}{folder}"}

    def begin(self, source: str, env: dict[str, str] | None = None, cwd: Path | None = None, library: str = "") -> Done:
        """Have a process begin a task, in one that has imported a library."""
        done = Done()
        body: dict[str, object] = {"mode": "plugin", "module": WARM, "cwd": "/", "limits": {}, "plugin": {}}
        preimports = (WARM, library) if library else (WARM,)
        order = Order(interpreter=sys.executable, env=self._env, body=body, preimports=preimports)
        plugin: dict[str, object] = {"type": "nest.do", "properties": {"source": source}, "context": {}}
        task = Task(plugin, env or {}, str(cwd or self.folder))
        done.warm = self.kept.borrow(order, task, lambda how: setattr(done, "exit", how), self.now)
        child = done.warm.child
        for descriptor, name in ((child.stdout, "out"), (child.stderr, "err"), (child.channel.fileno(), "channel")):
            self._listen(done, descriptor, name)
        return done

    def end(self, done: Done) -> Done:
        """See a task through, and give its process back if it is free."""
        self.until(lambda: done.free or (done.exit is not None and not self._of(done)))
        if done.free:
            for descriptor, name in self._of(done):
                if name != "channel":
                    self._read(done, descriptor, name)
                self.reactor.forget(descriptor)
                self.open.pop(descriptor)
            self.kept.give_back(done.warm, self._memory(done), self.now)
        else:
            done.warm.child.close()
        return done

    def do(self, source: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Done:
        """Do one task."""
        return self.end(self.begin(source, env, cwd))

    def _memory(self, done: Done) -> int:
        last = msgspec.json.decode(done.channel[done.channel.rindex(b'{"t":"free"') :])
        return int(last["memory"])

    def _of(self, done: Done) -> list[tuple[int, str]]:
        child = done.warm.child
        every = [(child.stdout, "out"), (child.stderr, "err"), (child.channel.fileno(), "channel")]
        return [(descriptor, name) for descriptor, name in every if descriptor in self.open]

    def _listen(self, done: Done, descriptor: int, name: str) -> None:
        self.open[descriptor] = lambda: None
        self.reactor.watch(descriptor, lambda: self._read(done, descriptor, name))

    def _read(self, done: Done, descriptor: int, name: str) -> None:
        try:
            while data := os.read(descriptor, 1 << 16):
                setattr(done, name, getattr(done, name) + data)
                done.free = done.free or (name == "channel" and b'{"t":"free"' in data)
        except BlockingIOError:
            return
        except ConnectionResetError:
            pass
        self.reactor.forget(descriptor)
        self.open.pop(descriptor)
