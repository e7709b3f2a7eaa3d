"""Is a form in parts read as it was sent, and is what is none refused?"""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest

from penstock.api import multipart
from penstock.api.multipart import PIECE, parts
from penstock.errors.api import BadRequest, WrongMediaType

MARK = "multipart/form-data; boundary=xx"


def sent(files: Any, data: Any = None) -> tuple[io.BytesIO, str]:
    """A form as a client writes it."""
    made = httpx.Request("POST", "http://x", files=files, data=data)
    return io.BytesIO(made.read()), made.headers["content-type"]


def test_fields_and_files_come_as_they_were_sent() -> None:
    body, media = sent({"letter": ("a b.txt", b"one\r\ntwo"), "more": ("m", b"")}, {"who": "Zoë", "empty": ""})

    found = {each.name: each for each in parts(body, media)}

    assert {name: each.file for name, each in found.items()} == {
        "who": None, "empty": None, "letter": "a b.txt", "more": "m",
    }  # fmt: skip
    assert (found["who"].text(), found["empty"].text()) == ("Zoë", "")
    assert (found["letter"].open().read(), found["more"].open().read()) == (b"one\r\ntwo", b"")


@pytest.mark.parametrize("size", [PIECE - 40, PIECE - 4, PIECE - 1, PIECE, PIECE + 3, 3 * PIECE + 7])
def test_a_mark_is_found_wherever_the_pieces_of_reading_end(size: int) -> None:
    body, media = sent({"one": ("1", b"\r\n--" * (size // 4)), "two": ("2", b"second")})

    one, two = parts(body, media)

    assert one.open().read() == b"\r\n--" * (size // 4)
    assert two.open().read() == b"second"
    assert one.open().seek(0, io.SEEK_END) == 4 * (size // 4)


def test_lines_of_a_form_and_nothing_at_all_are_forms_too() -> None:
    lines = parts(io.BytesIO(b"who=ann+b&a=%26"), "application/x-www-form-urlencoded")

    assert [(each.name, each.text()) for each in lines] == [("who", "ann b"), ("a", "&")]
    assert parts(io.BytesIO(b""), "") == []
    assert parts(io.BytesIO(b"--xx--\r\n"), MARK) == []


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"--xx\r\n",
        b"--xx\r\nContent-Disposition: form-data; name=a\r\n\r\nopen",
        b"--xx\r\n\r\n\r\nnameless\r\n--xx--",
        b"--xx\r\nContent-Disposition: form-data; name=a\r\n--xx--",
        b"--yy\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--yy--",
        b"--xx\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 1_100 + b"--xx--",
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parts(io.BytesIO(body), MARK)


def test_a_form_of_another_kind_or_without_a_mark_is_refused() -> None:
    with pytest.raises(WrongMediaType):
        parts(io.BytesIO(b"{}"), "application/json")
    with pytest.raises(BadRequest):
        parts(io.BytesIO(b"--"), "multipart/form-data")


def test_a_text_that_is_none_is_refused() -> None:
    for value in (b"\xff", b"a\0b"):
        (one,) = parts(
            io.BytesIO(b'--xx\r\nContent-Disposition: form-data; name="a\\"b"\r\n\r\n' + value + b"\r\n--xx--"), MARK
        )
        assert one.name == 'a"b'
        with pytest.raises(BadRequest):
            one.text()
    assert multipart.LONGEST_TEXT > PIECE
