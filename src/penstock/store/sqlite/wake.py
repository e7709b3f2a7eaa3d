"""How does one process of this machine wake another? A datagram to a socket of its own in the store's wake folder."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

LONGEST_ADDRESS = 100


class WakeFolder:
    """The folder where each process that may sleep has a socket, `<pid>-<random>`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)

    def wake(self) -> None:
        """Send a byte to every socket there is; one that nobody holds any more is removed."""
        try:
            with os.scandir(self._folder) as entries:
                names = [entry.name for entry in entries]
        except FileNotFoundError:
            return
        if not names:
            return
        with _address(self._folder) as place:
            for name in names:
                try:
                    self._sender.sendto(b"!", f"{place}/{name}")
                except (ConnectionRefusedError, FileNotFoundError):
                    (self._folder / name).unlink(missing_ok=True)
                except OSError:
                    # Its buffer is full of wakes already, or it is another user's: polling finds the work.
                    continue

    def listener(self) -> SocketListener:
        """Open a socket of our own."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{os.getpid()}-{os.urandom(4).hex()}"
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with _address(self._folder) as place:
            ours.bind(f"{place}/{path.name}")
        return SocketListener(ours, path)

    def close(self) -> None:
        """Stop sending."""
        self._sender.close()


class MemoryBell:
    """The same for a store in memory: everybody who listens is in this process."""

    def __init__(self) -> None:
        self._bells: list[tuple[socket.socket, SocketListener]] = []

    def wake(self) -> None:
        """Make every open listener readable."""
        for bell, listener in list(self._bells):
            if listener.closed:
                bell.close()
                self._bells.remove((bell, listener))
            else:
                with contextlib.suppress(BlockingIOError):
                    bell.send(b"!")

    def listener(self) -> SocketListener:
        """Open a listener."""
        bell, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        bell.setblocking(False)
        listener = SocketListener(ours, None)
        self._bells.append((bell, listener))
        return listener

    def close(self) -> None:
        """Let go of every listener."""
        for bell, listener in self._bells:
            bell.close()
            listener.close()
        self._bells.clear()


class SocketListener:
    """A socket that becomes readable when somebody woke us."""

    def __init__(self, ours: socket.socket, path: Path | None) -> None:
        ours.setblocking(False)
        self._socket = ours
        self._path = path

    @property
    def closed(self) -> bool:
        """Nobody can be woken by it any more."""
        return self._socket.fileno() < 0

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def arm(self) -> None:
        """Nothing to do: a byte that was sent while awake is there when we sleep."""

    def drain(self) -> bool:
        """Take every byte, and say whether there was one."""
        woken = False
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(64):
                woken = True
        return woken

    def close(self) -> None:
        """Remove our socket; safe to call twice."""
        self._socket.close()
        if self._path:
            self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def _address(folder: Path) -> Iterator[str]:
    """Give a path to the folder that is short enough for a socket's address."""
    plain = str(folder)
    if len(plain.encode()) + 24 <= LONGEST_ADDRESS:
        yield plain
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
