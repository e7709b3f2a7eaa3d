"""Does an attempt's log come back byte for byte, whole or in part?"""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from penstock.store.chunks import Level, LogChunk, Piece, Stream, Tail, cut, pack, unpack
from penstock.store.port import Store
from tests.store.makers import NOW

PIECES = st.lists(
    st.builds(
        Piece,
        at=st.integers(NOW, NOW + 10**9),
        stream=st.sampled_from(Stream),
        text=st.binary(max_size=300),
        level=st.sampled_from(Level),
    ),
    min_size=1,
    max_size=20,
)


@given(PIECES)
def test_a_chunk_gives_back_what_was_packed(pieces: list[Piece]) -> None:
    pieces.sort(key=lambda piece: piece.at)

    chunk, tail = pack("r", "a", 1, Tail(3, 100), pieces)

    assert list(unpack(chunk)) == pieces
    assert tail == Tail(4, 100 + sum(len(piece.text) for piece in pieces))
    assert (chunk.first_at, chunk.last_at) == (pieces[0].at, pieces[-1].at)


@given(PIECES, st.integers(0, 3000), st.integers(0, 3000))
def test_a_byte_range_is_that_part_of_the_text(pieces: list[Piece], start: int, end: int) -> None:
    first, tail = pack("r", "a", 1, Tail(), pieces)
    second, _ = pack("r", "a", 1, tail, pieces)
    whole = b"".join(piece.text for piece in pieces) * 2

    part = b"".join(piece.text for piece in cut([first, second], start, end))

    assert part == whole[start:end]


def test_time_never_runs_backwards_in_a_chunk() -> None:
    chunk, _ = pack("r", "a", 1, Tail(), [Piece(NOW + 5, Stream.OUT, b"a\n"), Piece(NOW, Stream.ERR, b"b\n")])

    assert [piece.at for piece in unpack(chunk)] == [NOW + 5, NOW + 5]
    assert (chunk.lines, chunk.streams) == (2, 1 << Stream.OUT | 1 << Stream.ERR)


def test_logs_are_read_by_run_step_and_attempt_in_the_order_written(store: Store) -> None:
    made = [_chunk("a", 1, 0, NOW), _chunk("b", 1, 0, NOW + 1), _chunk("a", 1, 1, NOW + 2), _chunk("a", 2, 0, NOW + 3)]
    store.logs.append(made)
    store.logs.append([msgspec.structs.replace(made[0], run_id="other")])

    assert list(store.logs.read("r")) == made
    assert list(store.logs.read("r", "a")) == [made[0], made[2], made[3]]
    assert list(store.logs.read("r", "a", 1)) == [made[0], made[2]]
    assert (store.logs.size("r"), store.logs.size("r", "a"), store.logs.size("r", "a", 2)) == (40, 30, 10)


def test_a_chunk_said_twice_is_kept_once_and_a_writer_goes_on_after_it(store: Store) -> None:
    chunk = _chunk("a", 1, 0, NOW)

    store.logs.append([chunk])
    store.logs.append([chunk])

    assert list(store.logs.read("r")) == [chunk]
    assert store.logs.tail("r", "a", 1) == Tail(1, 10)
    assert store.logs.tail("r", "a", 2) == Tail()


def test_only_chunks_that_hold_a_wanted_byte_are_read(store: Store) -> None:
    made = [_chunk("a", 1, seq, NOW + seq) for seq in range(5)]
    store.logs.append(made)

    found = list(store.logs.read("r", "a", 1, 15, 30))

    assert found == made[1:3]
    assert len(b"".join(piece.text for piece in cut(found, 15, 30))) == 15


def test_forgotten_logs_are_gone(store: Store) -> None:
    store.logs.append([_chunk("a", 1, 0, NOW)])

    gone = store.logs.delete(["r", "nobody"])

    assert gone == 1
    assert list(store.logs.read("r")) == []


def _chunk(step: str, attempt: int, seq: int, at: int) -> LogChunk:
    return pack("r", step, attempt, Tail(seq, seq * 10), [Piece(at, Stream.OUT, b"123456789\n")])[0]
