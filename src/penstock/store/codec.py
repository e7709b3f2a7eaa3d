"""How do values become JSON text and back? One encoder and one decoder for each type that a column holds."""

from __future__ import annotations

import threading
from typing import Final, TypeVar

import msgspec

from penstock.errors.store import NewerEvent
from penstock.model.event import Event
from penstock.model.run import Attempt, Run, Step

T = TypeVar("T", bound=msgspec.Struct)
_encode: Final = msgspec.json.Encoder().encode
_runs: Final = msgspec.json.Decoder(Run)
_steps: Final = msgspec.json.Decoder(Step)
_attempts: Final = msgspec.json.Decoder(Attempt)
_SEEN: set[type] = set()
_LOOKING: Final = threading.Lock()
_events: Final[msgspec.json.Decoder[Event]] = msgspec.json.Decoder(Event)


def text(value: object) -> str:
    """Write any value as JSON text."""
    return _encode(value).decode()


def run(body: object) -> Run:
    """Read a run."""
    return _runs.decode(_text(body))


def step(body: object) -> Step:
    """Read a step."""
    return _steps.decode(_text(body))


def attempt(body: object) -> Attempt:
    """Read an attempt."""
    return _attempts.decode(_text(body))


def event(body: object) -> Event:
    """Read an event; NewerEvent when this Penstock does not know its kind."""
    try:
        return _events.decode(_text(body))
    except msgspec.ValidationError as unknown:
        raise NewerEvent(f"An event of this run is not understood: {unknown}.") from unknown


def words(body: object) -> dict[str, str]:
    """Read an object of texts (labels, tags)."""
    return msgspec.json.decode(_text(body), type=dict[str, str])


def data(body: object) -> dict[str, object]:
    """Read an object of anything."""
    return msgspec.json.decode(_text(body), type=dict[str, object])


def anything(body: object) -> object:
    """Read any JSON."""
    return msgspec.json.decode(_text(body))


def value(row: tuple[object, ...], kind: type[T]) -> T:
    """Read a row whose columns are, in order, the fields of a value."""
    if kind not in _SEEN:
        # two threads that have msgspec look at a type for the first time crash Python
        with _LOOKING:
            msgspec.json.Decoder(kind)
            _SEEN.add(kind)
    return msgspec.convert(dict(zip(kind.__struct_fields__, row, strict=True)), kind)


def like(words_of_people: str) -> str:
    """Escape text for LIKE … ESCAPE '\\'."""
    return words_of_people.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def number(value: object) -> int:
    """State that a column is a whole number."""
    assert isinstance(value, int)
    return value


def maybe(value: object) -> int | None:
    """State that a column is a whole number or null."""
    return None if value is None else number(value)


def _text(body: object) -> str:
    assert isinstance(body, str)
    return body
