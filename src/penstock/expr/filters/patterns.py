"""Which filters look for patterns in text? Replacement, splitting, searches, each within a time limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from penstock.errors.expr import ExprFailed
from penstock.expr.calls import Frame, fits
from penstock.expr.printing import joined_text
from penstock.expr.registry import filter
from penstock.expr.searching import SECONDS, searched

if TYPE_CHECKING:
    import regex as engine

_SPECIAL = frozenset("\\^$.|?*+()[]{}")


@filter("replace")
def replace(frame: Frame, value: object, pairs: Mapping[str, object], regexp: bool = False) -> str:
    """The text with each key of the map replaced by its value; with `regexp` keys are patterns."""
    text = joined_text(value)
    for old, new in pairs.items():
        if new is None:
            raise ExprFailed(f"What stands in place of `{old[:40]}` is null.")
        instead = joined_text(new)
        if regexp:
            text = _substituted(frame, text, old, instead)
        else:
            fits(len(text) + text.count(old) * (len(instead) - len(old)))
            text = text.replace(old, instead)
    return text


@filter("split")
def split(frame: Frame, value: str, delimiter: str, limit: int | None = None) -> list[object]:
    """The parts of the text between the delimiters (a pattern); without a limit empty parts at the end are dropped."""
    parts: list[object]
    most = max(0, (limit or 0) - 1)
    if delimiter == "" and value:
        parts = [*value[:most], value[most:]] if most and len(value) > most else list(value)
    elif limit == 1 or not value:
        parts = [value]
    elif _SPECIAL.isdisjoint(delimiter):
        parts = list(value.split(delimiter, most or -1))
    else:
        parts = list(searched(frame, delimiter, lambda pattern: _pieces(pattern, value, most)))
    if not limit and parts != [value]:
        while parts and parts[-1] == "":
            parts.pop()
    return parts


@filter("regexMatch", null="taken")
def regex_match(frame: Frame, value: object, regex: str) -> bool:
    """True when the pattern is found in the text."""
    if value is None:
        return False
    text = joined_text(value)
    return bool(searched(frame, regex, lambda pattern: pattern.search(text, timeout=SECONDS) is not None))


@filter("regexExtract")
def regex_extract(frame: Frame, value: object, regex: str, group: int = 0) -> str | None:
    """What the pattern, or one of its groups, first matches; null when nothing does."""

    text = joined_text(value)

    def found(pattern: engine.Pattern[str]) -> str | None:
        if group < 0:
            raise ExprFailed("A group is 0 at least.")
        match = pattern.search(text, timeout=SECONDS)
        if match is None:
            return None
        if not 0 <= group <= pattern.groups:
            raise ExprFailed(f"The pattern has {pattern.groups} groups, no group {group}.")
        got = match.group(group)
        return got if isinstance(got, str) else None

    return searched(frame, regex, found)


@filter("regexReplace")
def regex_replace(frame: Frame, value: object, regex: str, replacement: str) -> str:
    """The text with every match of the pattern replaced; `$1` stands for its first group."""
    return _substituted(frame, joined_text(value), regex, replacement)


def _substituted(frame: Frame, value: str, pattern: str, replacement: str) -> str:
    """Replace, with `$1` and `${name}` for groups and a backslash before a plain `$`."""

    def replaced(compiled: engine.Pattern[str]) -> str:
        pieces: list[str] = []
        size = end = 0
        for match in compiled.finditer(value, timeout=SECONDS):
            piece = value[end : match.start()] + _expanded(match, replacement)
            size += len(piece)
            fits(size)
            pieces.append(piece)
            end = match.end()
        return "".join(pieces) + value[end:]

    return searched(frame, pattern, replaced)


def _expanded(match: engine.Match[str], replacement: str) -> str:
    if "$" not in replacement and "\\" not in replacement:
        return replacement
    pieces: list[str] = []
    index = 0
    while index < len(replacement):
        letter = replacement[index]
        if letter == "\\" and index + 1 < len(replacement):
            pieces.append(replacement[index + 1])
            index += 2
        elif letter == "$":
            name, index = _group_name(replacement, index + 1)
            try:
                pieces.append(match.group(int(name) if name.isdigit() else name) or "")
            except IndexError:
                raise ExprFailed(f"The pattern has no group `{name}`.") from None
        else:
            pieces.append(letter)
            index += 1
    return "".join(pieces)


def _group_name(replacement: str, start: int) -> tuple[str, int]:
    if replacement.startswith("{", start) and (end := replacement.find("}", start)) > 0:
        return replacement[start + 1 : end], end + 1
    end = start
    while end < len(replacement) and replacement[end] in "0123456789" and end - start < 2:
        end += 1
    if end == start:
        raise ExprFailed("`$` in a replacement names a group: `$1`, `${name}`. Write `\\$` for the sign itself.")
    return replacement[start:end], end


def _pieces(pattern: engine.Pattern[str], value: str, most: int) -> list[str]:
    """Split without giving the pattern's groups; an empty match at the start gives no empty part."""
    parts: list[str] = []
    end = 0
    for match in pattern.finditer(value, timeout=SECONDS):
        if match.end() == 0:
            continue
        if most and len(parts) >= most:
            break
        parts.append(value[end : match.start()])
        end = match.end()
    return [*parts, value[end:]]
