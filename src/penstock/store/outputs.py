"""What did attempts hand on, and which values does a loop go through? Small bodies here, large ones as blobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from penstock.model.effect import VALUES_CHUNK
from penstock.model.ids import node_of
from penstock.store import codec
from penstock.store.port import Row, Tx


class Output(msgspec.Struct, frozen=True):
    """What an attempt handed on: JSON text, or the address of a blob that holds it; `size` in bytes."""

    step: str
    attempt: int
    body: str
    uri: str
    size: int

    def values(self) -> dict[str, object]:
        """Read the JSON text; the caller has looked that there is no blob."""
        return codec.data(self.body)


def put(tx: Tx, run_id: str, step: str, attempt: int, outputs_json: bytes | str = "", uri: str = "") -> None:
    """Keep an attempt's outputs: JSON, or the address of the blob that holds it (then `outputs_json` may be empty)."""
    body = outputs_json.decode() if isinstance(outputs_json, bytes) else outputs_json
    row: dict[str, object] = {"run_id": run_id, "step": step, "attempt": attempt, "node": node_of(step)}
    row |= {"body": None if uri else body, "uri": uri or None, "size": len(body.encode())}
    tx.many("outputs.put", [row])


def load(tx: Tx, run_id: str, keys: Sequence[str], without: Collection[tuple[str, int]] = ()) -> dict[str, Output]:
    """Give the newest attempt's outputs of each of these steps that has any, some attempts (step, number) left out."""
    rows = tx.all("outputs.load", run_id=run_id, keys=list(keys)) if keys else []
    return _newest([row for row in rows if (row[0], row[1]) not in without] if without else rows)


def of_step(tx: Tx, run_id: str, step: str) -> list[Output]:
    """Give the outputs of all attempts of one step, older ones first."""
    return [_output(row) for row in tx.all("outputs.of_step", run_id=run_id, step=step)]


def of_nodes(tx: Tx, run_id: str, nodes: Sequence[str]) -> dict[str, Output]:
    """Give, by step key, the newest attempt's outputs of these nodes, in whichever iteration."""
    return _newest(tx.all("outputs.of_nodes", run_id=run_id, nodes=list(nodes))) if nodes else {}


def every(tx: Tx, run_id: str) -> dict[str, Output]:
    """Give, by step key, the newest attempt's outputs of a whole run."""
    return _newest(tx.all("outputs.every", run_id=run_id))


def keep_values(tx: Tx, run_id: str, step: str, values: Sequence[object]) -> None:
    """Keep a loop's values in chunks of VALUES_CHUNK."""
    rows: list[dict[str, object]] = [
        {"run_id": run_id, "step": step, "chunk": chunk, "body": codec.text(values[start : start + VALUES_CHUNK])}
        for chunk, start in enumerate(range(0, len(values), VALUES_CHUNK))
    ]
    if rows:
        tx.many("outputs.keep_values", rows)


def copy_values(tx: Tx, old_run: str, new_run: str) -> None:
    """Give one run the loop values of another."""
    tx.run("outputs.copy_values", old_run=old_run, new_run=new_run)


def values_chunk(tx: Tx, run_id: str, step: str, chunk: int) -> list[object]:
    """Give one chunk of a loop's values; value i stands in chunk i // VALUES_CHUNK. Empty past the last."""
    row = tx.one("outputs.values_chunk", run_id=run_id, step=step, chunk=chunk)
    values = codec.anything(row[0]) if row else []
    assert isinstance(values, list)
    return values


def _newest(rows: list[Row]) -> dict[str, Output]:
    # Older attempts come first, so the newest stands last in the dictionary.
    return {str(row[0]): _output(row) for row in rows}


def _output(row: Row) -> Output:
    step, attempt, body, uri, size = row
    return Output(str(step), codec.number(attempt), str(body or ""), str(uri or ""), codec.number(size))
