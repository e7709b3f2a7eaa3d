"""Is a blob there whole or not at all, under an address that reaches nothing else?"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from penstock.errors.store import BadBlobAddress, BlobFailed, BlobMissing, StoreFull
from penstock.store.blobs.local import open_folder
from penstock.store.blobs.port import BlobStore, address, key_of
from penstock.store.blobs.s3 import Bucket, open_s3
from tests.servers import bucket, s3, server_folder

__all__ = ["bucket", "s3", "server_folder"]


@pytest.fixture(params=["folder", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    """An empty blob store."""
    if request.param == "folder":
        opened: BlobStore = open_folder(tmp_path / "blobs")
    else:
        server, name = request.getfixturevalue("s3"), request.getfixturevalue("bucket")
        opened = open_s3(
            Bucket(
                url=f"s3://{name}/runs",
                endpoint=server.endpoint,
                region=server.region,
                access_key_id=server.access_key,
                secret_access_key=server.secret_key,
            )
        )
    yield opened
    opened.close()


def test_bytes_files_and_streams_come_back_as_they_were(blobs: BlobStore, tmp_path: Path) -> None:
    data = os.urandom(100_000)
    (tmp_path / "given").write_bytes(data)

    uris = [
        blobs.put(data, "r1/a/1/bytes"),
        blobs.put(tmp_path / "given", "r1/each[3]/load/file name.csv"),
        blobs.put(io.BytesIO(data), "r1/ünïcode"),
    ]

    assert uris[1] == "blob:///r1/each[3]/load/file name.csv"
    assert [blobs.get(uri) == data for uri in uris] == [True, True, True]
    with blobs.open(uris[0]) as file:
        file.seek(50_000)
        assert bytes(file.read(10)) == data[50_000:50_010]


def test_a_blob_put_again_is_the_later_one(blobs: BlobStore) -> None:
    blobs.put(b"first", "r1/a")

    uri = blobs.put(b"second", "r1/a")

    assert blobs.get(uri) == b"second"
    assert len(list(blobs.list())) == 1


def test_a_blob_that_is_not_there_is_said_to_be_missing(blobs: BlobStore) -> None:
    with pytest.raises(BlobMissing, match="blob:///r1/nope"):
        blobs.get("blob:///r1/nope")
    with pytest.raises(BlobMissing, match="blob:///r1/nope"):
        blobs.open("blob:///r1/nope")


def test_blobs_are_listed_by_prefix_and_deleted(blobs: BlobStore) -> None:
    uris = [blobs.put(b"x" * size, f"r{size}/a") for size in (1, 2, 12)]

    listed = [(found.key, found.size) for found in blobs.list("r1")]
    blobs.delete([uris[0], "blob:///r9/nope"])

    assert listed == [("r1/a", 1), ("r12/a", 12)]
    assert [found.uri for found in blobs.list()] == sorted(uris[1:])
    with pytest.raises(BlobMissing):
        blobs.get(uris[0])


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\\b", "a\x00b", "a\nb", "x" * 251])
def test_a_key_that_could_reach_elsewhere_is_refused(key: str) -> None:
    with pytest.raises(BadBlobAddress):
        address(key)
    with pytest.raises(BadBlobAddress):
        key_of(f"blob:///{key}")


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "a/b", "s3://bucket/key", "blob://a/b"])
def test_only_our_own_addresses_are_followed(uri: str) -> None:
    with pytest.raises(BadBlobAddress):
        key_of(uri)


def test_a_full_disk_is_told_and_leaves_nothing_half(tmp_path: Path) -> None:
    blobs = open_folder(tmp_path / "blobs")

    with pytest.raises(StoreFull, match="no room left"):
        blobs.put(cast("BinaryIO", FullDisk()), "r1/a")

    assert list(blobs.list()) == []
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


def test_a_source_that_fails_in_the_middle_leaves_the_blob_as_it_was(tmp_path: Path) -> None:
    blobs = open_folder(tmp_path / "blobs")
    uri = blobs.put(b"whole", "r1/a")

    with pytest.raises(FileNotFoundError):
        blobs.put(tmp_path / "nope", "r1/a")

    assert blobs.get(uri) == b"whole"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises((BlobFailed, OSError)):
        open_folder(tmp_path / "file" / "blobs")


def test_a_bucket_that_does_not_answer_is_told() -> None:
    blobs = open_s3(
        Bucket(
            url="s3://nowhere/x",
            endpoint="http://127.0.0.1:9",
            region="us-east-1",
            access_key_id="a",
            secret_access_key="b",
            patience=0.1,
        )
    )

    with pytest.raises(BlobFailed):
        blobs.get("blob:///a")


class FullDisk(io.RawIOBase):
    """A stream whose second read meets a full disk."""

    def __init__(self) -> None:
        self._left = [b"x" * 1000]

    def read(self, size: int = -1) -> bytes:
        if self._left:
            return self._left.pop()
        raise OSError(errno.ENOSPC, "No space left on device")
