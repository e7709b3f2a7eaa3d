"""Which trips is dbt timed on? So many as DuckDB draws them, written into tables that are there already and empty.

    python fill.py NAMESPACE TRIPS      # in a copy of the project, by the Python of the flow's last task

A reject for every hundred trips, so that every event is accounted for: bronze has both.
"""

from __future__ import annotations

import sys

import duckdb

from projects.lakehouse.gold.lake import attach

SILVER = """
SELECT
  format('{:09d}', trip) AS trip_id, 1 + trip % 2 AS vendor_id,
  pickup_at, pickup_at + to_seconds(CAST(minutes * 60 AS BIGINT)) AS dropoff_at,
  pickup_zone, pickup.name AS pickup_zone_name, pickup.borough AS pickup_borough,
  dropoff_zone, dropoff.name AS dropoff_zone_name, dropoff.borough AS dropoff_borough,
  1 + trip % 4 AS passengers, miles,
  round(3.0 + 2.6 * miles + 0.45 * minutes, 2) AS fare, CASE WHEN card THEN round(random() * 6, 2) ELSE 0 END AS tip,
  CASE WHEN card THEN 'card' ELSE 'cash' END AS payment,
  pickup_at + to_seconds(CAST(minutes * 60 AS BIGINT) + 30) AS sent_at, minutes, trip % 33 = 0 AS late,
  trip % 2 AS k_partition, trip // 2 AS k_offset
FROM (
  SELECT
    range AS trip, TIMESTAMP '2024-01-01' + to_seconds(CAST(random() * 31 * 86400 AS BIGINT)) AS pickup_at,
    1 + CAST(264 * random() * random() AS INTEGER) AS pickup_zone, 1 + CAST(264 * random() AS INTEGER) AS dropoff_zone,
    round(0.3 + 12 * random() * random(), 2) AS miles, 2 + 30 * random() AS minutes, random() < 0.78 AS card
  FROM range({trips})
)
JOIN 'gold/seeds/zones.csv' AS pickup ON pickup.zone = pickup_zone
JOIN 'gold/seeds/zones.csv' AS dropoff ON dropoff.zone = dropoff_zone
"""
REJECTS = """
SELECT reasons[1 + range % 6] AS reason, '{"vendor_id":' || (1 + range % 2) || '}' AS event,
  CAST(NULL AS VARCHAR) AS trip_id, 0 AS k_partition, range AS k_offset
FROM range({rejects}), (
  SELECT ['MALFORMED', 'MISSING', 'NEGATIVE_FARE', 'ENDS_BEFORE_START', 'UNKNOWN_ZONE', 'DUPLICATE']
) AS named(reasons)
"""
BRONZE = """
SELECT '' AS event, '' AS event_key, range % 2 AS k_partition, range // 2 AS k_offset,
  TIMESTAMPTZ '2024-01-01 00:00:00+00' AS k_time
FROM range({trips} + {rejects})
"""


def main(name: str, trips: int) -> None:
    """Fill the three tables."""
    with duckdb.connect() as connection:
        attach(connection)
        connection.execute("SELECT setseed(0.5)")
        for table, query in (("silver", SILVER), ("rejects", REJECTS), ("bronze", BRONZE)):
            rows = query.replace("{trips}", str(trips)).replace("{rejects}", str(trips // 100))
            connection.execute(f"INSERT INTO lake.{name}.{table} BY NAME {rows}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
