"""How do people keep secrets in the store? They are set, listed by name, deleted, sealed anew; never shown again."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from penstock.errors import PenstockError
from penstock.errors.secrets import BadSecret, NoSuchSecret
from penstock.model import ids
from penstock.model.access import Action, Scope
from penstock.services.access import audited, covers
from penstock.services.core import Core
from penstock.services.secrets import sealing
from penstock.services.secrets.given import draw_first
from penstock.services.secrets.given import unwrapped as input_key
from penstock.services.secrets.given import wrapped as wrapped_input_key
from penstock.services.secrets.master import Ring, ring_of
from penstock.services.secrets.sealed import sealed_text, text_of, unwrapped, wrapped
from penstock.services.unanswered import repeat_unknown
from penstock.store import secrets
from penstock.store.port import Tx
from penstock.store.secrets import DataKey, Named, Sealed

NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,199}", re.ASCII)
LONGEST: Final = 256 * 1024


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """What was sealed anew, by which master key, and how many older ones were forgotten."""

    secrets: int
    keys: int
    master: str
    forgotten: int = 0


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that cannot be unsealed, and why."""

    namespace: str
    name: str
    why: str


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """How many secrets can be unsealed, which cannot, and by which master keys they are sealed."""

    good: int
    bad: tuple[Unreadable, ...]
    masters: tuple[str, ...]


def put(core: Core, namespace: str, name: str, text: str) -> Named:
    """Keep a secret, new or changed. Raises BadId, BadSecret, NoMasterKey."""
    ids.check_namespace(namespace)
    if not NAME.fullmatch(name):
        raise BadSecret(f'"{name[:100]}" cannot be a secret\'s name: letters, digits, ".", "_", "-", at most 200.')
    if not text or len(text.encode(errors="surrogatepass")) > LONGEST:
        raise BadSecret(f"The text of a secret has 1 to {LONGEST:,} bytes.")
    try:
        text.encode()
    except UnicodeError:
        raise BadSecret("The text of a secret is Unicode; keep bytes in base64.") from None
    return _put(core, namespace, name, text)


@audited(Action.SECRETS_EDIT, "secrets.set", "{name}", namespace="{namespace}")
def _put(core: Core, namespace: str, name: str, text: str) -> Named:
    ring, now = ring_of(core), core.clock.now()
    draw_first(core, ring)

    def work(tx: Tx) -> Named | None:
        key = secrets.key_in_use(tx, namespace) or _first_key(tx, namespace, ring, now)
        if key is None:
            return None
        version = secrets.newest_version(tx, namespace, name) + 1
        told = Named(namespace, name, version, now, core.actor.name)
        sealed = sealed_text(text, unwrapped(key, ring), namespace, name, version)
        return told if secrets.add(tx, told, sealed, key.number) else None

    # who is slower than somebody else tries again with the next version
    while (done := repeat_unknown(core, lambda: core.store.write(work))) is None:
        pass
    return done


def delete(core: Core, namespace: str, name: str) -> None:
    """Forget a secret's text; that it was there stays known. Raises NoSuchSecret."""
    if not _delete(core, namespace, name):
        raise NoSuchSecret(f'There is no secret "{name[:200]}" in the namespace "{namespace[:200]}".')


@audited(Action.SECRETS_EDIT, "secrets.delete", "{name}", namespace="{namespace}")
def _delete(core: Core, namespace: str, name: str) -> bool:
    now = core.clock.now()

    def work(tx: Tx) -> bool | None:
        if not secrets.sealed(tx, [namespace], name):
            return False
        version = secrets.newest_version(tx, namespace, name) + 1
        return secrets.add(tx, Named(namespace, name, version, now, core.actor.name), "", 0) or None

    while (done := repeat_unknown(core, lambda: core.store.write(work))) is None:
        pass
    return done


def page(core: Core, namespace: str, limit: int, after: str = "") -> list[Named]:
    """A namespace's own secrets behind a name: names, versions, who changed them when."""
    return core.store.glance(lambda tx: secrets.page(tx, namespace, limit, after))


