"""How is a step kept? One row each, born when it is queued; the whole as JSON beside what is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.model.run import Step
from penstock.model.status import StepStatus
from penstock.store import codec
from penstock.store.port import Row, Tx


def load(tx: Tx, run_id: str, keys: Sequence[str]) -> dict[str, Step]:
    """Give the steps that exist of these keys."""
    return {step.key: step for step in _steps(tx.all("steps.load", run_id=run_id, keys=list(keys)))} if keys else {}


def load_all(tx: Tx, run_ids: Sequence[str], keys: Sequence[str]) -> dict[tuple[str, str], Step]:
    """Give the steps of these keys in any of these runs, by run and key."""
    rows = tx.all("steps.load_all", runs=list(run_ids), keys=list(keys))
    found = [(str(run_id), codec.step(body)) for run_id, body in rows]
    return {(run_id, step.key): step for run_id, step in found}


def every(tx: Tx, run_id: str) -> list[Step]:
    """Give all steps of a run."""
    return _steps(tx.all("steps.every", run_id=run_id))


def page(
    tx: Tx, run_id: str, limit: int, after: str = "", *, statuses: Sequence[StepStatus] = (), node: str = ""
) -> list[Step]:
    """Give a run's steps behind a key, in the order of their keys."""
    given: dict[str, object] = {"statuses": [str(each) for each in statuses], "node": node}
    params = {name: value for name, value in given.items() if value}
    query = "+".join(("steps.page", *params))
    return _steps(tx.all(query, run_id=run_id, after=after, limit=limit, **params))


def tally(tx: Tx, run_id: str) -> dict[StepStatus, int]:
    """Count a run's steps by status; a status that none has is left out."""
    return {StepStatus(str(status)): codec.number(count) for status, count in tx.all("steps.tally", run_id=run_id)}


def open_steps(tx: Tx, run_id: str) -> list[Step]:
    """Give the steps that have begun and have not ended."""
    return _steps(tx.all("steps.open_steps", run_id=run_id))


def of_nodes(tx: Tx, run_id: str, node_ids: Sequence[str]) -> list[Step]:
    """Give the steps of these nodes, in whichever iteration."""
    return _steps(tx.all("steps.of_nodes", run_id=run_id, nodes=list(node_ids))) if node_ids else []


def save(tx: Tx, run_id: str, steps: Iterable[Step]) -> None:
    """Write steps, new or changed."""
    rows: list[dict[str, object]] = [
        {
            "run_id": run_id,
            "key": step.key,
            "node": step.node,
            "status": step.status.value,
            "attempt": step.attempt,
            "body": codec.text(step),
        }
        for step in steps
    ]
    if rows:
        tx.many("steps.save", rows)


def forget(tx: Tx, run_id: str, iteration: str) -> None:
    """Remove the rows of an iteration and of all that lies in it."""
    tx.many("steps.forget", [{"run_id": run_id, "key": iteration, "first": f"{iteration}/", "end": f"{iteration}0"}])


def _steps(rows: list[Row]) -> list[Step]:
    return [codec.step(body) for (body,) in rows]
