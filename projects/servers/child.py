"""How does a server run as our own child, so that nothing of it outlives us?"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# Runs in the child between fork and exec: gives up root, then asks the kernel for a signal when the parent dies.
# A small program instead of `preexec_fn`, which is not safe to use in a process with threads. The identity is
# changed first because changing it clears the request, and ctypes loaded before because the other user may not read it.
_LAUNCHER = """
import os, sys
if sys.platform == "linux":
    import ctypes
    libc = ctypes.CDLL(None)
death, parent, uid, gid = map(int, sys.argv[1:5])
if uid >= 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if sys.platform == "linux":
    libc.prctl(1, death, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
os.execv(sys.argv[5], sys.argv[5:])
"""


class ServerFailed(Exception):
    """A server did not start, or did not answer in time; the sentence holds the end of its log."""


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    user: pwd.struct_passwd | None = None,
    death: signal.Signals = signal.SIGKILL,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, and in `folder`; on Linux it gets the signal `death` when our thread or
    process ends.
    """
    who = (user.pw_uid, user.pw_gid) if user else (-1, -1)
    numbers = [str(int(number)) for number in (death, os.getpid(), *who)]
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, *numbers, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if env is None else env),
            start_new_session=True,
            cwd=folder,
        )


def stop(process: subprocess.Popen[bytes], how: signal.Signals, *, seconds: float = 15.0) -> None:
    """Ask the server to end; what has not ended after `seconds` is killed with everything in its session."""
    if process.poll() is None:
        process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the server and everything in its session at once, as a power cut would."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def await_ready(
    process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool], *, what: str, seconds: float = 30.0
) -> None:
    """Return once `ready()` is true; raise ServerFailed when the process ends first or `seconds` have passed."""
    until = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise ServerFailed(f"{what} ended with code {process.returncode} before it answered.\n{tail(log)}")
        if time.monotonic() > until:
            raise ServerFailed(f"{what} did not answer within {seconds:.0f} s.\n{tail(log)}")
        time.sleep(0.02)


def tail(log: Path, lines: int = 12) -> str:
    """Give the last lines of a log, indented, for an error message."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def free_port() -> int:
    """Find a loopback port that nobody listens on now; another process may still take it before we do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Say whether something accepts connections on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
