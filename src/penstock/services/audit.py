"""Who did what, and is what was told of it still as it was? Acts are listed, sealed into a chain, verified, exported.

A seal holds the SHA-256 hash of each of its acts, and its own is over its number, its instant, these, and the hash of
the seal before. So a change anywhere shows, unless everything behind it was made anew: who knows an earlier head sees
that, too. Heads are said as notices (`audit.sealed`), which logs carry to other machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final, Literal

import msgspec

from penstock.model import ids
from penstock.model.access import Action, Scope
from penstock.model.policy import SECOND
from penstock.services.core import Core
from penstock.store import audit as table
from penstock.store.audit import Entry, Filter, Seal, Sealed
from penstock.store.port import Tx

BATCH: Final = 500
SEALS: Final = 20
RARELY: Final = 10 * SECOND
MARK: Final = "audit.sealed"
FORGET: Final = "audit.forget"


class Listed(msgspec.Struct, frozen=True):
    """An act as lists show it; `seal` is 0 until it has one."""

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
    detail: dict[str, Any]
    seal: int


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the whole chain found; `head` is the hash of the newest seal, to be kept elsewhere."""

    seals: int
    acts: int
    unsealed: int
    head: str
    problems: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing was changed, removed or inserted."""
        return not self.problems


class _Some(msgspec.Struct, frozen=True):
    """A piece of the chain as one look found it."""

    seals: list[Seal] = []
    acts: list[Sealed] = []
    strays: int = 0
    unsealed: int = 0


def page(core: Core, scope: Scope, wanted: Filter, limit: int = 50, before: str = "") -> list[Listed]:
    """The newest acts in a scope that fit, older than the one with the id `before` when given."""
    found = core.store.read(lambda tx: table.page(tx, scope, wanted, limit, before))
    return [_listed(entry, seal) for entry, seal in found]


def seal(core: Core) -> int:
    """Seal what waits and tell how many acts that were; who comes second finds nothing to do."""
    done = 0
    while core.store.glance(lambda tx: table.waiting(tx, 1)):
        now = core.clock.now()

        def work(tx: Tx, now: int = now) -> Seal | None:
            last = table.last_seal(tx)
            entries = table.waiting(tx, BATCH)
            made = _sealed(last, now, entries)
            return made if entries and table.put_seal(tx, made, entries) else None

        made = core.store.write(work)
        if made is None:
            break
        done += len(made.hashes)
        core.notices.say("audit.sealed", now, number=made.number, acts=len(made.hashes), head=made.hash)
    return done


def seal_rarely(core: Core) -> None:
    """Seal what waits unless this process has looked a moment ago."""
    now = core.clock.now()
    if now - int(core.marks.get(MARK, "0")) >= RARELY:
        core.marks[MARK] = str(now)
        seal(core)


def verify(core: Core, head: str = "") -> Verified:
    """Look at every seal and every act; with a `head` known from before, whether that one is still in the chain."""
    problems: list[str] = []
    last = core.store.read(_beginning)
    acts, begun, known = 0, last.number, not head
    while (found := core.store.read(partial(_some, after=last.number))).seals:
        for one in found.seals:
            of_seal = [row for row in found.acts if row.seal == one.number]
            problems += [*_against_last(last, one), *_against_rows(one, of_seal)]
            acts, last, known = acts + len(of_seal), one, known or one.hash == head
    if found.strays:
        problems.append(f"{found.strays:,} rows belong to no seal of the chain: seals were removed, or rows inserted.")
    if not known:
        problems.append("No seal has the given head: the chain was cut off before it, or made anew.")
    return Verified(
        seals=last.number - begun, acts=acts, unsealed=found.unsealed, head=last.hash, problems=tuple(problems)
    )


def forget(core: Core, before: int) -> int:
    """Remove seals from before an instant with their acts, and tell how many acts that were.

    Each removal is an act itself, with the number and the hash of the last seal that it took: the chain begins there.
    """
    done = 0
    while (gone := core.store.write(partial(_forget, core=core, before=before))) is not False:
        done += gone
    return done


def lines(core: Core) -> Iterator[str]:
    """The whole audit as lines of JSON, oldest first: each seal behind its acts, at the end what has no seal yet."""
    last = 0
    while (found := core.store.read(partial(_some, after=last))).seals:
        for one in found.seals:
            yield from (_line("act", row.entry, row.seal) for row in found.acts if row.seal == one.number)
            yield _line("seal", one, one.number)
            last = one.number
    yield from (_line("act", entry, 0) for entry in core.store.read(lambda tx: table.waiting(tx, 1_000_000)))


def hash_of(entry: Entry) -> str:
    """The hash that a seal keeps of an act: over the JSON list of its columns."""
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.astuple(entry))).hexdigest()


def _forget(tx: Tx, core: Core, before: int) -> int | Literal[False]:
    last = table.seal_before(tx, before, SEALS)
    if last is None:
        return False
    gone, now, actor = table.forget(tx, last.number), core.clock.now(), core.actor
    detail = {"number": last.number, "hash": last.hash, "acts": gone}
    table.append(
        tx,
        Entry(
            id=ids.run_id(now // 1000, core.entropy()), at=now, who=actor.name, kind=str(actor.kind), via=actor.via,
            origin=actor.origin, action=str(Action.MAINTENANCE_EDIT), verb=FORGET, object=f"seals up to {last.number}",
            namespace="", detail=msgspec.json.encode(detail).decode(),
        ),
    )  # fmt: skip
    return gone


def _sealed(last: Seal | None, now: int, entries: Sequence[Entry]) -> Seal:
    number, before = (last.number + 1, last.hash) if last else (1, "")
    hashes = tuple(map(hash_of, entries))
    return Seal(number, now, hashes, before, _over(number, now, hashes, before))


def _over(number: int, at: int, hashes: tuple[str, ...], before: str) -> str:
    return hashlib.sha256(msgspec.json.encode((number, at, hashes, before))).hexdigest()


def _beginning(tx: Tx) -> Seal:
    """What stands before the first seal: nothing, or the last one that was removed when its time had passed."""
    first = table.seals(tx, 0, 1)
    for told in table.told(tx, FORGET) if first and first[0].number > 1 else ():
        if (told["number"], told["hash"]) == (first[0].number - 1, first[0].before):
            return Seal(first[0].number - 1, 0, (), "", first[0].before)
    return Seal(0, 0, (), "", "")


def _against_last(last: Seal, one: Seal) -> Iterator[str]:
    if one.number != last.number + 1:
        yield f"Behind seal {last.number} comes seal {one.number}: what was between was removed."
    elif one.before != last.hash:
        yield f"Seal {one.number} was made behind another seal than {last.number} is now."
    if one.hash != _over(one.number, one.at, one.hashes, one.before):
        yield f"Seal {one.number} is not what it was."


def _against_rows(one: Seal, rows: Sequence[Sealed]) -> Iterator[str]:
    by_place = {row.place: row.entry for row in rows}
    for place, hashed in enumerate(one.hashes):
        entry = by_place.pop(place, None)
        if entry is None:
            yield f"Act {place} of seal {one.number} was removed."
        elif hash_of(entry) != hashed:
            yield f"Act {place} of seal {one.number} was changed; it says now: {entry.who} {entry.verb} {entry.object}."
    for place, entry in by_place.items():
        yield f"Act {place} of seal {one.number} was inserted: {entry.who} {entry.verb} {entry.object}."


def _some(tx: Tx, after: int) -> _Some:
    """Some seals behind one with their acts; behind the last one what else there is at the same moment."""
    if seals := table.seals(tx, after, SEALS):
        return _Some(seals, table.sealed(tx, after, seals[-1].number))
    return _Some(strays=table.strays(tx, after), unsealed=table.unsealed(tx))


def _line(what: str, value: Entry | Seal, seal: int) -> str:
    return msgspec.json.encode({"what": what, "seal": seal, "value": value}).decode()


def _listed(entry: Entry, seal: int) -> Listed:
    told = msgspec.structs.asdict(entry) | {"detail": msgspec.json.decode(entry.detail)}
    return Listed(**told, seal=seal)
