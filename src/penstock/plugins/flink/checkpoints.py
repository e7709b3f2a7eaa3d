"""Where does the newest checkpoint or savepoint of a job lie that Flink no longer knows?

Flink keeps `DIRECTORY/JOB/chk-N/_metadata` for each checkpoint that is complete, and for each savepoint
`DIRECTORY/savepoint-JOB…/_metadata`, with the beginning of the job's id. A JobManager that was killed has forgotten its
jobs, and only these files tell how far one had come. Both are numbered together; a savepoint's number stands in its
file.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from penstock.sdk.task import TaskFailed

WHOLE: Final = re.compile(r"chk-(\d+)/_metadata$")
FILE: Final = "_metadata"
# How the file begins: a mark, the version of what follows, and the number of the checkpoint.
HEAD: Final = struct.Struct(">IiQ")
MARK: Final = 0x4960672D
# So much of a job's id stands in the name of its savepoints.
SHORT: Final = 6


def newest(checkpoints: str, savepoints: str, job: str) -> str:
    """The address of the newest that is complete; empty where there is none. Raises TaskFailed.

    Directories are file:// addresses, paths, or s3:// addresses, whose keys and endpoint are those of the environment,
    as AWS names them; an empty one is not looked at.
    """
    found: dict[int, str] = {}
    if savepoints:
        folder = _folder(savepoints)
        for path in folder.files(f"savepoint-{job[:SHORT]}-"):
            if path.endswith(f"/{FILE}") and (number := _number(folder.head(path))) is not None:
                found[number] = path
    if checkpoints:
        numbered = {
            int(match[1]): path for path in _folder(checkpoints).files(f"{job}/") if (match := WHOLE.search(path))
        }
        found.update(numbered)
    return found[max(found)].removesuffix(f"/{FILE}") if found else ""


def unseen(directory: str, job: str) -> str:
    """The folder of this machine that cannot be looked into, of where a job's checkpoints are; empty where all can."""
    split = urlsplit(directory)
    if not directory or split.scheme not in ("", "file"):
        return ""
    root = Path(unquote(split.path))
    own = root / job
    if not os.access(root, os.R_OK | os.X_OK):
        return str(root)
    # Flink makes it as the job begins, and may take it away as it ends
    return str(own) if os.path.lexists(own) and not os.access(own, os.R_OK | os.X_OK) else ""


def is_of(place: str, job: str) -> bool:
    """Whether a savepoint or checkpoint was written by this job, and not by one before it."""
    return f"/savepoint-{job[:SHORT]}-" in place or f"/{job}/chk-" in place


def _number(head: bytes) -> int | None:
    if len(head) < HEAD.size:
        return None
    mark, _, number = HEAD.unpack(head[: HEAD.size])
    return int(number) if mark == MARK else None


class Folder(Protocol):
    """Files below a place."""

    def files(self, begin: str) -> Iterator[str]:
        """The addresses of those whose path in it begins so."""

    def head(self, path: str) -> bytes:
        """How one of them begins."""


def _folder(directory: str) -> Folder:
    split = urlsplit(directory)
    match split.scheme:
        case "" | "file":
            return _Disk(Path(unquote(split.path)))
        case "s3" | "s3a" | "s3p":
            return _Bucket(f"{split.scheme}://{split.netloc}", split.netloc, split.path.strip("/"))
        case other:
            raise TaskFailed(
                f"Checkpoints at {other}:// cannot be looked for: say where the job is to begin, in `from`."
            )


class _Disk:
    """A folder of this machine, or one that it shares."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self, begin: str) -> Iterator[str]:
        inner = "chk-*/" if begin.endswith("/") else ""
        return (
            f"file://{path}" for path in self._path.glob(f"{begin.rstrip('/')}{'*' if not inner else ''}/{inner}{FILE}")
        )

    def head(self, path: str) -> bytes:
        with Path(path.removeprefix("file://")).open("rb") as file:
            return file.read(HEAD.size)


class _Bucket:
    """Objects of a store that speaks S3."""

    def __init__(self, root: str, bucket: str, prefix: str) -> None:
        from obstore.store import S3Store

        endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("S3_ENDPOINT")
        self._root, self._prefix = root, prefix
        self._store: Any = S3Store(
            bucket,
            endpoint=endpoint,
            virtual_hosted_style_request=False,
            client_options={"allow_http": bool(endpoint and endpoint.startswith("http:"))},
        )

    def files(self, begin: str) -> Iterator[str]:
        # a prefix of this store ends with a whole name
        whole, _, part = f"{self._prefix}/{begin}".lstrip("/").rpartition("/")
        for page in self._store.list(whole or None):
            for each in page:
                if each["path"].removeprefix(f"{whole}/").startswith(part):
                    yield f"{self._root}/{each['path']}"

    def head(self, path: str) -> bytes:
        return bytes(self._store.get_range(path.removeprefix(f"{self._root}/"), start=0, length=HEAD.size))
