"""How is it told when YAML cannot be read? What the parser says in its own words, in ours, with what to do."""

from __future__ import annotations

import re
from typing import Final

import yaml

from penstock.errors import Place
from penstock.errors.flow import FlowError, NotYaml

TOP: Final = Place(1, 1)
QUOTES: Final = "Put a value that begins with `{{` into quotation marks."


def place_at(text: str, index: int) -> Place:
    before = text[:index]
    return Place(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def unreadable(error: yaml.reader.ReaderError, text: str) -> FlowError:
    """Tell of a character that YAML cannot have."""
    found = UNPRINTABLE.search(text)
    if found is None:
        return NotYaml(f"The text cannot be read: {error.reason}.", place=TOP)
    name = f"U+{ord(found[0]):04X}"
    hint = 'Inside double quotation marks it can be written as an escape, such as "\\u0007".'
    return NotYaml(f"The character {name} cannot stand in YAML.", hint=hint, place=place_at(text, found.start()))


UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def told(error: yaml.MarkedYAMLError, text: str) -> FlowError:
    """Say in our words what YAML's parser says in its own."""
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else TOP
    lines = text.split("\n")
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    said = (error.problem or "").strip()
    begun = Place(error.context_mark.line + 1, error.context_mark.column + 1) if error.context_mark else place
    if said in AT_BEGINNING:
        place = begun
    if "\t" in line[: place.column] and not line[: place.column].strip():
        return NotYaml("A tab stands where YAML wants spaces.", hint="Indent with spaces.", place=place)
    for above in range(place.line, max(0, place.line - 3), -1):
        written = lines[above - 1] if above <= len(lines) else ""
        if begin := TEMPLATE_FIRST.search(written):
            return NotYaml(
                "A value begins with `{{` and is no map.", hint=QUOTES, place=Place(above, begin.start(1) + 1)
            )
    for words, sentence, hint in SAID:
        if words in said:
            opened = f" It is opened in line {begun.line}." if "opened" in sentence and begun.line != place.line else ""
            return NotYaml(sentence, hint=hint + opened, place=place)
    return NotYaml(f"YAML cannot be read on from here: {said}.", place=place)


TEMPLATE_FIRST: Final = re.compile(r"^\s*(?:- +(?:[\w.\"'-]+: +)?|[\w.\"'-]+: +)(\{\{)")
# These are noticed far behind the place where they went wrong.
AT_BEGINNING: Final = ("could not find expected ':'", "found unexpected end of stream")
SAID: Final = (
    (
        "did not find expected node content",
        "A list or map opened with `[` or `{` is not closed before the text goes on here.",
        "",
    ),
    (
        "mapping values are not allowed",
        "A `: ` stands where no key can be.",
        "Quote text that has `: ` in it; keys of one map stand in one column.",
    ),
    (
        "could not find expected ':'",
        "This line has no `:` after its key.",
        "A key is followed by `: ` and its value; text of several lines needs `|`.",
    ),
    (
        "did not find expected <document start>",
        "What follows does not belong to the map or list above.",
        "Keys of one map stand in one column.",
    ),
    (
        "did not find expected key",
        "Here should be a key of the map above, in the same column, or the map's end.",
        "Keys of one map stand in one column; quote text that has quotation marks in it.",
    ),
    (
        "did not find expected '-' indicator",
        "Here should be the next `- ` of the list above, or the list's end.",
        "The dashes of one list, and the keys of one map, stand in one column.",
    ),
    ("unexpected end of stream", "A quotation mark is opened here and never closed.", ""),
    (
        "found unknown escape character",
        "A backslash in double quotation marks has no such meaning.",
        "Use single quotation marks, or write the backslash twice.",
    ),
    (
        "did not find expected ',' or ']'",
        "A list opened with `[` goes wrong here.",
        "Its items are separated by `,` and it ends with `]`.",
    ),
    (
        "did not find expected ',' or '}'",
        "A map opened with `{` goes wrong here.",
        "Its entries are separated by `,` and it ends with `}`.",
    ),
    (
        "found character that cannot start any token",
        "A value cannot begin with this character.",
        "Put it into quotation marks.",
    ),
    (
        "found undefined tag handle",
        "This tag has no meaning in a flow.",
        "Put a value that begins with `!` into quotation marks.",
    ),
)
