"""Is a secret nowhere but sealed, does it open only as what it was sealed as, and do keys turn while others work?"""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import pytest

from penstock.errors.api import MayNot
from penstock.errors.project import LooseSecrets
from penstock.errors.run import BadId
from penstock.errors.secrets import BadMasterKey, BadSecret, CannotUnseal, NoMasterKey, NoSuchSecret
from penstock.model.access import EVERYWHERE, Actor, Grant, Scope
from penstock.services import audit
from penstock.services.core import Core, Knobs
from penstock.services.secrets import verbs
from penstock.services.secrets.master import NAME, Ring, ring_of
from penstock.services.secrets.sealed import OfStore
from penstock.store import secrets
from penstock.store.audit import Filter
from penstock.store.port import Tx
from tests.services.office import Office

KEYS = [base64.b64encode(bytes([number]) * 32).decode() for number in range(3)]
TEXT = "correct horse battery staple"


def on(office: Office, state: Path | None = None, given: str = "", actor: Actor | None = None) -> Core:
    """What services need, with a place for master keys or with one of the environment."""
    knobs = Knobs(environ={"PENSTOCK_MASTER_KEY": given} if given else {})
    made = dataclasses.replace(office.core, knobs=knobs, state_dir=state)
    return made.asked_by(actor) if actor else made


def source(core: Core) -> OfStore:
    """Where a worker of an installation asks for secrets."""
    return OfStore(core.store, ring_of(core))


def test_a_secret_is_found_where_it_was_set_and_below_and_is_never_kept_as_text(office: Office, tmp_path: Path) -> None:
    core = on(office, tmp_path)
    verbs.put(core, "shop", "KEY", TEXT)
    verbs.put(core, "shop.daily", "KEY", "another one")

    found = [source(core).get(namespace, "KEY") for namespace in ("shop", "shop.daily.eu", "shop.nightly", "shopping")]

    assert found == [TEXT, "another one", TEXT, None]
    kept = office.store.read(lambda tx: [*secrets.every_sealed(tx), *secrets.keys(tx)])
    assert TEXT not in repr(kept) and base64.b64encode(TEXT.encode()).decode() not in repr(kept)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_versions_count_on_and_only_the_newest_is_kept(office: Office) -> None:
    core = on(office, given=KEYS[0], actor=Actor(name="olga", grants=(Grant("owner"),)))
    told = [verbs.put(core, "shop", "KEY", text).version for text in ("one", "two")]
    verbs.delete(core, "shop", "KEY")
    after = source(core).get("shop", "KEY")
    last = verbs.put(core, "shop", "KEY", "three")

    assert (told, after, last.version, last.changed_by) == ([1, 2], None, 4, "olga")
    assert [one.version for one in office.store.read(secrets.every_sealed)] == [4]
    assert source(core).get("shop", "KEY") == "three"
    with pytest.raises(NoSuchSecret):
        verbs.delete(core, "shop.daily", "KEY")


def test_a_sealed_text_that_was_moved_or_changed_does_not_open(office: Office) -> None:
    core = on(office, given=KEYS[0])
    verbs.put(core, "shop", "MINE", TEXT)
    verbs.put(core, "shop", "YOURS", "less worth")

    def move(tx: Tx) -> None:
        mine, yours = secrets.every_sealed(tx)
        secrets.reseal(tx, secrets.Sealed(yours.namespace, yours.name, yours.version, mine.text, mine.key))

    office.store.write(move)

    with pytest.raises(CannotUnseal):
        source(core).get("shop", "YOURS")
    found = verbs.verify(core)
    assert (found.good, [one.name for one in found.bad]) == (1, ["YOURS"])


def test_keys_turn_while_others_work(offices: tuple[Office, Office], tmp_path: Path) -> None:
    one, other = (on(office, tmp_path) for office in offices)
    verbs.put(one, "shop", "KEY", TEXT)
    verbs.put(one, "other", "KEY", "another one")
    reading = source(other)
    before = reading.get("shop", "KEY")
    sealed = one.store.read(secrets.every_sealed)

    done = verbs.rotate(one)
    again = verbs.rotate(one, forget=True)

    assert before == reading.get("shop", "KEY") == TEXT
    assert reading.get("other", "KEY") == "another one"
    assert (done.secrets, done.keys, again.forgotten) == (2, 2, 2)
    after = one.store.read(secrets.every_sealed)
    assert not {each.text for each in sealed} & {each.text for each in after}
    assert {each.key.master for each in after} == {again.master}
    assert [each.version for each in after] == [1, 1]
    assert len(one.store.read(secrets.keys)) == 2
    assert verbs.put(other, "shop", "KEY", "new").version == 2
    assert source(one).get("shop", "KEY") == "new"


