"""What did a task that turns files say? Its outputs, its failure, the records and the text that it made."""

from __future__ import annotations

import json

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told


def ok(told: Told) -> dict[str, object]:
    """The outputs of a task that went well."""
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    """Why a task failed."""
    assert told.failure is not None, told.outputs
    return str(told.failure["message"])


def text(local: LocalContext, outputs: dict[str, object]) -> str:
    """The text of the file that a task made, every sign of it."""
    return local.path(str(outputs["uri"])).read_bytes().decode()


def records(local: LocalContext, outputs: dict[str, object]) -> list[object]:
    """The records of the file that a task made."""
    return [json.loads(line) for line in text(local, outputs).splitlines()]
