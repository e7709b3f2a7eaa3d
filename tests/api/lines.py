"""What does a server answer to bytes on a line? Its answers, cut up by nothing but what they say of their lengths."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence

import msgspec

from penstock.api.serve import Server

PATIENCE = 30
HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")


class Answer(msgspec.Struct, frozen=True):
    """One answer, as it was cut off what came."""

    status: int
    headers: dict[str, str]
    body: bytes


def said(server: Server, sent: bytes) -> bytes:
    """All that a server answers to some bytes until it closes."""
    came = b""
    with socket.create_connection((server.host, server.port), timeout=PATIENCE) as line:
        line.sendall(sent)
        while piece := line.recv(65_536):
            came += piece
    return came


def answers(server: Server, sent: bytes, heads: Sequence[bool] = ()) -> list[Answer]:
    """What a server answers until it closes; `heads` tells which of the calls ask for no body."""
    return list(_cut(said(server, sent), heads or [sent.startswith(b"HEAD ")]))


def call(method: str, where: str, *more: str, last: bool = False) -> bytes:
    """A call without a body, as it goes over the line."""
    head = [f"{method} {where} HTTP/1.1", "Host: x", *more, *(["Connection: close"] if last else [])]
    return "\r\n".join((*head, "", "")).encode("latin-1")


def _cut(came: bytes, heads: Sequence[bool]) -> Iterator[Answer]:
    came, number = came.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"), 0
    while came:
        found = HEAD.match(came)
        assert found, f"this is no answer: {came[:200]!r}"
        pairs = (each.decode("latin-1").partition(": ") for each in found[2].split(b"\r\n")[:-1])
        headers = {name.lower(): value for name, _, value in pairs}
        status, came = int(found[1]), came[found.end() :]
        length = 0
        if (number < len(heads) and heads[number]) or status in (204, 304):
            pass
        elif headers.get("transfer-encoding") == "chunked":
            length = came.index(b"0\r\n\r\n") + 5
        else:
            length = int(headers["content-length"]) if "content-length" in headers else len(came)
        assert len(came) >= length, "an answer is shorter than it says"
        yield Answer(status, headers, came[:length])
        came, number = came[length:], number + 1
