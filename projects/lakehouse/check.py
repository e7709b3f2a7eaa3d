"""Do the tables hold what was sent? What each must hold is computed from the generator's file alone, and compared.

    python -m projects.lakehouse.check --events events.jsonl --name taxi --gold taxi.duckdb

Needs the packages that the task `dbt_build` of the flow names, and the environment of the servers. Ends with 1 where a
table differs, having shown the first rows that do.
"""

from __future__ import annotations

import argparse
import collections
import csv
import datetime
import importlib
import json
import os
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from projects.lakehouse.gold.lake import attach

ZONES = Path(__file__).parent / "gold" / "seeds" / "zones.csv"
NEEDED = ("trip_id", "pickup_at", "dropoff_at", "fare")
SHOWN = 5
Row = tuple[Any, ...]


class Trip(NamedTuple):
    """A row of silver; minutes to four places."""

    trip_id: str
    vendor_id: int
    pickup_at: datetime.datetime
    dropoff_at: datetime.datetime
    pickup_zone: int
    pickup_zone_name: str
    pickup_borough: str
    dropoff_zone: int
    dropoff_zone_name: str
    dropoff_borough: str
    passengers: int
    miles: float
    fare: float
    tip: float
    payment: str
    sent_at: datetime.datetime
    minutes: float
    late: bool
    k_partition: int


class Wanted(NamedTuple):
    """What the tables must hold."""

    bronze: collections.Counter[Row]
    silver: collections.Counter[Trip]
    rejects: collections.Counter[Row]


def computed(lines: Iterable[str]) -> Wanted:
    """What the events of the generator's file must have become; partitions keep the order of the file."""
    made = Wanted(collections.Counter(), collections.Counter(), collections.Counter())
    places = zones()
    offsets: collections.Counter[int] = collections.Counter()
    seen: set[str] = set()
    for line in lines:
        sent = json.loads(line)
        part, event = sent["partition"], sent["value"]
        made.bronze[(event, sent["key"], part, offsets[part])] += 1
        offsets[part] += 1
        reason, trip = judged(event, places)
        if not reason and trip["trip_id"] in seen:
            reason = "DUPLICATE"
        if reason:
            made.rejects[(reason, event, part)] += 1
        else:
            seen.add(trip["trip_id"])
            made.silver[typed(trip, part, places)] += 1
    return made


def zones() -> dict[int, tuple[str, str]]:
    """Name and borough of each zone."""
    with ZONES.open() as file:
        return {int(row["zone"]): (row["name"], row["borough"]) for row in csv.DictReader(file)}


def judged(event: str, places: Container[int]) -> tuple[str, dict[str, Any]]:
    """What is wrong with an event, the empty text for nothing; and what it says."""
    try:
        trip = json.loads(event)
    except ValueError:
        return "MALFORMED", {}
    if any(trip.get(name) is None for name in NEEDED):
        return "MISSING", trip
    if trip["fare"] < 0:
        return "NEGATIVE_FARE", trip
    if moment(trip["dropoff_at"]) <= moment(trip["pickup_at"]):
        return "ENDS_BEFORE_START", trip
    if trip["pickup_zone"] not in places or trip["dropoff_zone"] not in places:
        return "UNKNOWN_ZONE", trip
    return "", trip


def typed(trip: dict[str, Any], part: int, places: Mapping[int, tuple[str, str]]) -> Trip:
    """A good trip as silver has it."""
    pickup, dropoff, sent = (moment(trip[name]) for name in ("pickup_at", "dropoff_at", "sent_at"))
    taken = {name: trip[name] for name in trip if name in Trip._fields}
    known = {f"{end}_{told}": text for end in ("pickup", "dropoff")
             for told, text in zip(("zone_name", "borough"), places[trip[f"{end}_zone"]], strict=True)}  # fmt: skip
    moments = {"pickup_at": pickup, "dropoff_at": dropoff, "sent_at": sent}
    return Trip(
        **{**taken, **known, **moments},
        minutes=round((dropoff - pickup).total_seconds() / 60, 4),
        late=(sent - dropoff).total_seconds() >= 3600,
        k_partition=part,
    )


def moment(text: str) -> datetime.datetime:
    """A time as the events have it."""
    return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")


def gold(wanted: Wanted) -> dict[str, set[Row]]:
    """What dbt must have made of them, with sums to the cent."""
    trips, places = list(wanted.silver.elements()), zones()
    starts, ends = grouped(trips, lambda trip: trip.pickup_zone), grouped(trips, lambda trip: trip.dropoff_zone)
    reasons: collections.Counter[str] = collections.Counter()
    for (reason, *_), count in wanted.rejects.items():
        reasons[reason] += count
    if late := sum(trip.late for trip in trips):
        reasons["LATE"] = late
    return {
        "zones": {(zone, *told) for zone, told in places.items()},
        "revenue_by_day": {
            (day, len(of), cents(t.fare for t in of), cents(t.tip for t in of), *(paid(of, how) for how in PAYMENTS))
            for day, of in grouped(trips, lambda trip: trip.pickup_at.date()).items()
        },
        "trips_by_hour_and_zone": {
            (zone, *places[zone], hour, len(of))
            for (zone, hour), of in grouped(trips, lambda trip: (trip.pickup_zone, trip.pickup_at.hour)).items()
        },
        "zone_performance": {
            (zone, *places[zone], len(starts.get(zone, ())), len(ends.get(zone, ())), fares(starts.get(zone, ())))
            for zone in starts.keys() | ends.keys()
        },
        "quality_by_reason": set(reasons.items()),
        "quality_by_vendor": vendors(trips, wanted.rejects),
        "quality": {(sum(wanted.bronze.values()), len(trips), sum(wanted.rejects.values()))},
    }


