"""How are secrets kept that people give to runs? Sealed for one flow, as texts that stand in the inputs of its runs.

Who runs an attempt opens them, and nobody else: on the way from run to run they are opened and sealed anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar, cast

from penstock.errors.run import InvalidInput
from penstock.errors.secrets import CannotUnseal
from penstock.model.flow import Flow
from penstock.model.inputs import SEALED, is_sealed
from penstock.services.core import Core
from penstock.services.secrets import sealing
from penstock.services.secrets.masks import SHORTEST, Masks, is_grave
from penstock.services.secrets.master import Ring, ring_of
from penstock.services.unanswered import repeat_unknown
from penstock.store import secrets
from penstock.store.port import Tx
from penstock.store.secrets import InputKey

T = TypeVar("T")
KIND: Final = "SECRET"
STARS: Final = "********"
TOKEN: Final = re.compile(rf"{re.escape(SEALED)}(\d{{1,18}}):([A-Za-z0-9+/=]+)")


def sealed(core: Core, flow: Flow, values: Mapping[str, object], secret: Collection[str] = ()) -> dict[str, object]:
    """Typed inputs as a run of a flow keeps them: sealed where they are declared SECRET, or were a secret (`secret`)
    where they came from. Raises InvalidInput, NoMasterKey.
    """
    told = dict(values)
    for name in {*_declared(flow), *secret}:
        value = told.get(name)
        if isinstance(value, str) and value:
            told[name] = _seal(core, flow.namespace, flow.id, value)
        elif value is not None and name in secret:
            raise InvalidInput(f'The input "{name}" of {flow.name} would be a secret, and is no text.')
    for name, value in values.items():
        if told[name] is value and is_sealed(value):
            # what only looks sealed is a text that somebody gave
            told[name] = _seal(core, flow.namespace, flow.id, str(value))
    return told


class Opened(Mapping[str, object]):
    """Values by name, of which those of some names are opened when they are looked at."""

    def __init__(self, values: Mapping[str, object], names: Collection[str], opens: Callable[[object], object]) -> None:
        self._values = values
        self._names = names
        self._opens = opens

    def __getitem__(self, name: str) -> object:
        found = self._values[name]
        return self._opens(found) if name in self._names else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def hidden_around(
    flow: Flow, inputs: Mapping[str, object], secret: Collection[str], around: dict[str, Any]
) -> dict[str, Any]:
    """What else is kept of how a run began, with stars for what it was given as a secret, plain in `inputs`."""
    given = (inputs.get(name) for name in {*_declared(flow), *secret})
    return Masks(text for text in given if isinstance(text, str) and text).hide_data(around)


def opened(core: Core, flow: Flow, value: object, used: set[str]) -> object:
    """A value of any shape with the texts in it that were sealed for a flow; those are added to `used`.

    What only looks sealed, or was sealed for another flow, stays as it is. Raises NoMasterKey.
    """
    return _opened(core, (flow.namespace, flow.id), value, used)


def _opened(core: Core, flow: tuple[str, str], value: object, used: set[str]) -> object:
    def plain(match: re.Match[str]) -> str:
        try:
            found = _open(core, *flow, match)
        except CannotUnseal:
            return match[0]
        used.add(found)
        return found

    return _each(value, lambda text: TOKEN.sub(plain, text))


def sealed_text(core: Core, namespace: str, text: str) -> str:
    """A text that a task of a namespace keeps where it can be read. Raises NoMasterKey, CannotUnseal."""
    return _seal(core, namespace, "", text)


def opened_text(core: Core, namespace: str, sealed_one: str) -> str | None:
    """The same text; None where it was not sealed for this namespace. Raises NoMasterKey."""
    match = TOKEN.fullmatch(sealed_one)
    try:
        return None if match is None else _open(core, namespace, "", match)
    except CannotUnseal:
        return None


def opened_inputs(core: Core, flow: Flow, inputs: Mapping[str, object], used: set[str]) -> dict[str, object]:
    """Inputs of a run of a flow as they were given; the texts of secrets among them are added to `used`.

    Raises NoMasterKey, CannotUnseal.
    """
    told = dict(inputs)
    for name, value in inputs.items():
        if isinstance(value, str) and (match := TOKEN.fullmatch(value)):
            told[name] = found = _open(core, flow.namespace, flow.id, match)
            used.add(found)
    # of runs that began when these were not sealed yet
    used.update(value for name in _declared(flow) if isinstance(value := told.get(name), str) and value)
    return told


def handed(core: Core, flow: Flow, value: object, used: set[str]) -> object:
    """What a flow hands to another one, with texts sealed that hold a secret: the other one's run keeps it so."""
    known = [each for each in used if each]
    masks = Masks(known)

    def hidden(text: str) -> str:
        holds = (text in used and len(text) >= SHORTEST) or masks.hide_data(text) != text
        return _seal(core, flow.namespace, flow.id, text) if holds else text

    return _each(value, hidden) if known else value


