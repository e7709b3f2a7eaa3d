"""How does jq look for patterns in text? Flags as letters, each match with its place and its groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from penstock.expr.calls import Frame
from penstock.expr.jq.values import fail, kind
from penstock.expr.searching import SECONDS, searched

if TYPE_CHECKING:
    import regex as engine

T = TypeVar("T")
_FLAGS = {"i": "i", "x": "x", "s": "s", "g": "", "n": "", "l": "", "p": "s"}


def tested(frame: Frame, value: Any, pattern: Any, flags: Any) -> bool:
    """Tell whether a pattern is found."""
    return _within(frame, value, pattern, flags, lambda found: found.search(value, timeout=SECONDS) is not None)


def find(frame: Frame, value: Any, pattern: Any, flags: Any) -> list[Any]:
    """List the first match, or with `g` all, as jq's maps."""

    def matches(found: engine.Pattern[str]) -> list[Any]:
        names = {number: name for name, number in found.groupindex.items()}
        described = []
        for match in found.finditer(value, timeout=SECONDS):
            if match.group() == "" and "n" in (flags or ""):
                continue
            described.append(_described(match, names))
            if "g" not in (flags or ""):
                break
        return described

    return _within(frame, value, pattern, flags, matches)


def parts(frame: Frame, value: Any, pattern: Any, flags: Any) -> list[str]:
    """List what stands between the matches of a pattern."""
    pieces, end = [], 0
    for match in find(frame, value, pattern, f"g{flags or ''}"):
        pieces.append(value[end : match["offset"]])
        end = match["offset"] + match["length"]
    return [*pieces, value[end:]]


def _described(match: engine.Match[str], names: dict[int, str]) -> dict[str, Any]:
    captures = []
    for number in range(1, len(match.groups()) + 1):
        text = match.group(number)
        captures.append(
            {
                "offset": match.start(number) if text is not None else -1,
                "length": len(text) if text is not None else 0,
                "string": text,
                "name": names.get(number),
            }
        )
    text = match.group()
    return {"offset": match.start(), "length": len(text), "string": text, "captures": captures}


def _within(frame: Frame, value: Any, pattern: Any, flags: Any, work: Callable[[engine.Pattern[str]], T]) -> T:
    if not isinstance(value, str) or not isinstance(pattern, str):
        fail(f"{kind(value)} cannot be matched, as it is not a string")
    if flags is not None and not isinstance(flags, str):
        fail(f"{kind(flags)} is not a string of flags")
    if unknown := [flag for flag in flags or "" if flag not in _FLAGS]:
        fail(f"{unknown[0]} is not a flag of patterns")
    letters = "".join(dict.fromkeys(_FLAGS[flag] for flag in flags or ""))
    return searched(frame, f"(?{letters}){pattern}" if letters else pattern, work)
