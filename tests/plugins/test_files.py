"""Do the task types for stored files keep every byte?"""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from penstock.model.status import Outcome
from penstock.plugins.files.records import backwards, records
from penstock.sdk.local import LocalContext, Told


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    assert told.failure is not None, told.outputs
    return str(told.failure["message"])


def texts(local: LocalContext, uris: object) -> list[str]:
    assert isinstance(uris, list)
    return [local.text(uri) for uri in uris]


def test_a_text_is_written_measured_read_and_deleted(local: LocalContext) -> None:
    uri = ok(local.run("files.write", {"content": "é\r\n", "extension": "csv"}))["uri"]

    assert str(uri).endswith(".csv")
    assert ok(local.run("files.size", {"uri": uri})) == {"size": 4}
    assert ok(local.run("files.read", {"from": uri})) == {"content": "é\r\n", "size": 4}
    assert ok(local.run("files.delete", {"uri": uri})) == {"uri": uri, "deleted": True}
    assert ok(local.run("files.delete", {"uri": uri})) == {"uri": uri, "deleted": False}
    assert "no file" in message(local.run("files.delete", {"uri": uri, "errorOnMissing": True}))


def test_a_large_file_is_not_read_into_an_output(local: LocalContext) -> None:
    uri = local.put("x" * 2000)

    assert "maxSize" in message(local.run("files.read", {"from": uri, "maxSize": "1 KB"}))


def test_concat_puts_the_separator_after_every_file(local: LocalContext) -> None:
    files = f'["{local.put("a")}", "{local.put("b")}"]'

    outputs = ok(
        local.run("io.kestra.plugin.core.storage.Concat", {"files": files, "separator": "-", "extension": ".csv"})
    )

    assert local.text(str(outputs["uri"])) == "a-b-"
    assert str(outputs["uri"]).endswith(".csv")


@pytest.mark.parametrize(
    ("how", "parts"),
    [
        ({"rows": 2}, ["1\n2\n", "3\n4\n", "5\n"]),
        ({"bytes": "4"}, ["1\n2\n", "3\n4\n", "5\n"]),
        ({"partitions": 2}, ["1\n3\n5\n", "2\n4\n"]),
        ({"partitions": 9}, ["1\n", "2\n", "3\n", "4\n", "5\n"]),
    ],
)
def test_a_file_is_split_between_records(local: LocalContext, how: dict[str, object], parts: list[str]) -> None:
    uri = local.put("1\n2\n3\n4\n5", "n.csv")

    outputs = ok(local.run("files.split", {"from": uri, **how}))

    assert texts(local, outputs["uris"]) == parts


@pytest.mark.parametrize("how", [{}, {"rows": 1, "bytes": 1}, {"rows": 0}, {"partitions": -1}])
def test_a_split_needs_exactly_one_size(local: LocalContext, how: dict[str, object]) -> None:
    assert "Exactly one" in message(local.run("files.split", {"from": local.put("1"), **how}))


def test_an_empty_file_has_no_parts(local: LocalContext) -> None:
    assert ok(local.run("files.split", {"from": local.put(""), "rows": 1})) == {"uris": []}


@pytest.mark.parametrize(("text", "turned"), [("1\n2\n3\n", "3\n2\n1\n"), ("1\n2", "2\n1\n"), ("", ""), ("\n", "\n")])
def test_a_file_is_turned_round(local: LocalContext, text: str, turned: str) -> None:
    outputs = ok(local.run("files.reverse", {"from": local.put(text)}))

    assert local.text(str(outputs["uri"])) == turned


@given(
    content=some.lists(some.sampled_from([b"a", b"bc", b"", b";", b"x" * 50])),
    separator=some.sampled_from([b"\n", b"--"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_records_come_whole_in_both_directions(tmp_path: Path, content: list[bytes], separator: bytes) -> None:
    path = tmp_path / "records"
    path.write_bytes(b"".join(record + separator for record in content))

    assert list(records(path, separator)) == content
    assert list(backwards(path, separator)) == content[::-1]


@pytest.mark.parametrize("compression", ["GZIP", "BZIP2", "XZ", "ZSTD"])
def test_what_is_compressed_comes_back(local: LocalContext, compression: str) -> None:
    uri = local.put("abc" * 10_000, "a.csv")

    small = ok(local.run("files.compress", {"from": uri, "compression": compression}))["uri"]
    back = ok(local.run("files.decompress", {"from": small, "compression": compression}))["uri"]

    assert local.path(str(small)).stat().st_size < 1000
    assert local.text(str(back)) == "abc" * 10_000


def test_a_bomb_is_stopped_at_its_limit(local: LocalContext) -> None:
    small = ok(local.run("files.compress", {"from": local.put("0" * 3_000_000)}))["uri"]

    assert "maxSize" in message(local.run("files.decompress", {"from": small, "maxSize": "1 MB"}))


@pytest.mark.parametrize(
    "how", [{"algorithm": "ZIP"}, {"algorithm": "TAR"}, {"algorithm": "TAR", "compression": "ZSTD"}]
)
def test_what_is_packed_comes_out_again(local: LocalContext, how: dict[str, object]) -> None:
    files = {"a.txt": local.put("a"), "sub/b.txt": local.put("b")}

    packed = ok(local.run("files.pack", {"from": files, **how}))["uri"]
    outputs = ok(local.run("files.unpack", {"from": packed, **how}))["files"]

    assert isinstance(outputs, dict)
    assert {name: local.text(uri) for name, uri in outputs.items()} == {"a.txt": "a", "sub/b.txt": "b"}


def test_an_archive_cannot_reach_outside_of_the_folder(local: LocalContext, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../evil", "x")
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("/etc/evil"))

    for kind in ("zip", "tar"):
        uri = local.put((tmp_path / f"evil.{kind}").read_bytes())
        assert "outside the working directory" in message(local.run("files.unpack", {"from": uri, "algorithm": kind}))


def test_links_in_an_archive_are_left_out(local: LocalContext, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "links.tar", "w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)

    uri = local.put((tmp_path / "links.tar").read_bytes())

    assert ok(local.run("files.unpack", {"from": uri, "algorithm": "TAR"})) == {"files": {}}