def vendors(trips: Iterable[Trip], rejects: Mapping[Row, int]) -> set[Row]:
    """What came of the events of each vendor; 0: of those that do not say."""
    rejected: collections.Counter[int] = collections.Counter()
    twice: collections.Counter[int] = collections.Counter()
    for (reason, event, _), count in rejects.items():
        vendor = 0 if reason == "MALFORMED" else json.loads(event).get("vendor_id") or 0
        rejected[vendor] += count
        twice[vendor] += count * (reason == "DUPLICATE")
    good = grouped(trips, lambda trip: trip.vendor_id)
    return {
        (
            vendor, len(of := good.get(vendor, [])) + rejected[vendor], len(of), rejected[vendor], twice[vendor],
            sum(trip.late for trip in of), sum(trip.payment == "cash" for trip in of),
        )
        for vendor in good.keys() | rejected.keys()
    }  # fmt: skip


def grouped(trips: Iterable[Trip], key: Callable[[Trip], Any]) -> dict[Any, list[Trip]]:
    """Trips by something of theirs."""
    found: dict[Any, list[Trip]] = collections.defaultdict(list)
    for trip in trips:
        found[key(trip)].append(trip)
    return found


def paid(trips: Iterable[Trip], how: str) -> float:
    """Fares and tips that were paid so."""
    return cents(trip.fare + trip.tip for trip in trips if trip.payment == how)


def fares(trips: Iterable[Trip]) -> float:
    """Their sum."""
    return cents(trip.fare for trip in trips)


PAYMENTS = ("card", "cash")
COLUMNS = {
    "zones": "zone, name, borough",
    "revenue_by_day": "pickup_day, trips, fares, tips, by_card, in_cash",
    "trips_by_hour_and_zone": "pickup_zone, zone_name, borough, pickup_hour, trips",
    "zone_performance": "zone, name, borough, trips_from, trips_to, fares",
    "quality_by_reason": "reason, events",
    "quality_by_vendor": "vendor_id, events, trips, rejected, duplicates, late, in_cash",
    "quality": "bronze_rows, silver_rows, rejected_rows",
}


def cents(amounts: Iterable[float]) -> float:
    """A sum of dollars, to the cent."""
    return round(sum(amounts), 2)


class Report:
    """The table of what was compared."""

    def __init__(self) -> None:
        self.bad = 0
        print(f"{'table':<28} {'wanted':>9} {'found':>9}")

    def compare(self, name: str, wanted: collections.Counter[Any], found: collections.Counter[Any]) -> None:
        """Compare the rows of a table, each as often as it is there."""
        same = wanted == found
        self.bad += not same
        print(f"{name:<28} {sum(wanted.values()):>9,} {sum(found.values()):>9,}  {'the same' if same else 'DIFFERS'}")
        for sign, rows in (("-", wanted - found), ("+", found - wanted)):
            for row in list(rows)[:SHOWN]:
                print(f"    {sign} {row}")


def main() -> int:
    """Compare all tables, and say whether all are right: 0, else 1."""
    parser = argparse.ArgumentParser(description="Compare the lake's tables with what was sent.")
    parser.add_argument("--events", type=Path, required=True, help="the file that the generator wrote")
    parser.add_argument("--name", default="taxi", help="namespace of the tables (taxi)")
    parser.add_argument(
        "--gold", help="file that dbt has written, or `postgres`: GOLD_DATABASE_URL; without it gold is not compared"
    )
    given = parser.parse_args()
    with given.events.open() as lines:
        wanted = computed(lines)
    report = Report()
    with duckdb.connect() as connection:
        attach(connection)

        def rows(query: str) -> collections.Counter[Row]:
            return collections.Counter(connection.sql(query).fetchall())

        lake = f"lake.{given.name}"
        report.compare(
            "bronze", wanted.bronze, rows(f"SELECT event, event_key, k_partition, k_offset FROM {lake}.bronze")
        )
        columns = ", ".join("round(minutes, 4)" if name == "minutes" else name for name in Trip._fields)
        report.compare("silver", wanted.silver, rows(f"SELECT {columns} FROM {lake}.silver"))
        report.compare("rejects", wanted.rejects, rows(f"SELECT reason, event, k_partition FROM {lake}.rejects"))
        (places,) = connection.sql(f"SELECT count(DISTINCT (k_partition, k_offset)) FROM {lake}.bronze").fetchall()
    assert places[0] == sum(wanted.bronze.values()) or report.bad, "an event is there twice"
    if given.gold is not None:
        found = built(given.gold, given.name)
        for table, expected in gold(wanted).items():
            report.compare(f"gold {table}", collections.Counter(expected), found[table])
    return 1 if report.bad else 0


def built(where: str, name: str) -> dict[str, collections.Counter[Row]]:
    """What dbt has built, in a file of DuckDB's or in PostgreSQL."""
    queries = {table: f"SELECT {columns} FROM {{}}{table}" for table, columns in COLUMNS.items()}
    if where == "postgres":
        driver = importlib.import_module("psycopg2")
        with driver.connect(os.environ["GOLD_DATABASE_URL"]) as session, session.cursor() as cursor:
            found = {}
            for table, query in queries.items():
                cursor.execute(query.format(f"gold_{name}."))
                found[table] = cursor.fetchall()
    else:
        with duckdb.connect(where, read_only=True) as connection:
            found = {table: connection.sql(query.format("")).fetchall() for table, query in queries.items()}
    return {
        table: collections.Counter(tuple(_plain(cell) for cell in row) for row in rows) for table, rows in found.items()
    }


def _plain(cell: Any) -> Any:
    return float(cell) if hasattr(cell, "as_tuple") else cell


if __name__ == "__main__":
    raise SystemExit(main())
