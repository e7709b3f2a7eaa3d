"""Does the end of a script fire its trigger? `exit N` asks for its code, anything else for what it handed on."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from penstock.engine.recurrence import EPOCH
from penstock.expr import truthy

KEPT: Final = "exit condition"
EXIT: Final = re.compile(r"\s*exit\s+(\d+)\s*", re.IGNORECASE)


def judged(
    asked: Mapping[str, object], given: Mapping[str, object], before: Mapping[str, object], now: int
) -> tuple[bool, dict[str, object] | None]:
    """Whether a condition is met, and the variables of what that starts: with `edge` only where it was not met before.

    `asked` are the properties exitCondition and edge, `given` what the script's attempt handed on.
    """
    condition = str(asked.get("exitCondition") or "")
    code = given.get("exitCode")
    variables = given.get("vars")
    met = _met(condition, code, variables if isinstance(variables, Mapping) else {})
    edge = asked.get("edge", True)
    edge = edge.strip().lower() != "false" if isinstance(edge, str) else truthy(edge)
    if not met or (edge and before.get("met") is True):
        return met, None
    timestamp = (EPOCH + datetime.timedelta(microseconds=now)).isoformat()
    return met, {"timestamp": timestamp, "condition": condition, "exitCode": code, "vars": variables}


def _met(condition: str, code: object, variables: Mapping[str, object]) -> bool:
    if (found := EXIT.fullmatch(condition)) is not None:
        return code == int(found[1])
    text = "\n".join(f"{name}: {_text(value)}" for name, value in variables.items())
    try:
        return re.search(condition, text) is not None or condition in text
    except re.error:
        return condition in text


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
