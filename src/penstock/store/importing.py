"""How does history that left a store as lines of JSON come into another one? Run by run, and then it is compared.

Lines hold flows and what has been, not what was to come: a run that had not ended is left out, since nothing would end
it here.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from penstock.errors.store import NotAStore, Unlike
from penstock.model.ids import node_of
from penstock.model.run import Attempt, Run, Step
from penstock.store import attempts, events, exporting, metrics, runs, steps
from penstock.store.carrying import MODULUS
from penstock.store.chunks import Level, LogChunk, Piece, Stream, Tail, pack
from penstock.store.events import Told
from penstock.store.flows import Revision
from penstock.store.metrics import Metric
from penstock.store.outputs import Output
from penstock.store.port import Store, Tx

T = TypeVar("T")
LOG: Final = "log"
PIECES: Final = 500


class Line(msgspec.Struct, frozen=True):
    """One line: what it is, the run that it belongs to, and the thing itself."""

    what: str
    run: str
    value: dict[str, Any]


READ: Final = msgspec.json.Decoder(Line)


class Said(msgspec.Struct, frozen=True):
    """A piece of what a task said."""

    step: str
    attempt: int
    at: int
    stream: str
    level: str
    text: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What has come in, and what was left out because it had not ended."""

    revisions: int = 0
    runs: int = 0
    lines: int = 0
    left_out: tuple[str, ...] = ()


def read_in(store: Store, file: Path) -> Imported:
    """Put the lines of a file into an empty store, and compare what it tells then with them. Raises NotAStore, Unlike.

    Events are numbered anew.
    """
    revisions, count, logs = 0, 0, False
    expected, left_out = (0, 0), []
    for run, block in itertools.groupby(_lines(file), key=lambda line: line.run):
        found = list(block)
        if run and not _has_ended(found[0]):
            left_out.append(run)
            continue
        store.write(partial(_run, run=run, found=found) if run else partial(_revisions, found=found))
        store.logs.append(list(_chunks(run, found)))
        logs = logs or any(line.what == LOG for line in found)
        expected = _added(expected, found)
        revisions, count = revisions + (0 if run else len(found)), count + bool(run)
    told = _added((0, 0), (READ.decode(line) for line in exporting.lines(store, logs=logs)))
    if told != expected:
        raise Unlike(f"Of {expected[0]} lines of {file} the store tells {told[0]}, or others.")
    return Imported(revisions=revisions, runs=count, lines=expected[0], left_out=tuple(left_out))


def _lines(file: Path) -> Iterator[Line]:
    with file.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            try:
                yield READ.decode(line)
            except msgspec.DecodeError as wrong:
                sentence = f"Line {number} of {file} is none of an export: {wrong}."
                raise NotAStore(sentence, hint="`penstock db export` writes exports, `db backup` copies.") from None


def _has_ended(line: Line) -> bool:
    """Whether a run is over, and all that went on beside it."""
    run = _read(line, Run)
    return line.what == "run" and run.status.ended and not run.open


def _added(total: tuple[int, int], lines: Iterable[Line]) -> tuple[int, int]:
    """A count and a sum of digests with these lines: the same for the same lines in any order."""
    count, digest = total
    for line in lines:
        value = {name: each for name, each in line.value.items() if (line.what, name) != ("event", "id")}
        body = msgspec.json.encode((line.what, line.run, value), order="sorted")
        count += 1
        digest += int.from_bytes(hashlib.blake2b(body, digest_size=16).digest(), "big")
    return count, digest % MODULUS


def _revisions(tx: Tx, found: list[Line]) -> None:
    rows = [msgspec.structs.asdict(_read(line, Revision)) for line in found]
    tx.many("importing.revision", rows)
    for row in rows:
        tx.run("importing.flow", **{name: row[name] for name in ("namespace", "id", "revision", "created_at")})


def _run(tx: Tx, run: str, found: list[Line]) -> None:
    by_kind: dict[str, list[Line]] = {}
    for line in found:
        by_kind.setdefault(line.what, []).append(line)
    runs.insert(tx, _read(by_kind["run"][0], Run))
    steps.save(tx, run, [_read(line, Step) for line in by_kind.get("step", ())])
    attempts.append(tx, run, [_read(line, Attempt) for line in by_kind.get("attempt", ())])
    told = [_read(line, Told) for line in by_kind.get("event", ())]
    events.append(tx, run, [(one.event, one.at, one.accepted, one.worker, one.fence) for one in told])
    handed = [_read(line, Output) for line in by_kind.get("outputs", ())]
    tx.many("outputs.put", [_output(run, one) for one in handed])
    metrics.append(tx, run, [_read(line, Metric) for line in by_kind.get("metric", ())])


def _output(run: str, one: Output) -> dict[str, object]:
    row: dict[str, object] = {"run_id": run, "node": node_of(one.step), "body": None if one.uri else one.body}
    return row | {"step": one.step, "attempt": one.attempt, "uri": one.uri or None, "size": one.size}


def _chunks(run: str, found: list[Line]) -> Iterator[LogChunk]:
    """What the tasks of a run said, in chunks as a worker makes them: in none does time run backwards."""
    said: dict[tuple[str, int], list[Piece]] = {}
    for line in found:
        if line.what == LOG:
            value = _read(line, Said)
            piece = Piece(value.at, Stream[value.stream.upper()], value.text.encode(), Level[value.level.upper()])
            said.setdefault((value.step, value.attempt), []).append(piece)
    for (step, attempt), pieces in said.items():
        tail, start = Tail(), 0
        for end in range(1, len(pieces) + 1):
            if end == len(pieces) or end - start == PIECES or pieces[end].at < pieces[end - 1].at:
                chunk, tail = pack(run, step, attempt, tail, pieces[start:end])
                start = end
                yield chunk


def _read(line: Line, kind: type[T]) -> T:
    try:
        return msgspec.convert(line.value, kind)
    except msgspec.ValidationError as wrong:
        raise NotAStore(f"A line of the export is of no {line.what} that is known here: {wrong}.") from None
