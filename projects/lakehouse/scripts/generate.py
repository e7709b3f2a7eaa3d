"""Which taxi trips are sent to Kafka, good and bad? Drawn from a seed: the same seed is the same trips for ever.

    python generate.py --bootstrap 127.0.0.1:9092 --topic trips --events 10000

A trip has the fields of New York's yellow taxis. Of all events some are wrong, each in one way, some are sent twice,
some are sent hours after their trip. Each event goes to the partition that its key says, in the order in which they
are drawn. So what a partition holds already is the beginning of what belongs there: whoever runs this again, after a
kill or for the fun of it, sends what is missing, and nothing twice. Needs msgspec and confluent-kafka.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import enum
import json
import math
import random
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

BEGIN: Final = datetime.datetime(2024, 1, 15)
DAYS: Final = 7
ZONES: Final = 265
# Hours by how many trips begin in them: few before dawn, most in the evening.
HOURS: Final = (30, 20, 14, 9, 7, 9, 18, 34, 45, 44, 44, 48, 52, 53, 56, 57, 55, 62, 70, 66, 58, 56, 52, 42)
BY_HOUR: Final = tuple(sum(HOURS[: hour + 1]) for hour in range(24))
SOON, LATE = (1, 60), (2 * 3600, 48 * 3600)
RECENT: Final = 1_000
# Seconds that the broker may be away.
AWAY: Final = 30
# What matters comes as an error that is told once; the library itself would say it twenty times a second.
QUIET: Final = {"log_level": 2}
FORMAT: Final = "%Y-%m-%d %H:%M:%S"
ENCODE: Final = msgspec.json.Encoder().encode


class Fault(enum.StrEnum):
    """What is wrong with an event; the pipeline looks for it in this order, and the first that holds is the reason."""

    MALFORMED = "MALFORMED"
    MISSING = "MISSING"
    NEGATIVE_FARE = "NEGATIVE_FARE"
    ENDS_BEFORE_START = "ENDS_BEFORE_START"
    UNKNOWN_ZONE = "UNKNOWN_ZONE"
    DUPLICATE = "DUPLICATE"


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """One trip; times as New York's clocks show them, miles, dollars. None where an event leaves something out."""

    trip_id: str | None
    vendor_id: int
    pickup_at: str | None
    dropoff_at: str | None
    pickup_zone: int
    dropoff_zone: int
    passengers: int
    miles: float
    fare: float | None
    tip: float
    payment: str
    sent_at: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent under which key, the trip that it was made of, and what is wrong with it; `late`: by hours."""

    key: str
    value: bytes
    trip: Trip
    fault: Fault | None
    late: bool


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """Of all events, how many are wrong in themselves, sent again, or late: shares from 0 to 1."""

    bad: float = 0.02
    duplicate: float = 0.01
    late: float = 0.03


def events(count: int, seed: int, shares: Shares) -> Iterator[Event]:
    """So many events. What is sent again is a good one of about the last thousand."""
    chance = random.Random(seed)
    recent: list[Event] = []
    for number in range(count):
        drawn = chance.random()
        if recent and drawn < shares.duplicate:
            yield msgspec.structs.replace(chance.choice(recent), fault=Fault.DUPLICATE)
            continue
        late = chance.random() < shares.late
        trip = _trip(chance, f"{seed:04d}-{number:09d}", late)
        if drawn < shares.duplicate + shares.bad:
            yield _spoiled(chance, trip, late)
            continue
        made = Event(key=f"{seed:04d}-{number:09d}", value=ENCODE(trip), trip=trip, fault=None, late=late)
        if len(recent) < RECENT:
            recent.append(made)
        else:
            recent[number % RECENT] = made
        yield made


def _trip(chance: random.Random, trip_id: str, late: bool) -> Trip:
    (hour,) = chance.choices(range(24), cum_weights=BY_HOUR)
    pickup = BEGIN + datetime.timedelta(days=chance.randrange(DAYS), hours=hour, seconds=chance.randrange(3600))
    miles = round(min(chance.lognormvariate(0.7, 0.9), 60.0), 2)
    minutes = max(1.5, miles * 3.2 + chance.gauss(4, 3))
    dropoff = pickup + datetime.timedelta(seconds=int(minutes * 60))
    sent = dropoff + datetime.timedelta(seconds=chance.randrange(*(LATE if late else SOON)))
    card = chance.random() < 0.78
    return Trip(
        trip_id=trip_id,
        vendor_id=1 if chance.random() < 0.3 else 2,
        pickup_at=f"{pickup:{FORMAT}}",
        dropoff_at=f"{dropoff:{FORMAT}}",
        pickup_zone=_zone(chance),
        dropoff_zone=_zone(chance),
        passengers=min(6, 1 + int(chance.expovariate(1.3))),
        miles=miles,
        fare=round(3.0 + 2.6 * miles + 0.45 * minutes, 2),
        tip=round(max(0.0, chance.gauss(3.2, 2.1)), 2) if card else 0.0,
        payment="card" if card else "cash",
        sent_at=f"{sent:{FORMAT}}",
    )


def _zone(chance: random.Random) -> int:
    """A zone; those with small numbers are the busy ones."""
    return 1 + min(ZONES - 1, int(-45 * math.log(1.0 - chance.random())))


def _spoiled(chance: random.Random, trip: Trip, late: bool) -> Event:
    """A trip with one thing wrong."""
    fault = chance.choice([each for each in Fault if each is not Fault.DUPLICATE])
    match fault:
        case Fault.MISSING:
            name = chance.choice(("trip_id", "pickup_at", "dropoff_at", "fare"))
            trip = msgspec.structs.replace(trip, **{name: None})
        case Fault.NEGATIVE_FARE:
            trip = msgspec.structs.replace(trip, fare=-(trip.fare or 1.0))
        case Fault.ENDS_BEFORE_START:
            trip = msgspec.structs.replace(trip, pickup_at=trip.dropoff_at, dropoff_at=trip.pickup_at)
        case Fault.UNKNOWN_ZONE:
            wrong = chance.choice((0, -1, ZONES + 1, 999))
            trip = msgspec.structs.replace(trip, **{chance.choice(("pickup_zone", "dropoff_zone")): wrong})
        case _:
            pass
    value = ENCODE(trip)
    if fault is Fault.MALFORMED:
        value = value[: chance.randrange(1, len(value))]
    return Event(key=trip.trip_id or "", value=value, trip=trip, fault=fault, late=late)


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """Where events go: a topic with its partitions, and how many of each are there already."""

    bootstrap: str
    topic: str
    there: list[int]

    def partition(self, event: Event) -> int:
        """Where an event belongs; those of one key belong together."""
        return zlib.crc32(event.key.encode()) % len(self.there)


def looked(bootstrap: str, topic: str) -> Sending:
    """How much of a topic is there; ends the program where there is no such topic, or nobody to ask."""
    asked = {"bootstrap.servers": bootstrap, "group.id": "generator", "enable.auto.commit": False, **QUIET}
    with contextlib.closing(Consumer(asked)) as consumer:
        try:
            about = consumer.list_topics(topic, timeout=AWAY).topics[topic]
            if about.error is not None:
                sys.exit(f"There is no topic {topic} at {bootstrap}: {about.error.str()}")
            parts = [TopicPartition(topic, number) for number in sorted(about.partitions)]
            there = [consumer.get_watermark_offsets(part, timeout=AWAY)[1] for part in parts]
        except KafkaException as error:
            sys.exit(f"Kafka at {bootstrap} has not answered within {AWAY} s: {error.args[0].str()}")
    return Sending(bootstrap=bootstrap, topic=topic, there=there)


def producing(bootstrap: str) -> Producer:
    """Who sends. It is numbered once it is connected, or half a second later where it has something to send before."""
    return Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20, **QUIET})


def send(
    producer: Producer, sending: Sending, drawn: Iterator[Event], rate: float, file: Path
) -> tuple[int, int]:  # fmt: skip
    """Send what is missing, and write all events into a file, a line each; how many were sent, how many there are.

    Raises SystemExit where the broker does not take one.
    """
    refused: list[KafkaError] = []

    def told(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refused.append(error)

    seen, sent, count, began = [0] * len(sending.there), 0, 0, time.monotonic()
    with file.open("wb") as lines:
        for event in drawn:
            part = sending.partition(event)
            count += 1
            lines.write(ENCODE({"key": event.key, "value": event.value.decode(), "partition": part}) + b"\n")
            seen[part] += 1
            if seen[part] <= sending.there[part]:
                continue
            while True:
                with contextlib.suppress(BufferError):
                    producer.produce(sending.topic, event.value, event.key, part, on_delivery=told)
                    break
                producer.poll(0.1)
            producer.poll(0)
            sent += 1
            if refused:
                break
            if rate and (early := began + sent / rate - time.monotonic()) > 0:
                time.sleep(early)
    left = producer.flush(2 * AWAY)
    if refused or left:
        why = refused[0].str() if refused else f"{left} events waited {2 * AWAY} s"
        sys.exit(f"Kafka at {sending.bootstrap} has not taken all: {why}")
    return sent, count


def main() -> None:
    """Send events, and tell how many as outputs of the task."""
    parser = argparse.ArgumentParser(description="Send taxi trips to Kafka, good and bad, drawn from a seed.")
    parser.add_argument("--bootstrap", required=True, help="address of the broker")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--events", type=int, default=10_000, help="how many there are to be in all (10000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.0, help="how many a second at most; 0: as fast as it goes")
    for name, share in msgspec.structs.asdict(Shares()).items():
        parser.add_argument(f"--{name}", type=float, default=share, help=f"share of all, from 0 to 1 ({share})")
    parser.add_argument("--file", type=Path, default=Path("events.jsonl"), help="where all events are written, too")
    given = parser.parse_args()
    shares = Shares(bad=given.bad, duplicate=given.duplicate, late=given.late)
    producer = producing(given.bootstrap)
    sending = looked(given.bootstrap, given.topic)
    began = time.monotonic()
    sent, count = send(producer, sending, events(given.events, given.seed, shares), given.rate, given.file)
    took = time.monotonic() - began
    print(f"{sent} of {count} events sent in {took:.2f} s; {sum(sending.there)} were there.")
    told = {"events": count, "sent": sent, "seconds": round(took, 3)}
    print(f"::{json.dumps({'outputs': told})}::")
    topic = {"namespace": f"kafka://{given.bootstrap.partition(',')[0]}", "name": given.topic, "rows": sent}
    print(f"::{json.dumps({'writes': [topic]})}::")


if __name__ == "__main__":
    main()
