"""How does a worker get children? It keeps a zygote per Python environment and asks it to fork, signal and report."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, Protocol

import msgspec

from penstock.errors.work import NoInterpreter
from penstock.runners.process import strays, zygote
from penstock.sdk.plain import plain

# What an interpreter reads when it starts, before the attempt's own environment is set. Not PATH: programs and scripts
# differ in it alone, and need no zygote each.
AT_START: Final = re.compile(r"(PYTHON|LD_|DYLD_|LC_|MALLOC_|OMP_|OPENBLAS_|MKL_).*|HOME|LANG|LANGUAGE|TZ|VIRTUAL_ENV")
IDLE: Final = 300 * 1_000_000
# Seconds in which a process that has closed its socket has ended, too.
LEAVING: Final = 1.0
OVER: Final = "The worker could not confirm its lease in time, so the attempt was ended."
SELF: Final = str(Path(zygote.__file__).resolve())
# What one zygote has that another may lack: its Python, what it has imported, what that read at its start.
Key = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]


class Reactor(Protocol):
    """What calls back when a descriptor can be read."""

    def watch(self, descriptor: int, ready: Callable[[], None]) -> None:
        """Call `ready` whenever `descriptor` can be read."""

    def forget(self, descriptor: int) -> None:
        """No longer."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A process to start: `body` is the payload without its environment (mode, cwd, limits, what the mode needs)."""

    interpreter: str
    env: dict[str, str]
    body: dict[str, object]
    preimports: tuple[str, ...] = ()


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended: exit code or signal; `trouble` says why there is neither, `begun` if it ever was one."""

    code: int | None = None
    signal: int | None = None
    peak_bytes: int = 0
    cpu_seconds: float = 0.0
    trouble: str = ""
    begun: bool = True


class Child:
    """A running process: descriptors to read, a channel to talk on, and its end."""

    def __init__(self, zygote: Zygote, number: int, descriptors: tuple[int, int], channel: socket.socket) -> None:
        self.zygote = zygote
        self.number = number
        self.stdout, self.stderr = descriptors
        self.channel = channel

    def terminate(self) -> None:
        """SIGTERM to its process group."""
        self.zygote.signal(self.number, signal.SIGTERM)

    def close(self) -> None:
        """Let go of descriptors that nobody reads."""
        os.close(self.stdout)
        os.close(self.stderr)
        self.channel.close()

    def kill(self) -> None:
        """SIGKILL to everything that it started."""
        self.zygote.signal(self.number, signal.SIGKILL)


class Launcher:
    """The zygotes of one worker; `marker` goes into the environment of all that they start."""

    def __init__(self, reactor: Reactor, marker: str) -> None:
        self._reactor = reactor
        self._marker = marker
        self._zygotes: dict[Key, Zygote] = {}
        self._born = 0
        self._permit = 0.0
        self.tended: list[Callable[[int], None]] = []

    def launch(self, order: Order, ended: Callable[[Exit], None], *, sharing: bool = False) -> Child:
        """Start a process; `ended` is called once, when nothing of it is alive. NoInterpreter when that is missing.

        One that is `sharing` may find more imported than it asks for.
        """
        at_start = {name: value for name, value in order.env.items() if AT_START.fullmatch(name)}
        key = (order.interpreter, order.preimports, tuple(sorted(at_start.items())))
        alive = self._fitting(order, key, sharing)
        if alive is None:
            self._born += 1
            marker = f"{self._marker}/{self._born}"
            alive = self._zygotes[key] = Zygote(self._reactor, order, at_start, marker)
            if self._permit:
                # What was allowed counts from when it was said: one that is born after a standstill gets what is left.
                alive.allow(int((self._permit - time.monotonic()) * 1e6))
        return alive.launch(order, ended)

    def _fitting(self, order: Order, key: Key, sharing: bool) -> Zygote | None:
        """One that lives and can do it. A program has nothing of the process that became it, so any can begin one that
        has given a sign of itself: what keeps another's Python from its start is no failure of this task.
        """
        living = {each: one for each, one in self._zygotes.items() if not one.dead}
        if key in living:
            return living[key]
        python, wanted, at_start = key
        proven = {each: one for each, one in living.items() if one.proven}
        if order.body["mode"] == zygote.PROGRAM and shutil.which(python):
            return next(iter(proven.values()), None)
        return next(
            (
                one
                for each, one in proven.items()
                if sharing and (each[0], each[2]) == (python, at_start) and set(each[1]).issuperset(wanted)
            ),
            None,
        )

    def allow(self, micros: int) -> None:
        """Let everything live for so long; unless said again all is killed, even while this process stands still."""
        self._permit = time.monotonic() + micros / 1e6
        for one in list(self._zygotes.values()):
            one.allow(micros)

    def running(self) -> int:
        """How many processes have not ended."""
        return sum(len(one.waiting) for one in self._zygotes.values())

    def stop_idle(self, now: int) -> None:
        """End the zygotes that nobody has needed for IDLE microseconds, and what of `tended` has waited too long."""
        for tend in self.tended:
            tend(now)
        for key, one in list(self._zygotes.items()):
            if one.waiting:
                one.idle_since = None
            elif one.idle_since is None:
                one.idle_since = now
            elif now - one.idle_since > IDLE:
                one.close()
                del self._zygotes[key]

    def close(self) -> None:
        """End every zygote, and with it all that it started."""
        closing, self._zygotes = self._zygotes, {}  # what an end asks for is another's, and is closed the next time
        for one in closing.values():
            one.close()


class Zygote:
    """One zygote's worker side: opens with its process, closes with everything below it dead."""

    def __init__(self, reactor: Reactor, order: Order, at_start: dict[str, str], marker: str) -> None:
        self.waiting: dict[int, Callable[[Exit], None]] = {}
        self.idle_since: int | None = None
        self.dead = False
        self.proven = False
        self._reactor = reactor
        self._marker = marker
        self._numbered = 0
        self._heard = b""
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self.pid = 0
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [order.interpreter, SELF, str(theirs.fileno()), *order.preimports],
                    env=at_start | {strays.MARKER: marker},
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._complaints,
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                self._socket.close()
                self._complaints.close()
                sentence = f'The Python "{order.interpreter}" cannot be started: {error.strerror}.'
                raise NoInterpreter(sentence) from error
        self.pid = self._process.pid
        reactor.watch(self._socket.fileno(), self._listen)

    def launch(self, order: Order, ended: Callable[[Exit], None]) -> Child:
        """Hand a payload and the far ends of its pipes to the zygote, which forks."""
        self._numbered += 1
        body = msgspec.json.encode(order.body | {"env": order.env | {strays.MARKER: self._marker}}, enc_hook=plain)
        out, out_far = os.pipe()
        err, err_far = os.pipe()
        channel, channel_far = socket.socketpair()
        far = [descriptor_of(body), out_far, err_far, channel_far.detach()]
        for mine in (out, err):
            os.set_blocking(mine, False)
        channel.setblocking(False)
        self.waiting[self._numbered] = ended
        try:
            socket.send_fds(self._socket, [zygote.REQUEST.pack(b"l", self._numbered, 0)], far)
        except OSError:
            self._bury()
        finally:
            for descriptor in far:
                os.close(descriptor)
        return Child(self, self._numbered, (out, err), channel)

    def signal(self, number: int, signum: int) -> None:
        """Have the zygote signal a child, which it knows not to be another process of the same pid."""
        if number in self.waiting:
            with contextlib.suppress(OSError):
                self._socket.sendall(zygote.REQUEST.pack(b"s", number, signum))

    def allow(self, micros: int) -> None:
        """Let children live for so long; said by whichever thread has the lease confirmed."""
        with contextlib.suppress(OSError):
            self._socket.sendall(zygote.REQUEST.pack(b"p", max(micros, 1), 0))

    def close(self) -> None:
        """Close the socket: the zygote kills all that is below it, then ends."""
        if not self.dead:
            self._reactor.forget(self._socket.fileno())
            self._socket.close()
            self.dead = True
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self.proven = True
            self._finish("The worker stopped.")

    def _listen(self) -> None:
        try:
            heard = self._socket.recv(65536)
        except OSError:
            heard = b""
        if not heard:
            self._bury()
            return
        self._heard += heard
        self.proven = True
        whole = len(self._heard) // zygote.REPLY.size * zygote.REPLY.size
        for op, number, _, status, peak, cpu in zygote.REPLY.iter_unpack(self._heard[:whole]):
            ended = self.waiting.pop(number, None)
            if ended is None:
                continue  # it only says that it is ready
            if op == b"e" or (op == b"f" and not status):
                ended(Exit(trouble=OVER))
            elif op == b"f":
                ended(Exit(trouble=f"No process could be started: {os.strerror(status)}.", begun=False))
            elif os.WIFSIGNALED(status):
                ended(Exit(signal=os.WTERMSIG(status), peak_bytes=peak, cpu_seconds=cpu))
            else:
                ended(Exit(code=os.WEXITSTATUS(status), peak_bytes=peak, cpu_seconds=cpu))
        self._heard = self._heard[whole:]

    def _bury(self) -> None:
        if self.dead:
            return
        self._reactor.forget(self._socket.fileno())
        self._socket.close()
        self.dead = True
        try:
            code = self._process.wait(LEAVING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        # An interpreter that never gave a sign will not do better the next time, unless somebody killed it.
        self.proven = self.proven or code == -signal.SIGKILL
        strays.kill(lambda marker: marker == self._marker)
        self._complaints.seek(0)
        said = self._complaints.read()[-2000:].decode(errors="replace").strip()
        self._finish("The process that starts attempts ended" + (f": {said}" if said else "."))

    def _finish(self, trouble: str) -> None:
        self._complaints.close()
        waiting, self.waiting = self.waiting, {}
        for ended in waiting.values():
            ended(Exit(trouble=trouble, begun=self.proven))


def descriptor_of(text: bytes) -> int:
    """A descriptor from which a payload is read, and which is nowhere else."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("payload")
    else:
        descriptor, path = tempfile.mkstemp()
        Path(path).unlink()
    left = memoryview(text)
    while left:
        left = left[os.write(descriptor, left) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
