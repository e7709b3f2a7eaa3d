"""Does the page about the client tell what runs?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penstock.client import Client
from tests.api.house import HELLO
from tests.client.conftest import Installation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "en" / "client.md"
READS = """
id: reads
namespace: shop
inputs:
  - {id: note, type: FILE}
tasks:
  - {id: say, type: log, message: hi}
"""
PARTS = re.compile(r"^\| ((?:`client\.\w+`(?:, )?)+) \| (.+) \|$", re.MULTILINE)


def test_its_programs_run(installation: Installation, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.flows.push({"reads.yml": READS})
    around: dict[str, object] = {"url": installation.server.url, "token": installation.key, "HELLO": HELLO}

    for program in re.findall(r"```python\n(.+?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(program, str(PAGE), "exec"), around)

    said = capsys.readouterr().out
    assert "success {}" in said
    assert "say hi" in said
    assert "PS-30" in said


def test_it_names_what_there_is(client: Client) -> None:
    named = PARTS.findall(PAGE.read_text())
    parts = [name for names, _ in named for name in re.findall(r"client\.(\w+)", names)]
    verbs = {verb for _, text in named for verb in re.findall(r"`(\w+)`", text)}
    every = {name for name in parts if hasattr(client, name)}
    known = {verb for name in every for verb in dir(getattr(client, name))}

    assert len(named) >= 7
    assert every == set(parts)
    assert verbs <= known