def every(core: Core, scope: Scope) -> list[Named]:
    """All secrets of a scope, by namespace and name."""
    return [one for one in core.store.glance(secrets.every) if covers(scope, one.namespace)]


@audited(Action.SECRETS_EDIT, "secrets.rotate", keeps=("forget",))
def rotate(core: Core, *, forget: bool = False) -> Rotated:
    """Seal every secret anew by new data keys, and those by a new master key where it is ours to draw.

    Processes that run find the new key themselves. With `forget` master keys that wrap nothing any more are removed
    from the file: copies of the store from before then cannot be read.
    """
    ring, now = ring_of(core), core.clock.now()
    # a wrong or missing key is found before there is a new one
    old = [unwrapped(key, ring) for key in core.store.read(secrets.keys)]
    old += [input_key(key, ring) for key in core.store.read(secrets.input_keys)]
    master = ring.newest(make=True) if ring.given or not old else ring.draw()

    def work(tx: Tx) -> Rotated:
        kept = secrets.keys(tx, lock=True)
        fresh = _fresh_keys(kept, ring)
        for key, _ in fresh.values():
            secrets.add_key(tx, key, now)
        found = secrets.every_sealed(tx)
        for one in found:
            plain = text_of(one, ring)
            key, raw = fresh[one.namespace]
            text = sealed_text(plain, raw, one.namespace, one.name, one.version)
            secrets.reseal(tx, Sealed(one.namespace, one.name, one.version, text, key))
        for key in kept:
            secrets.drop_key(tx, key)
        _turn_input_keys(tx, ring, now)
        return Rotated(secrets=len(found), keys=len(fresh), master=master.id)

    done = repeat_unknown(core, lambda: core.store.write(work))
    if not forget:
        return done
    used = {key.master for key in core.store.read(secrets.keys)}
    used |= {key.master for key in core.store.read(secrets.input_keys)}
    return msgspec.structs.replace(done, forgotten=ring.forget(used))


def verify(core: Core) -> Verified:
    """Look whether every secret can be unsealed; no text is told."""
    ring = ring_of(core)
    found = core.store.read(secrets.every_sealed)
    bad = []
    for one in found:
        try:
            text_of(one, ring)
        except PenstockError as error:
            bad.append(Unreadable(namespace=one.namespace, name=one.name, why=error.sentence))
    good, of_inputs = len(found) - len(bad), core.store.read(secrets.input_keys)
    for each in of_inputs:
        try:
            input_key(each, ring)
        except PenstockError as error:
            bad.append(Unreadable(namespace="", name=f"inputs sealed by key {each.number}", why=error.sentence))
    used = {one.key.master for one in found} | {each.master for each in of_inputs}
    return Verified(good=good, bad=tuple(bad), masters=tuple(sorted(used - {""})))


def _first_key(tx: Tx, namespace: str, ring: Ring, now: int) -> DataKey | None:
    """The first data key of a namespace; None when somebody else is making it."""
    made = wrapped(namespace, 1, sealing.draw(), ring)
    return made if secrets.add_key(tx, made, now) else None


def _turn_input_keys(tx: Tx, ring: Ring, now: int) -> None:
    """Wrap the keys of inputs anew, which go on opening what they sealed, and begin the next one."""
    kept = secrets.input_keys(tx)
    for key in kept:
        secrets.wrap_input_key(tx, wrapped_input_key(key.number, input_key(key, ring), ring))
    if kept:
        secrets.add_input_key(tx, wrapped_input_key(kept[0].number + 1, sealing.draw(), ring), now)


def _fresh_keys(kept: list[DataKey], ring: Ring) -> dict[str, tuple[DataKey, bytes]]:
    """A new data key for each namespace that has one, with a number that none had."""
    numbers = {key.namespace: key.number for key in kept}
    made = {}
    for namespace, number in numbers.items():
        raw = sealing.draw()
        made[namespace] = wrapped(namespace, number + 1, raw, ring), raw
    return made
