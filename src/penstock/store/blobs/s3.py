"""How are blobs kept in an S3-compatible store? Through obstore, which is loaded when one is opened."""

from __future__ import annotations

import contextlib
import datetime
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from penstock.errors.store import BadBlobAddress, BlobFailed, BlobMissing, DriverMissing
from penstock.store.blobs.port import Found, address, key_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer
    from obstore import ReadableFile
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Store

READ_AHEAD = 1 << 18


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Where in S3: `url` is `s3://bucket/prefix`; what is empty comes from the machine's own AWS settings.

    `patience` bounds, in seconds, how long a call is tried again.
    """

    url: str
    endpoint: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    patience: float = 20.0


def open_s3(bucket: Bucket) -> S3Blobs:
    """Open a bucket for blobs; nothing is asked of it yet."""
    try:
        from obstore.store import S3Store
    except ImportError as missing:
        raise DriverMissing("The package obstore, which speaks to S3, is not installed.") from missing
    name, _, prefix = bucket.url.removeprefix("s3://").partition("/")
    if not bucket.url.startswith("s3://") or not name:
        raise BadBlobAddress(f'"{bucket.url}" is not the address of a bucket: s3://bucket/prefix.')
    settings: S3Config = {}
    if bucket.endpoint:
        settings["endpoint"] = bucket.endpoint
    if bucket.region:
        settings["region"] = bucket.region
    if bucket.access_key_id:
        settings["access_key_id"] = bucket.access_key_id
        settings["secret_access_key"] = bucket.secret_access_key
    if bucket.session_token:
        settings["session_token"] = bucket.session_token
    # A server of one's own answers under paths, AWS under a name of the bucket's own.
    settings["virtual_hosted_style_request"] = not bucket.endpoint
    options: ClientConfig = {"allow_http": bucket.endpoint.startswith("http://")}
    retry: RetryConfig = {"max_retries": 5, "retry_timeout": datetime.timedelta(seconds=bucket.patience)}
    return S3Blobs(
        S3Store(name, prefix=prefix.strip("/") or None, config=settings, client_options=options, retry_config=retry)
    )


class S3Blobs:
    """Blobs in a bucket; large ones go up in parts and appear when the last one is there."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def put(self, source: Path | bytes | BinaryIO, key: str) -> str:
        """Keep a file, bytes or a stream under a key and give its address."""
        import obstore

        uri = address(key)
        with _told(uri):
            obstore.put(self._store, key, source)
        return uri

    def get(self, uri: str) -> bytes:
        """Give a whole blob."""
        import obstore

        with _told(uri):
            return bytes(obstore.get(self._store, key_of(uri)).bytes())

    def open(self, uri: str) -> BinaryIO:
        """Open a blob for reading; parts are fetched as they are read."""
        import obstore

        with _told(uri):
            return io.BufferedReader(_Remote(obstore.open_reader(self._store, key_of(uri))), READ_AHEAD)

    def delete(self, uris: Iterable[str]) -> None:
        """Remove blobs."""
        import obstore

        keys = [key_of(uri) for uri in uris]
        if keys:
            with contextlib.suppress(BlobMissing), _told(f"{len(keys)} blobs"):
                obstore.delete(self._store, keys)

    def list(self, prefix: str = "") -> Iterator[Found]:
        """Give the blobs whose keys begin with `prefix`, by key."""
        import obstore

        # S3 answers by whole parts of a key: ask for the folder, and look at the rest here.
        folder = prefix.rpartition("/")[0]
        with _told(prefix or "the bucket"):
            for batch in obstore.list(self._store, folder or None):
                for meta in batch:
                    key = meta["path"]
                    if key.startswith(prefix):
                        yield Found(address(key), key, meta["size"], int(meta["last_modified"].timestamp() * 1e6))

    def close(self) -> None:
        """Nothing is held that must be let go."""


class _Remote(io.RawIOBase):
    """A blob as Python's own streams see a file."""

    def __init__(self, file: ReadableFile) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        with _told("while it was being read"):
            data = bytes(self._file.read(len(view)))
        view[: len(data)] = data
        return len(data)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError as missing:
        raise BlobMissing(f"There is no blob {what}.") from missing
    except (BaseError, OSError) as error:
        why = str(error).strip().partition("\n")[0]
        raise BlobFailed(f"The blob store failed over {what}: {why}") from error
