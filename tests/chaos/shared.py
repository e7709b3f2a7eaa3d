"""What must hold of what attempts share: the slots of a pool, one folder on one worker, the results of other runs?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

import msgspec

from penstock.model.event import Ended
from penstock.model.run import Attempt, Run
from penstock.model.status import Outcome, RunStatus
from penstock.services.core import Core
from penstock.store import attempts, outputs
from tests.chaos.ledger import Ledger
from tests.chaos.plans import PRESS, TAKES

FOLDER = ("shared", "makes", "uses")
FEW = 0.05
# A span: from, until (microseconds), and how much it takes.
Span = tuple[int, int, int]


def places(core: Core, found: Collection[Run]) -> Iterator[str]:
    """Never more of a pool or of a key is in use than there is; by the times of the attempts that were accepted."""
    press: list[Span] = []
    customers: dict[str, list[Span]] = {}
    for run in found:
        tried = core.store.read(partial(attempts.every, run_id=run.id))
        spans = [(one, span(one, TAKES[one.step])) for one in tried if one.step in TAKES]
        press += [each for _, each in spans if each]
        mine = [(each[0], each[1], 1) for one, each in spans if each and one.step == "heavy"]
        customers.setdefault(str(run.inputs["customer"]), []).extend(mine)
    if (most := peak(press)) > PRESS:
        yield f"{most} slots of the pool were in use at once, and there are {PRESS}"
    for customer, spans_of in customers.items():
        if (most := peak(spans_of)) > 1:
            yield f"{most} attempts for {customer} went at once, and one may"


def span(one: Attempt, takes: int) -> Span | None:
    """The time in which an attempt certainly had its place; nothing where nobody knows when it began."""
    return (one.started_at, one.ended_at, takes) if one.started_at and one.ended_at else None


def peak(spans: Sequence[Span]) -> int:
    """How much was taken at once, at most; who begins when another ends is not at once with it."""
    moves = sorted([(end, -takes) for _, end, takes in spans] + [(begin, takes) for begin, _, takes in spans])
    now = most = 0
    for _, takes in moves:
        now += takes
        most = max(most, now)
    return most


def folders(run: Run, accepted: Sequence[Ended]) -> Iterator[str]:
    """The last going-through of a working directory was one worker's: it was opened, used and closed by the same."""
    if run.flow != "folder" or run.status is not RunStatus.SUCCESS:
        return
    done = [end for end in accepted if end.outcome is Outcome.DONE and end.step in FOLDER][-4:]
    if [end.step for end in done] != ["shared", "makes", "uses", "shared"]:
        yield f"its folder was not opened, used and closed in order: {[(end.step, end.attempt) for end in done]}"
    if len({end.worker for end in done}) != 1:
        yield f"its folder was shared by several workers: {[(end.step, end.worker) for end in done]}"


def given_up(found: Collection[Run]) -> Iterator[str]:
    """Folders that are lost three times are few: it takes three deaths of the very workers that hold them."""
    failed = sum(run.status is RunStatus.FAILED for run in found)
    if failed > 1 + len(found) * FEW:
        yield f"{failed} of {len(found)} runs with a working directory have lost it three times"


def cached(core: Core, run: Run, ledger: Ledger) -> Iterator[str]:
    """A result taken from another run is of the same inputs, and was really made there."""
    if run.flow != "cached":
        return
    output = core.store.read(lambda tx: outputs.every(tx, run.id)).get("keeps")
    made = msgspec.json.decode(output.body or "{}").get("vars", {}) if output else {}
    if made.get("what") != run.inputs["what"]:
        yield f"its result is of other inputs: {made}"
    elif not any(len(lines.did) == 1 for lines in ledger.of(str(made.get("run")), "keeps").values()):
        yield f"its result was made by nobody: {made}"
