"""How many events a second does the generator send, and does Flink bring from Kafka into bronze?"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec

from projects.lakehouse.benchmark.by_hand import begun, do, rows, topic
from projects.lakehouse.benchmark.workplace import Workplace, fresh

LOOKS_EVERY: Final = 0.1
TOLD: Final = re.compile(r"(\d+) of \d+ events sent in ([0-9.]+) s")


class Ingested(msgspec.Struct, frozen=True):
    """One round: events, and the seconds to send them and to bring them into the table."""

    events: int
    sent: float
    drained: float


def rounds(place: Workplace, events: int, count: int, say: Callable[[str], None]) -> list[Ingested]:
    """So many rounds: a topic is filled, and only then read by the flow's own job, until the table holds all of it."""
    found = []
    for _ in range(count):
        name = fresh()
        topic(name)
        made = Ingested(events, _sent(place, name, events), _drained(place, name, events))
        say(f"{events} events sent in {made.sent:.2f} s, in bronze after {made.drained:.2f} s")
        place.cancel_jobs(name)
        found.append(made)
    return found


def _sent(place: Workplace, name: str, events: int) -> float:
    """Seconds from the first to the last event, as the generator tells; events are drawn and written down meanwhile."""
    where = ["--bootstrap", place.env["KAFKA_BOOTSTRAP_SERVERS"], "--topic", name, "--events", str(events)]
    said = place.do([sys.executable, "scripts/generate.py", *where])
    told = TOLD.search(said)
    assert told is not None, said
    assert int(told[1]) == events, said
    return float(told[2])


def _drained(place: Workplace, name: str, events: int) -> float:
    """Seconds from the statement that becomes the job until its table holds all, which it does at a checkpoint."""
    session = begun()
    *before, last = place.sql("bronze", name=name)
    for statement in before:
        do(session, statement)
    began = time.perf_counter()
    do(session, last)
    while rows(f"{name}.bronze") < events:
        time.sleep(LOOKS_EVERY)
    return round(time.perf_counter() - began, 3)
