"""What does Flink mean by an error? The deepest cause of a stack of Java's, with the place in the SQL."""

from __future__ import annotations

import re
from typing import Final

import msgspec

ROOT: Final = "Caused by: "
LONGEST: Final = 2_000
# So much of what Java said is kept in the log.
WHOLE: Final = 60_000
PLACE: Final = re.compile(r"\bline (\d+), column (\d+)")
CLASSES: Final = ("org.apache.flink.", "org.apache.calcite.", "java.")
# What Java says of a server that is not there, and how others say which one that was.
NETWORK: Final = ("java.net.", "java.io.", "java.nio.channels.", "java.util.concurrent.TimeoutException")
ADDRESS: Final = re.compile(r"[\w.\]]:\d{2,5}\b|://")
# Flink's parser tells of each word that could have stood there.
EXPECTED: Final = re.compile(r"\s*Was expecting one of:.*", re.DOTALL)
# By which the gateway asks the JobManager; connectors ask their servers by other means.
FLINKS_OWN: Final = "org.apache.flink.shaded.netty4."
REFUSED: Final = "java.net.ConnectException: Connection refused"
# What Flink advises to who calls its own command.
ADVICE: Final = re.compile(
    r"If you want to allow to skip this, you can set the --allowNonRestoredState option on the CLI\."
)
INSTEAD: Final = "`allowNonRestoredState: true` leaves it behind."
# What a gateway says that was started again since.
GONE: Final = re.compile(r"Session '[^']*' does not exist|Can not find the submitted operation")


def cause(told: str) -> str:
    """The deepest cause in what one of Flink's servers told, and the place that one above it says.

    Calcite, which reads Flink's SQL, tells the place in one exception and what is wrong there in the next.
    """
    text = whole(told)
    causes = _causes(text)
    if not causes:
        lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("at ")]
        return _short(" ".join(lines)) or "no reason given"
    deepest = _unnamed(causes[-1])
    if where := _reached_for(causes):
        return _short(f"{_unnamed(where)} ({deepest})")
    placed = next((match for each in reversed(causes) if (match := PLACE.search(each))), None)
    if placed is None or PLACE.search(deepest):
        return _short(deepest)
    return f"{_short(deepest)} (line {placed[1]}, column {placed[2]})"


def whole(told: str) -> str:
    """The errors that the body of an answer holds; itself where it holds none."""
    try:
        body = msgspec.json.decode(told)
    except msgspec.DecodeError:
        return told
    errors = body.get("errors") if isinstance(body, dict) else None
    return "\n".join(str(each) for each in errors) if isinstance(errors, list) else told


def is_gone(told: str) -> bool:
    """Whether a gateway says that it does not know the session any more."""
    return GONE.search(whole(told)) is not None


def is_away(told: str) -> bool:
    """Whether the gateway says that it could not reach the JobManager."""
    *above, deepest = _causes(whole(told)) or [""]
    return deepest.startswith(REFUSED) and any(each.startswith(FLINKS_OWN) for each in above)


def _short(text: str) -> str:
    return ADVICE.sub(INSTEAD, EXPECTED.sub("", text)).strip()[:LONGEST]


def _causes(told: str) -> list[str]:
    """Each exception after `Caused by`, with its class, over as many lines as it takes."""
    found: list[str] = []
    within = False
    for line in told.splitlines():
        text = line.strip()
        if text.startswith(ROOT):
            found.append(text.removeprefix(ROOT))
            within = True
        elif not text or text.startswith(("at ", "...")):
            within = False
        elif within:
            found[-1] += f" {text}"
    return found


def _reached_for(causes: list[str]) -> str:
    """Which server it was that did not answer, where the deepest cause only says that one did not."""
    if not causes[-1].startswith(NETWORK) or ADDRESS.search(causes[-1]):
        return ""
    return next((each for each in reversed(causes[:-1]) if ADDRESS.search(each)), "")


def _unnamed(text: str) -> str:
    """A sentence without the name of the class that says it."""
    name, sign, rest = text.partition(": ")
    return rest if sign and name.startswith(CLASSES) and " " not in name else text
