"""What was done, and by whom? Rows that are only added, and the seals that hold them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.model.access import Action, Scope
from penstock.store import codec
from penstock.store.port import Tx
from penstock.store.reach import reached

NEWEST = "~"  # sorts after every id


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One act: who did what to what, where and when; by which way (a token, a session) and from which place."""

    id: str
    at: int
    who: str
    kind: str
    via: str
    origin: str
    action: str
    verb: str
    object: str
    namespace: str
    detail: str


class Sealed(msgspec.Struct, frozen=True):
    """An act with its place in a seal."""

    seal: int
    place: int
    entry: Entry


class Seal(msgspec.Struct, frozen=True):
    """The hashes of some acts in order, and the hash of the seal before it; its own hash is over all of that."""

    number: int
    at: int
    hashes: tuple[str, ...]
    before: str
    hash: str


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts a list shows; what is left empty does not matter. `verb` may be an action, too."""

    who: str = ""
    verb: str = ""
    namespace: str = ""
    since: int | None = None
    until: int | None = None


def append(tx: Tx, *entries: Entry) -> None:
    """Keep acts, in the transaction that does them."""
    if entries:
        tx.many("audit.append", [msgspec.structs.asdict(entry) for entry in entries])


def page(tx: Tx, scope: Scope, wanted: Filter, limit: int, before: str = "") -> list[tuple[Entry, int]]:
    """Give the newest acts in a scope that fit, older than `before` when given, each with its seal (0: none yet)."""
    given = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value or value == 0}
    if wanted.verb in set(Action):
        given["action"] = given.pop("verb")
    params: dict[str, object] = given | reached(scope)
    clauses = list(params)
    if wanted.namespace:
        params["below"] = f"{codec.like(wanted.namespace)}.%"
    # asked apart, since a database that joins them sorts all rows
    rows = [
        row
        for query in ("audit.page", "audit.open")
        for row in tx.all("+".join((query, *clauses)), before=before or NEWEST, most=limit, **params)
    ]
    newest = sorted(rows, key=lambda row: str(row[0]), reverse=True)[:limit]
    return [(codec.value(row[:-1], Entry), codec.number(row[-1])) for row in newest]


def namespace_of(tx: Tx, run_id: str) -> str:
    """Tell where a run belongs; nowhere when there is none."""
    row = tx.one("audit.namespace_of", id=run_id)
    return str(row[0]) if row else ""


def waiting(tx: Tx, limit: int) -> list[Entry]:
    """Give the oldest acts without a seal."""
    return [codec.value(row, Entry) for row in tx.all("audit.waiting", most=limit)]


def unsealed(tx: Tx) -> int:
    """Count the acts without a seal."""
    row = tx.one("audit.unsealed")
    return codec.number(row[0]) if row else 0


def last_seal(tx: Tx) -> Seal | None:
    """Give the newest seal."""
    row = tx.one("audit.last_seal")
    return _seal(row) if row else None


def seals(tx: Tx, after: int, limit: int) -> list[Seal]:
    """Give the seals behind one, in order."""
    return [_seal(row) for row in tx.all("audit.seals", after=after, most=limit)]


def put_seal(tx: Tx, seal: Seal, entries: Sequence[Entry]) -> bool:
    """Keep a seal and move its acts; False, with nothing done, when somebody else has sealed meanwhile."""
    columns = {"number": seal.number, "at": seal.at, "before": seal.before, "hash": seal.hash}
    if tx.run("audit.seal", hashes=codec.text(seal.hashes), **columns) != 1:
        return False
    moved = tx.run("audit.drop_waiting", ids=[entry.id for entry in entries])
    assert moved == len(entries), "who has the number of a seal has the rows, too"
    tx.many(
        "audit.put",
        [{"seal": seal.number, "place": place, **msgspec.structs.asdict(entry)} for place, entry in enumerate(entries)],
    )
    return True


def sealed(tx: Tx, after: int, last: int) -> list[Sealed]:
    """Give the acts of the seals behind one, up to another, in order."""
    return [
        Sealed(codec.number(seal), codec.number(place), codec.value(tuple(row), Entry))
        for seal, place, *row in tx.all("audit.sealed", after=after, last=last)
    ]


def seal_before(tx: Tx, instant: int, most: int) -> Seal | None:
    """Give the newest seal from before an instant, of so many of the oldest; never the newest of all."""
    row = tx.one("audit.seal_before", instant=instant, most=most)
    return _seal(row) if row else None


def forget(tx: Tx, last: int) -> int:
    """Remove the seals up to one with their acts, and tell how many acts that were."""
    tx.run("audit.forget_seals", last=last)
    return tx.run("audit.forget_acts", last=last)


def told(tx: Tx, verb: str) -> list[dict[str, object]]:
    """Give the details of all acts of a kind."""
    return [codec.data(detail) for (detail,) in tx.all("audit.told", verb=verb)]


def strays(tx: Tx, last: int) -> int:
    """Count the rows that belong to no seal from the first to the last."""
    row = tx.one("audit.strays", last=last)
    return codec.number(row[0]) if row else 0


def _seal(row: tuple[object, ...]) -> Seal:
    number, at, hashes, before, own = row
    said = codec.anything(hashes)
    assert isinstance(said, list)
    return Seal(codec.number(number), codec.number(at), tuple(map(str, said)), str(before), str(own))
