"""How does all history leave the store? As JSON lines, one value each, that any tool can read."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import msgspec

from penstock.model.run import Run
from penstock.store import attempts, chunks, codec, events, flows, metrics, outputs, runs, steps
from penstock.store.port import Store, Tx

BATCH = 100


def lines(store: Store, *, logs: bool = False) -> Iterator[str]:
    """Give one JSON object a line, `{"what": …, "run": …, "value": …}`: flows' revisions, then runs, newest first.

    A run is read as it stands at one moment, with its steps, attempts, events, outputs and metrics; `logs` adds text.
    """
    yield from store.read(_flows)
    before = ""
    while found := store.read(functools.partial(_batch, before=before)):
        for run in found:
            yield from store.read(functools.partial(_run, listed=run))
            if logs:
                yield from _logs(store, run)
        before = found[-1].id


def _batch(tx: Tx, before: str) -> list[Run]:
    return runs.list_runs(tx, runs.Filter(every=True), BATCH, before)


def _flows(tx: Tx) -> list[str]:
    listed = flows.list_flows(tx)
    return [_line("revision", "", one) for flow in listed for one in flows.revisions(tx, flow.namespace, flow.id)]


def _run(tx: Tx, listed: Run) -> list[str]:
    run = runs.load(tx, listed.id) or listed
    told: list[str] = [_line("run", run.id, run)]
    told += [_line("step", run.id, step) for step in steps.every(tx, run.id)]
    told += [_line("attempt", run.id, attempt) for attempt in attempts.every(tx, run.id)]
    told += [_line("event", run.id, event) for event in events.every(tx, run.id)]
    told += [_line("outputs", run.id, output) for output in outputs.every(tx, run.id).values()]
    told += [_line("metric", run.id, metric) for metric in metrics.every(tx, run.id)]
    return told


def _logs(store: Store, run: Run) -> Iterator[str]:
    for chunk in store.logs.read(run.id):
        for piece in chunks.unpack(chunk):
            value = {
                "step": chunk.step,
                "attempt": chunk.attempt,
                "at": piece.at,
                "stream": piece.stream.name.lower(),
                "level": piece.level.name.lower(),
                "text": piece.text.decode(errors="replace"),
            }
            yield _line("log", run.id, value)


def _line(what: str, run: str, value: object) -> str:
    return codec.text({"what": what, "run": run, "value": msgspec.to_builtins(value)})
