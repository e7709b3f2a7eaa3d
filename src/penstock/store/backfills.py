"""What is kept of a backfill? What it is to do, a row for each of its runs, and how many stand where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from penstock.model.access import Scope
from penstock.model.backfill import Backfill, BackfillStatus, Item, ItemStatus, Planned, Spec
from penstock.model.run import Run
from penstock.store import codec
from penstock.store.port import Row, Tx
from penstock.store.reach import reached
from penstock.store.runs import NEWEST

SPEC: Final = msgspec.json.Decoder(Spec)
PLANNED: Final = msgspec.json.Decoder(Planned)


def add(tx: Tx, backfill: Backfill, planned: Sequence[Planned]) -> None:
    """Keep a new backfill with what it is to start, in that order."""
    row = {name: getattr(backfill, name) for name in backfill.__struct_fields__ if name != "spec"}
    tx.run("backfills.add", **row | {"status": str(backfill.status), "body": codec.text(backfill.spec)})
    items = [
        {
            "backfill": backfill.id,
            "number": number,
            "status": "waiting",
            "tries": 0,
            "run_id": "",
            "body": codec.text(one),
        }
        for number, one in enumerate(planned, 1)
    ]
    tx.many("backfills.add_item", items)


def get(tx: Tx, backfill_id: str) -> Backfill | None:
    """Give one backfill."""
    row = tx.one("backfills.get", id=backfill_id)
    return _backfill(row) if row else None


def at_work(tx: Tx) -> list[Backfill]:
    """Give the backfills that start runs."""
    return [_backfill(row) for row in tx.all("backfills.at_work")]


def list_backfills(
    tx: Tx, scope: Scope, limit: int = 50, before: str = "", *, namespace: str = "", flow: str = ""
) -> list[Backfill]:
    """Give the newest backfills in a scope, of a flow or a namespace where one is named, behind the one `before`."""
    given: dict[str, object] = {"namespace": namespace, "flow": flow}
    params = {name: value for name, value in given.items() if value} | reached(scope)
    query = "+".join(("backfills.list", *params))
    if namespace:
        params["below"] = f"{codec.like(namespace)}.%"
    return [_backfill(row) for row in tx.all(query, before=before or NEWEST, limit=limit, **params)]


def lock(tx: Tx, backfill_id: str) -> BackfillStatus | None:
    """Lock a backfill until the transaction ends, and give its status."""
    row = tx.one("backfills.locked", id=backfill_id)
    return BackfillStatus(str(row[0])) if row else None


def move(tx: Tx, backfill: Backfill, was: BackfillStatus) -> bool:
    """Write a backfill's status, limit and end; False when its status is not what it `was`."""
    return (
        tx.run(
            "backfills.move", id=backfill.id, status=str(backfill.status), at_once=backfill.at_once,
            ended_at=backfill.ended_at, was=str(was),
        )
        == 1
    )  # fmt: skip


def counts(tx: Tx, backfill_id: str) -> dict[ItemStatus, int]:
    """Count its runs by where they stand."""
    return {
        ItemStatus(str(status)): codec.number(count) for status, count in tx.all("backfills.counts", id=backfill_id)
    }


def over(tx: Tx, backfill_id: str) -> list[tuple[Item, Run | None]]:
    """Give the items that go, and whose run has ended by now or is gone (None)."""
    rows = tx.all("backfills.going", id=backfill_id)
    return [(_item(row[:6]), None if row[7] is None else codec.run(row[7])) for row in rows]


def items(tx: Tx, backfill_id: str, limit: int, after: int = 0, statuses: Sequence[ItemStatus] = ()) -> list[Item]:
    """Give its items in their order, behind a number, of some statuses where they are named."""
    params: dict[str, object] = {"statuses": [str(status) for status in statuses]} if statuses else {}
    query = "+".join(("backfills.items", *params))
    return [_item(row) for row in tx.all(query, id=backfill_id, after=after, limit=limit, **params)]


def move_items(tx: Tx, moved: Sequence[Item]) -> None:
    """Write where items stand, and by which run."""
    tx.many(
        "backfills.move_item",
        [
            {
                "backfill": one.backfill,
                "number": one.number,
                "status": str(one.status),
                "tries": one.tries,
                "run_id": one.run,
            }
            for one in moved
        ],
    )


def leave(tx: Tx, backfill_id: str) -> int:
    """Let what waits start no more, and tell how many that was."""
    return tx.run("backfills.leave", id=backfill_id)


def again(tx: Tx, backfill_id: str) -> int:
    """Let what failed or was left be started again, and tell how many that is."""
    return tx.run("backfills.again", id=backfill_id)


def _backfill(row: Row) -> Backfill:
    key, namespace, flow, revision, status, at_once, total, created_at, created_by, ended_at, body = row
    return Backfill(
        id=str(key),
        namespace=str(namespace),
        flow=str(flow),
        revision=codec.number(revision),
        status=BackfillStatus(str(status)),
        at_once=codec.number(at_once),
        total=codec.number(total),
        created_at=codec.number(created_at),
        created_by=str(created_by),
        ended_at=codec.maybe(ended_at),
        spec=SPEC.decode(str(body)),
    )


def _item(row: Row) -> Item:
    backfill, number, status, tries, run_id, body = row
    return Item(
        backfill=str(backfill),
        number=codec.number(number),
        status=ItemStatus(str(status)),
        tries=codec.number(tries),
        run=str(run_id),
        planned=PLANNED.decode(str(body)),
    )