def taken(core: Core, namespace: str, flow: str, given: Mapping[str, object]) -> tuple[dict[str, object], set[str]]:
    """What another flow handed on, opened, and the names of what of it stays secret. Raises InvalidInput, NoMasterKey.

    Secrets stand alone as an input's whole value; within a list or a map nothing would keep them.
    """
    told: dict[str, object] = {}
    secret: set[str] = set()
    for name, value in given.items():
        used: set[str] = set()
        told[name] = _opened(core, (namespace, flow), value, used)
        grave = any(is_grave(each) for each in used)
        if grave and not isinstance(value, str):
            raise InvalidInput(f'A secret is within the value of the input "{name}", where it would be seen.')
        if grave:
            secret.add(name)
    return told, secret


def holding(values: Mapping[str, object], used: Collection[str]) -> frozenset[str]:
    """The names of what holds a secret that was used for it: it stays one in a run that is given it."""
    masks = Masks(used)
    return frozenset(name for name, value in values.items() if masks and masks.hide_data(value) != value)


def visible(value: T, used: Collection[str]) -> T:
    """A value of any shape as people may see it, with stars for the secrets that were used for it."""
    masks = Masks(used)
    return cast("T", _each(value, masks.hide_text)) if masks else value


def starred(value: object) -> object:
    """A value of any shape as it may be shown: stars for what is sealed in it."""
    return _each(value, lambda text: TOKEN.sub(STARS, text))


def starred_values(values: Mapping[str, object]) -> dict[str, object]:
    """The same for values by their names."""
    return {name: starred(value) for name, value in values.items()}


def newest_key(core: Core) -> tuple[InputKey, bytes]:
    """The key that seals what is given from now on; the first is made. Raises NoMasterKey, CannotUnseal."""
    ring = ring_of(core)
    found = core.store.glance(secrets.input_key) or _first_key(core, ring)
    return found, unwrapped(found, ring)


def _first_key(core: Core, ring: Ring) -> InputKey:
    draw_first(core, ring)
    first, now = wrapped(1, sealing.draw(), ring), core.clock.now()
    repeat_unknown(core, lambda: core.store.write(lambda tx: secrets.add_input_key(tx, first, now)))
    found = core.store.read(secrets.input_key)  # of two that make one at the same moment, the first counts
    assert found is not None
    return found


def draw_first(core: Core, ring: Ring) -> None:
    """Draw the first master key of an installation, unless something is sealed there already. Raises NoMasterKey."""

    def is_empty(tx: Tx) -> bool:
        return not secrets.keys(tx) and not secrets.input_keys(tx)

    if core.store.read(is_empty):
        ring.newest(make=True)


def wrapped(number: int, key: bytes, ring: Ring) -> InputKey:
    """A key as it is kept. Raises NoMasterKey."""
    master = ring.newest()
    return InputKey(number, master.id, sealing.seal(master.bytes, key, "input key", number))


def unwrapped(key: InputKey, ring: Ring) -> bytes:
    """The key itself. Raises NoMasterKey, CannotUnseal."""
    return sealing.unseal(ring.find(key.master).bytes, key.wrapped, "input key", key.number)


def sealed_for_later(
    core: Core, flow: Flow, sets: Iterable[tuple[Mapping[str, object], Collection[str]]]
) -> list[dict[str, object]]:
    """What was given for runs that are yet to begin, with texts sealed that are for inputs of type SECRET, or whose
    names stand beside them.
    """
    declared, known = _declared(flow), dict[str, str]()

    def kept(value: object) -> object:
        if not isinstance(value, str):
            return value
        if value not in known:
            known[value] = _seal(core, flow.namespace, flow.id, value)
        return known[value]

    return [
        {name: kept(value) if name in declared or name in secret else value for name, value in each.items()}
        for each, secret in sets
    ]


def starred_inputs(flow: Flow, given: Mapping[str, object]) -> dict[str, object]:
    """What was given for a flow, as it may be shown."""
    names = _declared(flow)
    return {name: STARS if name in names and value is not None else starred(value) for name, value in given.items()}


def _declared(flow: Flow) -> set[str]:
    return {each.id for each in flow.inputs if each.type == KIND}


def _seal(core: Core, namespace: str, flow: str, text: str) -> str:
    key, raw = newest_key(core)
    plain = text.encode(errors="surrogatepass")
    return f"{SEALED}{key.number}:{sealing.seal(raw, plain, 'input', namespace, flow, key.number)}"


def _open(core: Core, namespace: str, flow: str, match: re.Match[str]) -> str:
    number = int(match[1])
    key = core.store.glance(lambda tx: secrets.input_key(tx, number))
    if key is None:
        raise CannotUnseal(f"An input is sealed by the key {number}, which is not here.")
    raw = unwrapped(key, ring_of(core))
    return sealing.unseal(raw, match[2], "input", namespace, flow, number).decode(errors="surrogatepass")


def _each(value: object, change: Callable[[str], str]) -> object:
    """A value of any shape with its texts changed."""
    match value:
        case str():
            return change(value)
        case dict():
            return {name: _each(item, change) for name, item in value.items()}
        case list() | tuple():
            return [_each(item, change) for item in value]
        case _:
            return value
