"""Is a worker of this machine dead? Told by the lock file it holds while it lives: a pid may be another's by now."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from penstock.store.workers import Worker

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def machine() -> tuple[str, str]:
    """This machine's name, and the id of its current boot (empty where the system does not tell)."""
    boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
    return socket.gethostname(), boot


def take_lock(path: Path) -> int:
    """Hold a lock file for as long as this process lives, and give its descriptor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return held


def abandoned(worker: Worker) -> bool:
    """Does a worker of this machine and boot no longer hold its lock file? False for workers elsewhere: their lease
    tells.
    """
    if not worker.lock_path or (worker.host, worker.boot) != machine():
        return False
    try:
        found = os.open(worker.lock_path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(found)
    return True
