"""What does a test start that does not end by itself, and how does it see whether it is still there?"""

from __future__ import annotations

from pathlib import Path

# A process that leaves a grandchild of its own session behind, and waits; both say through the pipe `up`, where there
# is one, that they are there.
LINGER = """
import os, pathlib, time
def here(name):
    pathlib.Path(f"{folder}/{name}").write_text(str(os.getpid()))
    if os.path.exists("{folder}/up"):
        os.write(os.open("{folder}/up", os.O_WRONLY), b"x")
if os.fork() == 0:
    os.setsid()
    here("grandchild")
    time.sleep(600)
here("child")
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
