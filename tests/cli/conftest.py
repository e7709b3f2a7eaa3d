"""What do tests of the command line need? A folder of their own, and commands called in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.cli.main import call

HELLO = """id: hello
namespace: play
inputs:
  - {id: who, type: STRING, defaults: world}
tasks:
  - {id: greet, type: return, format: "Hello, {{ inputs.who }}"}
  - {id: say, type: log, message: "{{ outputs.greet.value }}!"}
outputs:
  - {id: said, type: STRING, value: "{{ outputs.greet.value }}"}
"""


class Done(msgspec.Struct, frozen=True):
    """What a command gave: its exit code and both outputs."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Penstock = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PENSTOCK_STORE", "PENSTOCK_BLOBS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello.yml").write_text(HELLO)
    return tmp_path


@pytest.fixture
def penstock(folder: Path, capfd: pytest.CaptureFixture[str]) -> Penstock:
    """Call a command line in the test's folder."""

    def run(*arguments: str) -> Done:
        capfd.readouterr()
        code = call(list(arguments))
        out, err = capfd.readouterr()
        return Done(int(code), out, err)

    return run
