"""Which flows does a file hold, and what comes into it from others? Documents behind `---`, and `[[> file ]]`."""

from __future__ import annotations

import bisect
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Many
from typing import Final

import msgspec

from penstock.dialects.kestra.read import DIRECTIVE, Reading, read, version_of
from penstock.dialects.kestra.types import Types
from penstock.errors import Place, Problem, Severity
from penstock.errors.flow import BadInclude, Deprecated

# A line that begins so ends a document wherever it stands, in the middle of text too.
MARK: Final = re.compile(r"^(?:---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
BARE: Final = re.compile(r"(?:---|\.\.\.)[ \t]*(?:#.*)?(?:\r?\n|\Z)")
NOTHING: Final = re.compile(r"(?:\s|#.*|---[ \t]*$|\.\.\.[ \t]*$)*", re.MULTILINE)
INCLUDE: Final = re.compile(r"^(.*?)\[\[>(.*?)\]\](.*)$")


class Document(msgspec.Struct, frozen=True):
    """One document of a file, and how many lines of the file stand before it."""

    text: str
    before: int


class Origin(msgspec.Struct, frozen=True):
    """Where a line of an expanded text comes from; `shift` is how far it was moved to the right."""

    line: int
    file: str = ""
    shift: int = 0


class Expanded(msgspec.Struct, frozen=True):
    """A text with what it includes, where each of its lines comes from, and what was wrong."""

    text: str
    origins: tuple[Origin, ...] = ()
    problems: tuple[Problem, ...] = ()


def split(text: str) -> tuple[Document, ...]:
    """The documents of a text that hold something; the text itself where it is one."""
    begins = [0, *(match.start() for match in MARK.finditer(text))]
    found, last = [], 0
    for at, until in zip(begins, [*begins[1:], len(text)], strict=True):
        part = text[at:until]
        if NOTHING.fullmatch(part):
            continue
        bare = BARE.match(part)
        begin = at + (bare.end() if bare else 0)
        found.append(Document(text[begin:until], text.count("\n", 0, begin)))
        last = until
    whole = not found or (len(found) == 1 and len(begins) <= 2 and last == len(text))
    return (Document(text, 0),) if whole else tuple(found)


def read_several(
    text: str | bytes,
    *,
    types: Types,
    file: str = "",
    version: str = "1",
    defaults: Many[Mapping[str, object]] = (),
    namespace: str = "",
    globals: Mapping[str, object] | None = None,
) -> tuple[Reading, ...]:
    """Read every flow of a text, as `read` reads one; a first line that names a version holds for all of them."""

    def one(source: str | bytes, version: str) -> Reading:
        return read(
            source, types=types, file=file, version=version, defaults=defaults, namespace=namespace, globals=globals
        )

    try:
        source = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    except UnicodeDecodeError:
        return (one(text, version),)
    documents = split(source)
    if documents[0].text == source:
        return (one(text, version),)
    common = version_of(source, version)
    return tuple(_placed(document, common, one) for document in documents)


def _placed(document: Document, common: str, one: Callable[[str | bytes, str], Reading]) -> Reading:
    """The reading of one document, with places that count from the beginning of the file, and a text of its own."""
    asked = version_of(document.text, common)
    found = one("\n" * document.before + document.text, asked)
    source = document.text
    if not DIRECTIVE.match(source) and asked != "1":
        source = f"# kestra: {asked}\n{source}"
    digest = hashlib.sha256(source.encode(errors="surrogatepass")).hexdigest()
    return msgspec.structs.replace(found, source=source, digest=digest, before=document.before)


def expand(text: str, file: str, look: Callable[[str], str], version: str) -> Expanded:
    """Put in the place of each `[[> name ]]` what `look` gives for the name; it raises BadInclude where it cannot.

    A file of one line stands where it is named; the lines of a longer one each get what stands before the name.
    """
    if "[[>" not in text:
        return Expanded(text)
    lines: list[str] = []
    origins: list[Origin] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        match = INCLUDE.match(line)
        inside: list[str] | None = None
        if match:
            name = match[2].strip()
            place = Place(number, match.start(2) - 2, file, line)
            try:
                inside = look(name).removesuffix("\n").split("\n")
            except BadInclude as error:
                problems.append(msgspec.structs.replace(error.problem(), place=place))
            if version == "2":
                sentence = f"`[[> {name} ]]` is gone in version 2; it still works."
                problems.append(Problem(Deprecated.code, sentence, place, severity=Severity.NOTE))
        if match is None or inside is None:
            lines.append(line)
            origins.append(Origin(number))
        elif len(inside) == 1:
            lines.append(f"{match[1]}{inside[0]}{match[3]}")
            origins.append(Origin(number))
        else:
            lines += [f"{match[1]}{each}" for each in inside]
            origins += [Origin(row, match[2].strip(), len(match[1])) for row in range(1, len(inside) + 1)]
    return Expanded("\n".join(lines), tuple(origins), tuple(problems))


def included(text: str, file: str = "") -> Iterator[tuple[str, Place]]:
    """The name in each `[[> name ]]` of a text, and where it stands."""
    for number, line in enumerate(text.split("\n"), start=1):
        if match := INCLUDE.match(line):
            yield match[2].strip(), Place(number, match.start(2) - 2, file, line)


def traced(readings: Many[Reading], expanded: Expanded) -> tuple[Reading, ...]:
    """The readings of an expanded text, with each problem at the place where its line was written."""
    begins = [expanded.origins[each.before].line for each in readings[1:]] if expanded.origins else []
    told: list[list[Problem]] = [[] for _ in readings]
    for problem in expanded.problems:
        told[bisect.bisect_right(begins, problem.place.line) if problem.place else 0].append(problem)
    return tuple(_traced(reading, found, expanded) for reading, found in zip(readings, told, strict=True))


def _traced(reading: Reading, found: list[Problem], expanded: Expanded) -> Reading:
    problems = (*found, *(_back(problem, expanded.origins) for problem in reading.problems))
    bad = any(problem.severity is Severity.ERROR for problem in found)
    return msgspec.structs.replace(reading, flow=None if bad else reading.flow, problems=problems)


def _back(problem: Problem, origins: tuple[Origin, ...]) -> Problem:
    place = problem.place
    if place is None or place.line > len(origins):
        return problem
    origin = origins[place.line - 1]
    column, text = place.column - origin.shift, place.text[origin.shift :]
    here = Place(origin.line, max(column, 1), origin.file or place.file, text)
    return msgspec.structs.replace(problem, place=here)
