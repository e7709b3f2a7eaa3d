"""Are secrets found where they may be, files held by address, and old runs let go?"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors.project import LooseSecrets, NoSuchFile, WrongSetting
from penstock.errors.store import BadBlobAddress, BlobMissing
from penstock.services.retention import Keep, prune
from penstock.services.secrets.local import of_machine
from penstock.services.stored import Stored
from penstock.store import runs
from penstock.store.blobs.local import open_folder
from penstock.testing import Harness

DAY = 86_400 * 1_000_000
FLOW = "id: f\nnamespace: shop\ntasks:\n  - {id: one, type: log, message: hi}\n"


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stored]:
    opened = Stored(open_folder(tmp_path))
    yield opened
    opened.close()


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("# ours\nTOKEN=of the file\nOTHER='quoted = yes'\n\n")
    file.chmod(0o600)
    secrets = of_machine({"PENSTOCK_SECRET_TOKEN": "of the environment"}, file)

    assert secrets.get("shop", "TOKEN") == "of the environment"
    assert secrets.get("shop", "OTHER") == "quoted = yes"
    assert secrets.get("shop", "NONE") is None


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        (base64.b64encode(b"postgresql://db/x").decode(), "postgresql://db/x"),
        (base64.b64encode("schlüssel".encode()).decode(), "schlüssel"),
        ("just text, with a comma", "just text, with a comma"),
        ("password", "password"),
    ],
)
def test_secrets_of_the_environment_are_base64_or_taken_as_they_are(value: str, secret: str) -> None:
    assert of_machine({"SECRET_X": value}).get("shop", "x") == secret


def test_a_secret_of_a_namespace_comes_before_one_for_all(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("KEY=all\nshop.KEY=shop\nshop.daily.KEY=daily\n")
    file.chmod(0o600)
    secrets = of_machine({}, file)

    found = [secrets.get(namespace, "KEY") for namespace in ("shop.daily.eu", "shop.daily", "shop", "other")]

    assert found == ["daily", "daily", "shop", "all"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604])
def test_a_file_of_secrets_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secrets"
    file.write_text("KEY=x\n")
    file.chmod(mode)

    with pytest.raises(LooseSecrets, match=f"{mode:04o}"):
        of_machine({}, file)


def test_a_file_of_secrets_that_is_missing_or_odd_is_told_without_its_text(tmp_path: Path) -> None:
    file = tmp_path / "secrets"

    with pytest.raises(NoSuchFile):
        of_machine({}, file).get("shop", "KEY")
    file.write_text("KEY=x\nsesame\n")
    file.chmod(0o600)
    with pytest.raises(WrongSetting) as told:
        of_machine({}, file).get("shop", "KEY")
    assert "sesame" not in str(told.value)
    assert ":2:1" in str(told.value)


def test_files_are_held_by_an_address_that_names_no_place(stored: Stored, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"abc")

    uri = stored.put_file("runs/1/a.txt", source)
    stored.get_file(uri, tmp_path / "copy")

    assert uri == "penstock:///runs/1/a.txt"
    assert (tmp_path / "copy").read_bytes() == stored.get("kestra:///runs/1/a.txt") == b"abc"
    assert stored.size(uri) == 3
    assert (stored.delete(uri), stored.delete(uri)) == (True, False)
    with pytest.raises(BlobMissing):
        stored.get(uri)


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "/etc/passwd", "penstock:///../x", "penstock:///a/../../x"])
def test_an_address_of_something_else_is_refused(stored: Stored, uri: str) -> None:
    with pytest.raises(BadBlobAddress):
        stored.get(uri)


def test_runs_past_their_time_go_with_their_files_and_others_stay() -> None:
    with Harness() as harness:
        old = harness.run(FLOW)
        harness.files.put(f"runs/{old.id}/one/1/x", b"x")
        harness.clock.advance(10 * DAY)
        young = harness.run(FLOW)
        harness.clock.advance(DAY)

        removed = prune(harness.core, harness.files, Keep(runs=5 * DAY))

        left = harness.core.store.read(lambda tx: runs.list_runs(tx, runs.Filter()))
        assert (removed.runs, removed.files) == (1, 1)
        assert [run.id for run in left] == [young.id]
        assert harness.ran(young.id).logs() == "hi"


def test_logs_may_go_before_their_run() -> None:
    with Harness() as harness:
        old = harness.run(FLOW)
        harness.clock.advance(10 * DAY)

        removed = prune(harness.core, harness.files, Keep(runs=90 * DAY, logs=5 * DAY))

        assert (removed.runs, removed.log_chunks) == (0, 1)
        assert harness.ran(old.id).status == "success"
        assert harness.ran(old.id).logs() == ""


def test_nothing_goes_when_all_is_kept() -> None:
    with Harness() as harness:
        harness.run(FLOW)
        harness.clock.advance(1000 * DAY)

        removed = prune(harness.core, harness.files, Keep())

        assert removed.runs == removed.log_chunks == 0
