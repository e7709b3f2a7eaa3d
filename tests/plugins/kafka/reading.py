"""How do tests of Kafka read what a task has told?"""

from __future__ import annotations

import json

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told


def ok(told: Told) -> dict[str, object]:
    """What a task handed on, having succeeded."""
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    """What a task says of its failure."""
    assert told.failure is not None, told.outputs
    return str(told.failure["message"])


def lines(local: LocalContext, told: dict[str, object]) -> list[dict[str, object]]:
    """The messages of the file that a task has stored."""
    return [json.loads(line) for line in local.text(str(told["uri"])).splitlines()]


def values(local: LocalContext, broker: dict[str, object], topic: str) -> list[object]:
    """The values of all messages of a topic, as committed."""
    asked = {**broker, "topic": topic, "pollDuration": "PT1S"}
    return [each["value"] for each in lines(local, ok(local.run("kafka.consume", asked)))]
