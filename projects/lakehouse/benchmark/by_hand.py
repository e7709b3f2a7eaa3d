"""What does a hand say to servers for which no program lies about? The plainest client of each, and no retries.

    python by_hand.py topic NAME SCHEMA.json      # register what is sent, and make a topic of two partitions
    python by_hand.py submit FILE.sql             # have Flink's gateway do statements, and wait until the job works
    python by_hand.py wait TOPIC TABLE …          # until tables hold as many rows as a topic has messages

Statements of a file are parted by lines of `-- then`. Where the servers are comes from the environment.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

THEN: Final = "\n-- then\n"
LOOKS_EVERY: Final = 0.02
PARTITIONS: Final = 2


def ask(address: str, body: object = None, method: str | None = None) -> Any:
    """GET, or POST of a body; gives the answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)


def schema(name: str, text: str) -> None:
    """Register what the messages of a topic look like."""
    registry = os.environ["SCHEMA_REGISTRY_URL"]
    ask(f"{registry}/config/{name}-value", {"compatibility": "BACKWARD"}, "PUT")
    ask(f"{registry}/subjects/{name}-value/versions", {"schema": text, "schemaType": "JSON"})


def topic(name: str) -> None:
    """Make a topic."""
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

    admin = AdminClient({"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"]})
    admin.create_topics([NewTopic(name, PARTITIONS)])[name].result(30)


def begun() -> str:
    """Begin a session of the gateway; gives its address."""
    sessions = os.environ["FLINK_GATEWAY_URL"] + "/v1/sessions"
    return f"{sessions}/{ask(sessions, {})['sessionHandle']}"


def do(session: str, statement: str) -> Any:
    """Have a statement done; gives the first page of what it answers."""
    handle = ask(f"{session}/statements", {"statement": statement})["operationHandle"]
    operation = f"{session}/operations/{handle}"
    while ask(f"{operation}/status")["status"] in ("PENDING", "RUNNING", "INITIALIZED"):
        time.sleep(LOOKS_EVERY)
    # an error is told here, and not by the status
    return ask(f"{operation}/result/0?rowFormat=JSON")


def submit(statements: list[str]) -> str:
    """Have statements done in one session; the last is a job, whose id is given once all its tasks run."""
    session = begun()
    *before, last = statements
    for statement in before:
        do(session, statement)
    job = str(do(session, last)["results"]["data"][0]["fields"][0])
    while not works(job):
        time.sleep(LOOKS_EVERY)
    return job


def works(job: str) -> bool:
    """Whether all tasks of a job run, or have come to their end."""
    found = ask(f"{os.environ['FLINK_URL']}/jobs/{job}")
    counts = found["status-counts"]
    return bool(found["vertices"]) and counts["RUNNING"] + counts["FINISHED"] == len(found["vertices"])


def messages(name: str) -> int:
    """How many messages a topic has."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"], "group.id": "by-hand"})
    parts = [TopicPartition(name, number) for number in range(PARTITIONS)]
    marks = [consumer.get_watermark_offsets(part, timeout=30) for part in parts]
    consumer.close()
    return sum(end - first for first, end in marks)


def rows(table: str) -> int:
    """How many rows a table has, as its newest snapshot says."""
    namespace, name = table.split(".")
    found = ask(f"{os.environ['ICEBERG_CATALOG_URL']}/v1/namespaces/{namespace}/tables/{name}")["metadata"]
    summaries = {each["snapshot-id"]: each["summary"] for each in found.get("snapshots", [])}
    return int(summaries.get(found.get("current-snapshot-id"), {}).get("total-records", 0))


def wait(wanted: int, tables: list[str]) -> None:
    """Wait until tables hold so many rows together."""
    while sum(rows(table) for table in tables) < wanted:
        time.sleep(LOOKS_EVERY)


def main(given: list[str]) -> None:
    """Do what is asked."""
    match given:
        case ["topic", name, file]:
            schema(name, Path(file).read_text())
            topic(name)
        case ["submit", file]:
            submit(Path(file).read_text().split(THEN))
        case ["wait", name, *tables]:
            wait(messages(name), tables)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
