"""Is every form of a secret hidden, wherever it is cut, and nothing hidden that is no secret?"""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.services.secrets.masks import KnownMasks, Masks, is_grave
from penstock.services.worker.capture import Capture, Source
from penstock.store.chunks import Piece, Stream

SECRET = "p4ss/w\u00f6rd 'of' <ours>"
KEY = "-----BEGIN KEY-----\nq8Zt1/7Hn+02xYwPl\nmM4kD9sVb6RtQ==\n-----END KEY-----\n"


@given(
    secret=st.text(
        st.characters(codec="utf-8", exclude_characters="\0\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), min_size=8
    ),
    before=st.binary(max_size=7),
    after=st.binary(max_size=7),
)
def test_base64_of_a_secret_among_other_bytes_does_not_tell_it(secret: str, before: bytes, after: bytes) -> None:
    masks = Masks([secret])
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        coded = code(before + secret.encode() + after)

        hidden = masks.hide(coded)

        # what is left of it is less than a byte at each end
        assert len(hidden.replace(b"*", b"")) <= len(coded) - (len(secret.encode()) * 8 // 6 - 2)


@given(cuts=st.lists(st.integers(0, 200), max_size=12), form=st.integers(0, 4))
def test_no_form_shows_however_the_reads_cut_it(cuts: list[int], form: int) -> None:
    whole = base64.b64encode(b"user:" + SECRET.encode() + b"@db").decode()
    told = [SECRET, json.dumps({"a": SECRET}), json.dumps(json.dumps(SECRET)), whole, KEY][form]
    masks, pieces = Masks([SECRET, KEY]), list[Piece]()
    capture, source = Capture(pieces.append, masks, 1_000_000), Source(Stream.OUT)
    text = f"before {told} after\n".encode()
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})

    for start, end in itertools.pairwise(places):
        capture.read(source, text[start:end], 1)

    kept = b"".join(piece.text for piece in pieces)
    assert b"********" in kept and b"before " in kept
    assert not any(part in kept for part in (b"p4ss", b"cDRzcy93w7ZyZ", b"q8Zt1", b"mM4kD"))


def test_what_others_work_with_keeps_words_that_are_a_secret_by_chance() -> None:
    masks = Masks(["warehouse", "5432", "Tr0ub4dor", "a-long-host-name"])
    value = {"table": "warehouse.orders", "port": "5432", "file": "penstock:///runs/Tr0ub4dor"}

    assert masks.hide_data(value) == value
    assert Masks().hide_data(value) is value
    assert masks.hide_data({"Tr0ub4dor": ["xTr0ub4dor", 1, None]}) == {"********": ["x********", 1, None]}
    assert masks.hide_text("warehouse 5432") == "******** ********"
    assert [is_grave(secret) for secret in ("postgres", "Postgres", "a-long-word!", "5432")] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("body", "safe"),
    [
        (b"say Tr0ub4dor\n", b"say ********\n"),
        (b"\0Tr0ub4dor\0", b"\0*********\0"),
        (b"nothing", None),
    ],
)
def test_a_file_is_kept_without_its_secrets(tmp_path: Path, body: bytes, safe: bytes | None) -> None:
    file = tmp_path / "file"
    file.write_bytes(body)

    assert Masks(["Tr0ub4dor"]).file_without(file) == safe
    assert file.read_bytes() == body


def test_what_one_attempt_unseals_is_hidden_in_all_of_its_run_and_in_no_other() -> None:
    known = KnownMasks()
    known.of("one").add("hunter-22")

    assert known.of("one").hide_text("hunter-22") == "********"
    assert known.of("other").hide_text("hunter-22") == "hunter-22"


def test_what_is_hidden_in_logs_alone_may_be_handed_on_until_it_is_a_secret_elsewhere() -> None:
    masks = Masks()
    masks.add_to_logs("hunter-22")

    assert (masks.hide_text("hunter-22"), masks.hide_data(["hunter-22"])) == ("********", ["hunter-22"])
    masks.add("hunter-22")
    assert masks.hide_data(["hunter-22"]) == ["********"]
