"""Does a terminal see the run live, and does Ctrl-C end it in order? Real processes on a terminal of their own."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house.source import PACKAGE

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE = 20.0
STEPS = """id: steps
namespace: play
tasks:
  - id: first
    type: shell.commands
    commands: ["echo one", "echo two >&2"]
  - id: second
    type: python.script
    script: |
      import signal, time
      signal.signal(signal.SIGTERM, signal.SIG_IGN if {stubborn} else signal.SIG_DFL)
      print("it goes", flush=True)
      time.sleep({seconds})
finally:
  - {id: tidy, type: log, message: tidied}
"""


class Terminal:
    """A command with a terminal of its own for stderr; closes with the process."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._mine, theirs = pty.openpty()
        size = {"COLUMNS": "100", "LINES": "30", "TERM": "xterm-256color"}
        env = {**os.environ, **size, "PYTHONPATH": str(PACKAGE.parent)}
        command = [sys.executable, "-m", "penstock", *arguments]
        self.process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, start_new_session=True
        )
        os.close(theirs)
        self.seen = ""

    def read_until(self, wanted: Callable[[str], bool]) -> None:
        """Read what is shown until it is as wanted; fails when the process ends or too much time passes before."""
        until = time.monotonic() + PATIENCE
        while not wanted(self.text):
            assert time.monotonic() < until, self.text
            assert self._read(), self.text

    def end(self) -> tuple[int, str]:
        """Read on to the end; the exit code and standard output."""
        while self._read():
            pass
        out, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out.decode()

    @property
    def text(self) -> str:
        """Everything shown so far, without colours and movements."""
        return ESCAPES.sub("", self.seen)

    def close(self) -> None:
        """End what still runs."""
        self.process.kill()
        self.process.communicate()
        os.close(self._mine)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._mine], [], [], PATIENCE)
        try:
            data = os.read(self._mine, 65536) if ready else b""
        except OSError:
            data = b""
        self.seen += data.decode(errors="replace")
        return bool(data)


@pytest.fixture
def terminal(folder: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(seconds: float, *arguments: str, stubborn: bool = False) -> Terminal:
        (folder / "steps.yml").write_text(STEPS.replace("{seconds}", str(seconds)).replace("{stubborn}", str(stubborn)))
        opened.append(Terminal(folder, "run", "steps.yml", *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_the_tree_goes_on_and_stands_at_the_end_with_logs_above(terminal: Callable[..., Terminal]) -> None:
    shown = terminal(1)

    shown.read_until(lambda text: "▶ second" in text)
    code, out = shown.end()

    assert (code, out) == (0, "")
    last = shown.text[shown.text.rindex("✓ play.steps") :]
    assert re.search(r"✓ play\.steps +success · .*s · \w{26}", last)
    assert re.search(r"✓ first +\d+ ms", last)
    assert re.search(r"✓ second", last)
    assert re.search(r"✓ tidy", last)
    assert shown.text.index("first │ one") < shown.text.rindex("✓ play.steps")
    assert "second │ it goes" in shown.text
    assert "\x1b[?25h" in shown.seen  # the cursor is back


def test_outputs_stay_data_while_a_terminal_watches(terminal: Callable[..., Terminal]) -> None:
    shown = terminal(0, "--json")

    code, out = shown.end()

    assert code == 0
    assert json.loads(out)["status"] == "success"
    assert "✓ play.steps" in shown.text


def test_ctrl_c_ends_the_run_in_order_and_says_how_to_go_on(terminal: Callable[..., Terminal]) -> None:
    shown = terminal(60)
    shown.read_until(lambda text: "it goes" in text)

    shown.process.send_signal(signal.SIGINT)
    code, _ = shown.end()

    assert code == 1
    assert "Ctrl-C again" in shown.text
    last = shown.text[shown.text.rindex("■ play.steps") :]
    assert "■ second" in last
    assert "penstock runs restart" in last


def test_a_second_ctrl_c_gives_no_grace(terminal: Callable[..., Terminal]) -> None:
    shown = terminal(60, stubborn=True)
    shown.read_until(lambda text: "it goes" in text)
    began = time.monotonic()

    shown.process.send_signal(signal.SIGINT)
    shown.read_until(lambda text: "Ctrl-C again" in text)
    shown.process.send_signal(signal.SIGINT)
    code, _ = shown.end()

    assert code == 1
    assert time.monotonic() - began < 8  # the grace is 10 seconds
