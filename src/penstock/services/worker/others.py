"""What may a task ask of other runs? To count them, to let one go on, to remove what is over: itself never."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Final, Protocol, cast

import msgspec

from penstock.errors.run import UnknownRun
from penstock.model.policy import SECOND
from penstock.model.run import Run, Step
from penstock.model.status import RunStatus, StepStatus
from penstock.sdk.context import Ask
from penstock.services import operate
from penstock.services.core import Core
from penstock.services.document import instant
from penstock.store import prune, runs, steps
from penstock.store.port import Tx

PAGE: Final = 200
OUTPUTS: Final = "outputs.json"  # what a step hands on, when it is too large for a row


class Files(Protocol):
    """What is asked of the stored files."""

    def forget(self, prefixes: Iterable[str]) -> int:
        """Forget everything whose key begins with one of these, and tell how much it was."""

    def clear(self, prefix: str, kept: str) -> list[str]:
        """Forget what has a key that begins so and a name other than `kept`; gives the addresses."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs are meant, and of those that are to go, which parts."""

    namespace: str = ""
    flow: str = ""
    states: tuple[RunStatus, ...] = ()
    since: int | None = None
    until: int | None = None
    runs: bool = True
    logs: bool = True
    metrics: bool = True
    files: bool = True


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs are counted: those of flows, each by itself, or of whole namespaces; none named means all."""

    flows: tuple[dict[str, str], ...] = ()
    namespaces: tuple[str, ...] = ()
    states: tuple[RunStatus, ...] = ()
    since: int | None = None
    until: int | None = None


# Looked at when nobody else runs: two threads that have msgspec do so for the first time crash Python.
SEEN: Final = (msgspec.json.Decoder(Wanted), msgspec.json.Decoder(Meant))


def answer(core: Core, asking: Run, asked: Ask, body: Mapping[str, object]) -> object:
    """Answer a question about other runs. Raises PenstockError, which says why not."""
    match asked:
        case Ask.RUN_RESUME:
            inputs = body.get("inputs")
            given = {str(name): value for name, value in inputs.items()} if isinstance(inputs, Mapping) else {}
            operate.resume(core, str(body["run"]), f"run {asking.id}", inputs=given)
            return None
        case Ask.RUNS_COUNT:
            return _counted(core, msgspec.convert(dict(body), Meant))
        case _:
            return _purged(core, asking, msgspec.convert(dict(body), Wanted))


def tell(core: Core, run_id: str) -> dict[str, object]:
    """How a run stands: its state, times, the first task that failed and the one that ended last. Raises UnknownRun."""
    run, rows = core.store.read(partial(_gathered, run_id))
    ended = sorted((step for step in rows if step.group is None and step.ended_at), key=_ended_at)
    failed = next((step for step in ended if step.status is StepStatus.FAILED), None)
    until = run.ended_at or core.clock.now()
    standing = run.root.verdict or run.root.result or run.status
    failure = run.failure or run.root.failure
    return {
        "id": run.id,
        "namespace": run.namespace,
        "flow": run.flow,
        "state": str(run.status if run.status.ended else standing).upper(),
        "start": instant(run.started_at or run.created_at),
        "duration": (until - (run.started_at or run.created_at)) / SECOND,
        "error": failure.message if failure else "",
        "failed": _told_of(failed) if failed else None,
        "last": _told_of(ended[-1]) if ended else None,
    }


def _gathered(run_id: str, tx: Tx) -> tuple[Run, list[Step]]:
    run = runs.load(tx, run_id)
    if run is None:
        raise UnknownRun(f"There is no run {run_id}.")
    return run, [step for step in steps.every(tx, run_id) if "#" not in step.key]


def _ended_at(step: Step) -> int:
    return step.ended_at or 0


def _told_of(step: Step) -> dict[str, object]:
    return {
        "task": step.node,
        "step": step.key,
        "state": step.status.value.upper(),
        "message": step.failure.message if step.failure else "",
    }


def purge_files(core: Core, run: Run) -> list[str]:
    """Remove every file that the tasks of a run have stored; gives their addresses."""
    return _files(core).clear(f"runs/{run.id}/", OUTPUTS)


def _counted(core: Core, meant: Meant) -> list[dict[str, object]]:
    places = [(each.get("namespace", ""), each.get("flowId") or each.get("flow", "")) for each in meant.flows]
    places += [(namespace, "") for namespace in meant.namespaces]
    found: list[dict[str, object]] = []
    for namespace, flow in places or [("", "")]:
        wanted = runs.Filter(
            namespace=namespace, flow=flow, statuses=meant.states, since=meant.since, until=meant.until
        )
        count = core.store.read(partial(runs.count, wanted=wanted))
        found.append({"namespace": namespace, "flowId": flow, "count": count})
    return found


def _purged(core: Core, asking: Run, wanted: Wanted) -> dict[str, int]:
    """Remove ended runs that fit, or parts of them; a run of which another that goes on is waiting stays."""
    gone = {"runs": 0, "logs": 0, "metrics": 0, "files": 0}
    for page in _ended(core, asking, wanted):
        ids = [run.id for run in page]
        if wanted.files:
            gone["files"] += _files(core).forget(f"runs/{run_id}/" for run_id in ids)
        if wanted.logs:
            gone["logs"] += core.store.logs.delete(ids)
        if wanted.metrics:
            gone["metrics"] += core.store.write(partial(prune.forget_metrics, runs=ids))
        if wanted.runs:
            gone["runs"] += len(core.store.write(partial(prune.remove, runs=ids)).runs)
    return gone


def _ended(core: Core, asking: Run, wanted: Wanted) -> Iterator[list[Run]]:
    fits = runs.Filter(
        namespace=wanted.namespace, flow=wanted.flow, statuses=wanted.states, since=wanted.since, until=wanted.until
    )
    last = ""
    while found := core.store.read(partial(runs.list_runs, wanted=fits, limit=PAGE, before_id=last)):
        last = found[-1].id
        ready = core.store.read(partial(_all_over, found=found))
        yield [run for run in ready if run.id != asking.id]


def _all_over(tx: Tx, found: list[Run]) -> list[Run]:
    return [run for run in found if _over(tx, run)]


def _over(tx: Tx, run: Run) -> bool:
    if run.ended_at is None:
        return False
    above = runs.load(tx, run.parent.run) if run.parent else None
    return above is None or above.ended_at is not None


def _files(core: Core) -> Files:
    return cast("Files", core.blobs)
