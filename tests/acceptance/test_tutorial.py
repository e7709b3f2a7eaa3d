"""Is what the page about a team's server says what happens? Each of its commands is given to a shell, in their order.

Lines that begin with `$ ` are commands, `> ` goes on with one; what stands below is what it says, where `…` stands for
anything. Files are those that the page wants saved.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.servers.child import free_port
from tests.acceptance.observe import processes_of
from tests.servers import DEMANDED

PAGE = Path(__file__).parents[2] / "docs" / "en" / "team-server.md"
BLOCK = re.compile(r"^(?:Save this as `(?P<name>[^`]+)`[^\n]*:\n\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
MARK = "-- said --"


class Shell:
    """A shell in which the page is done: one for all of it, as a person has; ends with everything that it began."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bin_ = folder / "bin"
        bin_.mkdir()
        program = bin_ / "penstock"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m penstock "$@"\n')
        program.chmod(0o755)
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "PYTHONPATH") if name in os.environ}
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=kept | {"HOME": str(folder), "PATH": f"{bin_}:{os.environ['PATH']}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def do(self, command: str) -> str:
        """Give a command and wait for what it says; what runs in the background goes on."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f'{command}\nprintf "\\n%s\\n" "{MARK}"\n')
        self._process.stdin.flush()
        said = []
        for line in self._process.stdout:
            if line.rstrip("\n") == MARK:
                break
            said.append(line)
        return "".join(said).strip("\n")

    def close(self) -> None:
        """End it with everything that it began."""
        for one in processes_of(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
        self._process.communicate()


@pytest.fixture
def shell(folder: Path) -> Iterator[Shell]:
    """A shell in an empty folder."""
    if shutil.which("curl") is None:
        (pytest.fail if DEMANDED else pytest.skip)("curl is not here")
    opened = Shell(folder)
    yield opened
    opened.close()


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what the page says that it answers."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> "):
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return [("\n".join(asked), "\n".join(told)) for asked, told in found]


def fits(said: str, told: str) -> bool:
    """Whether an answer is what the page tells; where it tells nothing, anything is."""
    pattern = ".*".join(re.escape(part) for part in told.split("…"))
    return not told or re.fullmatch(pattern, said, re.S) is not None


@pytest.mark.timeout(200)
@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def test_every_command_of_the_page_says_what_the_page_says(
    shell: Shell, store: str, request: pytest.FixtureRequest
) -> None:
    page, port = PAGE.read_text(), str(free_port())
    if store == "postgres":
        shell.do(f"export PENSTOCK_STORE='{request.getfixturevalue('database')}'")
    done = 0
    for block in BLOCK.finditer(page):
        if block["name"]:
            place = Path(shell.do("pwd")) / block["name"]
            place.parent.mkdir(exist_ok=True)
            place.write_text(block["text"])
        elif block["kind"] == "console":
            for asked, told in commands(block["text"].replace("8080", port)):
                said = shell.do(asked)
                assert fits(said, told), f"$ {asked}\nsaid:\n{said}\nand not, as the page says:\n{told}"
                done += 1
    assert done > 20, "the page has no such blocks any more"
