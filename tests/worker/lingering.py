"""What does a test start that does not end by itself, and how does it see whether it is still there?"""

from __future__ import annotations

from pathlib import Path

# A process that says that it is there, leaves a grandchild of its own session behind, and waits.
LINGER = """
import os, pathlib, time
if os.fork() == 0:
    os.setsid()
    pathlib.Path("{folder}/grandchild").write_text(str(os.getpid()))
    time.sleep(600)
pathlib.Path("{folder}/child").write_text(str(os.getpid()))
time.sleep(600)
"""


def linger(folder: Path) -> str:
    """The source of a process that lingers."""
    return LINGER.replace("{folder}", str(folder))


def pids(folder: Path) -> list[int]:
    """The processes of a LINGER, once both are there."""
    files = [folder / "child", folder / "grandchild"]
    return [int(file.read_text()) for file in files if file.exists() and file.read_text()]


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