def test_a_master_key_of_the_environment_gives_way_to_the_next(office: Office) -> None:
    verbs.put(on(office, given=KEYS[0]), "shop", "KEY", TEXT)

    verbs.rotate(on(office, given=f"{KEYS[1]},{KEYS[0]}"))

    assert source(on(office, given=KEYS[1])).get("shop", "KEY") == TEXT
    with pytest.raises(NoMasterKey):
        source(on(office, given=KEYS[0])).get("shop", "KEY")


def test_no_second_key_is_drawn_where_the_one_that_seals_is_not_here(office: Office, tmp_path: Path) -> None:
    verbs.put(on(office, given=KEYS[0]), "shop", "KEY", TEXT)

    core = on(office, tmp_path)
    for act in (lambda: verbs.put(core, "shop", "KEY", "x"), lambda: verbs.rotate(core)):
        with pytest.raises(NoMasterKey):
            act()
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("given", ["short", base64.b64encode(b"x" * 31).decode(), "\u00fc" * 40])
def test_what_is_no_key_is_refused(given: str) -> None:
    with pytest.raises(BadMasterKey) as told:
        Ring({"PENSTOCK_MASTER_KEY": given}, None).newest()

    assert given not in str(told.value)


def test_a_file_of_keys_that_others_may_read_is_refused(office: Office, tmp_path: Path) -> None:
    verbs.put(on(office, tmp_path), "shop", "KEY", TEXT)
    (tmp_path / NAME).chmod(0o640)

    with pytest.raises(LooseSecrets):
        source(on(office, tmp_path)).get("shop", "KEY")


@pytest.mark.parametrize(
    ("name", "text"), [("", "x"), ("a/b", "x"), ("KEY", ""), ("K", "x" * 300_000), ("K", "\ud800")]
)
def test_what_can_be_no_secret_is_refused(office: Office, name: str, text: str) -> None:
    with pytest.raises(BadSecret):
        verbs.put(on(office, given=KEYS[0]), "shop", name, text)
    with pytest.raises(BadId):
        verbs.put(on(office, given=KEYS[0]), "no namespace", "KEY", "x")


def test_each_change_is_told_of_without_the_text_and_needs_the_right_there(office: Office) -> None:
    editor = on(office, given=KEYS[0], actor=Actor(name="ed", grants=(Grant("editor", "shop"),)))
    verbs.put(editor, "shop.daily", "KEY", TEXT)
    verbs.delete(editor, "shop.daily", "KEY")

    for act in (
        lambda: verbs.put(editor, "other", "KEY", TEXT),
        lambda: verbs.delete(editor, "other", "KEY"),
        lambda: verbs.rotate(editor),
    ):
        with pytest.raises(MayNot):
            act()
    verbs.put(on(office, given=KEYS[0]), "other", "KEY", TEXT)
    verbs.rotate(on(office, given=KEYS[0], actor=Actor(name="olga", grants=(Grant("owner"),))))

    told = audit.page(office.core, EVERYWHERE, Filter())
    assert [(one.who, one.verb, one.object, one.namespace) for one in reversed(told)] == [
        ("ed", "secrets.set", "KEY", "shop.daily"),
        ("ed", "secrets.delete", "KEY", "shop.daily"),
        ("olga", "secrets.rotate", "", ""),
    ]
    assert TEXT not in repr(told)


def test_names_are_listed_by_page_and_by_scope(office: Office) -> None:
    core = on(office, given=KEYS[0])
    for namespace, name in (("shop", "A"), ("shop", "B"), ("shop", "C"), ("shop.eu", "D"), ("other", "E")):
        verbs.put(core, namespace, name, TEXT)
    verbs.delete(core, "shop", "B")

    assert [one.name for one in verbs.page(core, "shop", 1)] == ["A"]
    assert [one.name for one in verbs.page(core, "shop", 9, "A")] == ["C"]
    assert [one.name for one in verbs.every(core, Scope(namespaces=("shop",)))] == ["A", "C", "D"]
