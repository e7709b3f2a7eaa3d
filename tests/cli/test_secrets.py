"""Can secrets be kept from the command line, by a person and by a script, and does none of it show them?"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Penstock

TEXT = "correct horse battery staple"


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{TEXT}\n".encode())))


@pytest.mark.usefixtures("piped")
def test_a_secret_is_set_listed_turned_and_deleted_and_never_shown(penstock: Penstock, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("one\ntwo\n")
    done = [
        penstock("secrets", "set", "DB_PASSWORD", "--in", "shop", "-"),
        penstock("secrets", "set", "SSH_KEY", "--in", "shop", f"@{key}", "--json"),
        penstock("secrets", "list", "--json"),
        penstock("secrets", "list", "--in", "shop"),
        penstock("secrets", "rotate", "--forget"),
        penstock("secrets", "verify"),
        penstock("audit", "list"),
    ]
    gone = [penstock("secrets", "delete", "DB_PASSWORD", "--in", "shop").code for _ in range(2)]

    assert [each.code for each in done] == [0] * len(done), [each.err for each in done]
    assert gone == [0, 2]
    rows: Any = done[2].json()
    assert [(row["namespace"], row["name"], row["version"]) for row in rows] == [
        ("shop", "DB_PASSWORD", 1),
        ("shop", "SSH_KEY", 1),
    ]
    assert "2 can be unsealed, 0 cannot." in done[5].err
    assert "secrets.set" in done[6].out
    assert TEXT not in "".join(each.out + each.err for each in done)


def test_a_secret_is_no_argument(penstock: Penstock) -> None:
    done = penstock("secrets", "set", "DB_PASSWORD", TEXT, "--in", "shop")

    assert done.code == 2
    assert "no argument" in done.err and TEXT not in done.err


@pytest.mark.parametrize("command", ["serve", "dev", "worker"])
def test_who_stands_says_at_its_start_what_is_no_key(
    command: str, penstock: Penstock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_MASTER_KEY", "too-short")

    done = penstock(command)

    assert done.code == 2
    assert "32 bytes in base64" in done.err and "too-short" not in done.err
