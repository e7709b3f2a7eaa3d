"""Is what a process prints kept as promised: in lines, without secrets, up to a cap, whatever the reads cut it into?"""

from __future__ import annotations

import base64
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.services.secrets.masks import Masks
from penstock.services.worker.capture import LONGEST_LINE, Capture, Source
from penstock.store.chunks import Level, Piece, Stream


class Book:
    """A capture that keeps its pieces."""

    def __init__(self, *secrets: str, cap: int = 10_000_000) -> None:
        self.pieces: list[Piece] = []
        self.heard: list[dict[str, object]] = []
        self.capture = Capture(self.pieces.append, Masks(secrets), cap)
        self.out = Source(Stream.OUT, self.heard.append)

    def read(self, *parts: bytes) -> bytes:
        """Read parts to the end; gives the text kept."""
        for part in parts:
            self.capture.read(self.out, part, 1)
        self.capture.end(self.out, 1)
        return b"".join(piece.text for piece in self.pieces)


def test_lines_are_put_together_from_reads() -> None:
    book = Book()

    text = book.read(b"one\ntw", b"o\nthr", b"ee")

    assert text == b"one\ntwo\nthree"
    assert [piece.text for piece in book.pieces] == [b"one\n", b"two\n", b"three"]
    assert book.out.lines == 3


@given(st.lists(st.integers(min_value=0, max_value=60)), st.integers(min_value=0, max_value=3))
def test_a_secret_never_shows_however_the_reads_cut_it(cuts: list[int], kind: int) -> None:
    secret = "p4ss/w\u00f6rd"
    printed = [secret.encode(), b"p4ss%2Fw%C3%B6rd", base64.b64encode(secret.encode()), b"p4ss/w\\u00f6rd"][kind]
    text = b"before " + printed + b" after\nnext line\n"
    book = Book(secret)
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})

    kept = book.read(*[text[start:end] for start, end in pairwise(places)])

    assert printed not in kept
    assert kept.startswith(b"before ********")
    assert kept.endswith(b" after\nnext line\n")


def test_a_secret_across_the_place_where_a_long_line_is_split_never_shows() -> None:
    secret = "correct horse battery"
    book = Book(secret)
    text = b"x" * (LONGEST_LINE - 5) + secret.encode() + b"y" * LONGEST_LINE

    kept = book.read(*[text[start : start + 1000] for start in range(0, len(text), 1000)])

    assert b"correct" not in kept
    assert b"battery" not in kept


def test_each_line_of_a_secret_of_many_lines_is_hidden() -> None:
    book = Book("-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----\n")

    kept = book.read(b"key: abcdefgh\n")

    assert kept == b"key: ********\n"


def test_a_secret_learned_later_is_hidden_from_then_on() -> None:
    masks = Masks()
    pieces: list[Piece] = []
    capture = Capture(pieces.append, masks, 1000)
    source = Source(Stream.OUT)

    capture.read(source, b"one hunter22\n", 1)
    masks.add("hunter22")
    capture.read(source, b"two hunter22\n", 1)

    assert [piece.text for piece in pieces] == [b"one hunter22\n", b"two ********\n"]


def test_a_line_over_64_kb_is_split() -> None:
    book = Book()

    kept = book.read(b"a" * 200_000 + b"\nend\n")

    assert max(len(line) for line in kept.split(b"\n")) <= LONGEST_LINE
    assert kept.count(b"a") == 200_000
    assert kept.endswith(b"\nend\n")


def test_a_line_that_never_ends_does_not_grow_in_memory() -> None:
    book = Book()

    for _ in range(100):
        book.capture.read(book.out, b"a" * 10_000, 1)

    assert len(book.out.rest) <= LONGEST_LINE
    assert sum(len(piece.text) for piece in book.pieces) > 900_000


def test_the_cap_is_said_and_the_rest_dropped() -> None:
    book = Book(cap=2_000_000)

    kept = book.read(*[b"0123456789\n" * 1000] * 300)

    assert len(kept) < 2_000_100
    assert kept.endswith(b"0123456789\nThe log has come to its cap of 2 MB; the rest is dropped.\n")
    assert book.pieces[-1].stream is Stream.SYSTEM
    assert book.out.lines == 300_000
    assert book.capture.dropped > 1_000_000


def test_a_protocol_line_is_heard_and_is_no_line_of_the_log() -> None:
    book = Book()

    kept = book.read(b'before\n::{"outputs": {"n"', b": 1}}::\nafter\n")

    assert book.heard == [{"outputs": {"n": 1}}]
    assert kept == b"before\nafter\n"
    assert book.out.lines == 3


def test_a_protocol_line_may_be_longer_than_a_line_of_the_log() -> None:
    book = Book()
    body = b'::{"outputs": {"text": "' + b"x" * 500_000 + b'"}}::\n'

    kept = book.read(*[body[start : start + 65_536] for start in range(0, len(body), 65_536)])

    assert kept == b""
    assert book.heard == [{"outputs": {"text": "x" * 500_000}}]


def test_bad_json_in_a_protocol_line_is_a_warning() -> None:
    book = Book()

    book.read(b"::{no json}::\n")

    assert book.heard == []
    assert book.pieces[0].level is Level.WARNING


def test_a_protocol_line_within_other_text_is_text() -> None:
    book = Book()

    kept = book.read(b'see ::{"a": 1}:: there\n')

    assert book.heard == []
    assert kept == b'see ::{"a": 1}:: there\n'


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_whatever_is_printed_is_kept_byte_for_byte(parts: list[bytes]) -> None:
    book = Book()
    book.out.heard = None

    assert book.read(*parts) == b"".join(parts)
