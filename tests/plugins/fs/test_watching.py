"""Do triggers on files see each file once, and take away no file that nobody was told of?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from tests.plugins.fs.servers import SshServer, ssh_server


class Inbox:
    """A folder, and a trigger that looks at it with what the last look kept."""

    def __init__(self, local: LocalContext, folder: Path, kind: str, **properties: object) -> None:
        self.local = local
        self.folder = folder
        self.state: dict[str, object] = {}
        self._kind = kind
        self._properties = properties

    def put(self, name: str, content: str = "x", at: float = 1_000.0) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        os.utime(path, (at, at))

    def attempt(self, **more: object) -> Told:
        """One attempt; what it saves is there for the next."""
        properties = {"from": str(self.folder), **self._properties, **more}
        told = self.local.run(self._kind, properties, state=self.state)
        self.state = told.state
        return told

    def look(self, **more: object) -> list[str]:
        """One look, with all its attempts; what changed, by name."""
        told = self.attempt(**more)
        while told.outcome is Outcome.SNOOZED:
            told = self.attempt(**more)
        assert told.failure is None, told.failure
        files = told.outputs.get("files", [])
        assert isinstance(files, list)
        assert (told.outcome is Outcome.SKIPPED) == (not files)
        return [f"{each['changeType']} {each['name']}" for each in files]


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("ssh")) as server:
        yield server


@pytest.fixture
def inbox(local: LocalContext, tmp_path: Path) -> Inbox:
    (tmp_path / "in").mkdir()
    return Inbox(local, tmp_path / "in", "local.trigger")


def test_what_is_new_or_has_changed_is_seen_once(inbox: Inbox) -> None:
    assert inbox.look() == []
    inbox.put("a.csv")
    inbox.put("b.csv")

    assert inbox.look() == ["CREATE a.csv", "CREATE b.csv"]
    assert inbox.look() == []
    inbox.put("a.csv", at=2_000.0)
    assert inbox.look() == ["UPDATE a.csv"]
    (inbox.folder / "a.csv").unlink()
    assert inbox.look() == []
    inbox.put("a.csv", at=3_000.0)
    assert inbox.look() == ["CREATE a.csv"]


def test_only_what_is_new_or_only_what_has_changed_counts_where_that_is_said(inbox: Inbox) -> None:
    inbox.put("a")
    assert inbox.look(on="UPDATE") == []
    inbox.put("a", at=2_000.0)
    inbox.put("b")
    assert inbox.look(on="UPDATE") == ["UPDATE a"]
    inbox.put("a", at=3_000.0)
    inbox.put("c")
    assert inbox.look(on="CREATE") == ["CREATE c"]


def test_what_is_too_much_for_one_run_is_left_for_the_next(inbox: Inbox) -> None:
    for name in "abc":
        inbox.put(name)

    assert inbox.look(maxFiles=2) == ["CREATE a", "CREATE b"]
    assert inbox.look(maxFiles=2) == ["CREATE c"]
    assert inbox.look(maxFiles=2) == []


def test_a_look_that_dies_before_it_is_told_of_takes_no_file_away(inbox: Inbox) -> None:
    inbox.put("a.csv", "1")
    first = inbox.attempt(action="DELETE")
    inbox.state = {}  # nobody heard of it

    assert first.outcome is Outcome.SNOOZED
    assert (inbox.folder / "a.csv").exists()
    assert inbox.look(action="DELETE") == ["CREATE a.csv"]
    assert not (inbox.folder / "a.csv").exists()


def test_a_look_that_dies_while_it_takes_away_ends_what_it_began(inbox: Inbox) -> None:
    for name in ("a", "b"):
        inbox.put(name, name)
    properties = {"action": "MOVE", "moveDirectory": str(inbox.folder / "done")}
    inbox.attempt(**properties)
    taken = dict(inbox.state)
    inbox.attempt(**properties)
    inbox.state = taken  # its end was not heard
    told = inbox.attempt(**properties)

    files = told.outputs["files"]
    assert isinstance(files, list)
    assert [inbox.local.text(str(each["uri"])) for each in files] == ["a", "b"]
    assert sorted(each.name for each in (inbox.folder / "done").iterdir()) == ["a", "b"]
    assert "taken" not in inbox.state


def test_what_was_seen_is_forgotten_after_a_while(inbox: Inbox) -> None:
    inbox.put("a")

    assert inbox.look(stateTtl="PT1H") == ["CREATE a"]
    assert inbox.look(stateTtl="PT1H") == []
    assert inbox.look(stateTtl="PT0S") == ["CREATE a"]


def test_files_behind_sftp_are_seen_likewise(local: LocalContext, ssh: SshServer, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    reach = {"host": "127.0.0.1", "port": ssh.port, "username": ssh.user, "keyfile": ssh.key, "rootDir": False}
    inbox = Inbox(local, tmp_path / "in", "sftp.trigger", **reach, regExp=".*\\.csv", action="DELETE")
    inbox.put("a.csv")
    inbox.put("b.txt")

    assert inbox.look() == ["CREATE a.csv"]
    assert [each.name for each in inbox.folder.iterdir()] == ["b.txt"]
