"""In how few bytes can an answer travel? As zstd or gzip, whichever the caller takes, where it is worth it."""

from __future__ import annotations

import gzip
from typing import Final

import zstandard

LEAST: Final = 1024
ZSTD_LEVEL: Final = 3
GZIP_LEVEL: Final = 5


def packed(body: bytes, accepted: str) -> tuple[bytes, str]:
    """The body as it is to be sent, and its encoding; empty where it goes as it is."""
    if len(body) < LEAST or not accepted:
        return body, ""
    takes = _wanted(accepted)
    if "zstd" in takes:
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body), "zstd"
    if "gzip" in takes:
        return gzip.compress(body, GZIP_LEVEL, mtime=0), "gzip"
    return body, ""


def _wanted(accepted: str) -> set[str]:
    """The encodings that a caller takes; `q=0` is a refusal."""
    found = set()
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            found.add(name.strip())
    return found
