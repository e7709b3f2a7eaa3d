"""Where does the newest checkpoint of a job lie that Flink no longer knows?

Flink keeps `DIRECTORY/JOB/chk-N/_metadata` for each checkpoint that is complete. A JobManager that was killed has
forgotten its jobs, and only these files tell how far one had come.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from penstock.sdk.task import TaskFailed

WHOLE: Final = re.compile(r"chk-(\d+)/_metadata$")


def newest(directory: str, job: str) -> str:
    """The address of a job's newest complete checkpoint; empty where it has none. Raises TaskFailed.

    `directory` is a file:// address, a path, or an s3:// address, whose keys and endpoint are those of the
    environment, as AWS names them.
    """
    found = {int(match[1]): path for path in _files(directory, job) if (match := WHOLE.search(path))}
    return found[max(found)].removesuffix("/_metadata") if found else ""


def _files(directory: str, job: str) -> Iterator[str]:
    split = urlsplit(directory)
    match split.scheme:
        case "" | "file":
            folder = Path(unquote(split.path)) / job
            return (f"file://{path}" for path in folder.glob("chk-*/_metadata"))
        case "s3" | "s3a" | "s3p":
            return _objects(directory, job)
        case other:
            raise TaskFailed(
                f"Checkpoints at {other}:// cannot be looked for: say where the job is to begin, in `from`."
            )


def _objects(directory: str, job: str) -> Iterator[str]:
    from obstore.store import S3Store

    split = urlsplit(directory)
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("S3_ENDPOINT")
    store = S3Store(
        split.netloc,
        endpoint=endpoint,
        virtual_hosted_style_request=False,
        client_options={"allow_http": bool(endpoint and endpoint.startswith("http:"))},
    )
    prefix = f"{split.path.strip('/')}/{job}/".lstrip("/")
    for page in store.list(prefix):
        for each in page:
            yield f"{split.scheme}://{split.netloc}/{each['path']}"
