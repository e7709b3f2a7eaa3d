"""Which flows does a project hold, and how do its files become revisions in the store?"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Final

import msgspec

from penstock.dialects.kestra import Expanded, Installed, Reading, expand, read, read_several, traced, version_of
from penstock.dialects.kestra.suites import is_suite
from penstock.errors import Place, Problem, Severity
from penstock.errors.flow import BadInclude
from penstock.errors.project import InvalidFlows, NoSuchFile, SameFlowTwice
from penstock.model.flow import Flow
from penstock.model.node import Subflow
from penstock.model.plan import Plan, every_node
from penstock.services import flows
from penstock.services.core import Core

ENDINGS: Final = frozenset({".yml", ".yaml", ".json"})
# What stands in a project beside flows, and never is one.
NO_FLOWS: Final = frozenset({"penstock.yaml", "penstock.yml", "dbt_project.yml", "docker-compose.yml", "compose.yml"})
# What lies in the topmost folder that a file may include others from.
TOPS: Final = ("penstock.yaml", ".git")
SKIPPED: Final = frozenset({"node_modules", "__pycache__", "venv"})
SELDOM: Final = 50_000
ID: Final = re.compile(r"""^(?:id|"id")\s*:\s*["']?([^\s"'#,]+)""", re.MULTILINE)


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a project wants its flows read: what they get without saying it."""

    namespace: str = ""
    version: str = "1"
    defaults: tuple[dict[str, object], ...] = ()
    globals: dict[str, object] = {}
    allow_unknown: bool = False


class Found(msgspec.Struct, frozen=True):
    """A file with what was read from it."""

    path: Path
    reading: Reading


def flow_files(places: Iterable[Path]) -> list[Path]:
    """The files that may hold flows: those named, and those below the folders named; hidden folders are passed by."""
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            found.update(dict.fromkeys(path for path in _below(place) if may_hold_flows(path)))
        elif place.exists():
            found[place] = None
    return list(found)


def suite_files(places: Iterable[Path]) -> list[Path]:
    """The files that hold tests of flows: those named, and those below the folders named."""
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            found.update(dict.fromkeys(path for path in _below(place) if holds_tests(path)))
        elif place.exists():
            found[place] = None
    return list(found)


def holds_tests(path: Path) -> bool:
    """Whether a file holds tests of a flow instead of flows: a look, not a reading."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return is_suite(file.read())


def may_hold_flows(path: Path) -> bool:
    """Whether a file is looked at for flows: tests are none, and of JSON, which is mostly data, only what has tasks."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return _looks_like_flows(path, file.read())


def _looks_like_flows(path: PurePath, text: str) -> bool:
    return not is_suite(text) and (path.suffix != ".json" or '"tasks"' in text)


def read_file(path: Path, manner: Manner) -> Reading:
    """Read a file of one flow. Raises NoSuchFile; what is wrong with the text stands in the reading."""
    whole = _expanded(path, manner)
    if whole is None:
        return read_text(_bytes(path), manner, str(path))
    return traced([read_text(whole.text, manner, str(path))], whole)[0]


def read_files(path: Path, manner: Manner) -> tuple[Reading, ...]:
    """Read every flow of a file. Raises NoSuchFile."""
    whole = _expanded(path, manner)
    found = read_texts(whole.text if whole else _bytes(path), manner, str(path))
    return traced(found, whole) if whole else found


def read_text(text: bytes | str, manner: Manner, file: str = "") -> Reading:
    """Read the text of one flow as a project's files are read; its digest covers what the project adds."""
    return _in_project(read(text, file=file, **_ways(manner)), manner)


def read_texts(text: bytes | str, manner: Manner, file: str = "") -> tuple[Reading, ...]:
    """Read every flow of a text as a project's files are read."""
    return tuple(_in_project(reading, manner) for reading in read_several(text, file=file, **_ways(manner)))


def _each(paths: Iterable[Path], manner: Manner) -> Iterator[tuple[Path, Reading]]:
    for path in paths:
        for reading in read_files(path, manner):
            yield path, reading


def _ways(manner: Manner) -> dict[str, Any]:
    return {
        "types": Installed(others=manner.allow_unknown),
        "version": manner.version,
        "defaults": manner.defaults,
        "namespace": manner.namespace,
        "globals": manner.globals,
    }


def _in_project(reading: Reading, manner: Manner) -> Reading:
    flow = reading.flow
    if flow is not None and manner.globals:
        flow = msgspec.structs.replace(flow, globals=manner.globals)
    if manner == Manner():
        return reading
    around = hashlib.sha256(reading.digest.encode() + msgspec.json.encode(manner)).hexdigest()
    return msgspec.structs.replace(reading, flow=flow, digest=around)


def read_all(paths: Iterable[Path], manner: Manner) -> list[Found]:
    """Read files; a flow that two of them hold is a problem of the second."""
    with _rarely_collected():
        return _once_each(_each(paths, manner))


def read_given(texts: Mapping[str, str], manner: Manner) -> list[Found]:
    """Read the flows among texts by their names, which are those of files; they may include each other."""
    with _rarely_collected():
        return _once_each(_each_given({str(PurePosixPath(name)): text for name, text in texts.items()}, manner))


def _each_given(texts: Mapping[str, str], manner: Manner) -> Iterator[tuple[Path, Reading]]:
    for name, text in texts.items():
        path = PurePosixPath(name)
        if path.suffix not in ENDINGS or path.name in NO_FLOWS or not _looks_like_flows(path, text):
            continue
        whole = expand(text, name, partial(_among, texts, path.parent), version_of(text, manner.version))
        found = read_texts(whole.text, manner, name)
        for reading in traced(found, whole) if "[[>" in text else found:
            yield Path(name), reading


def _among(texts: Mapping[str, str], folder: PurePosixPath, name: str) -> str:
    found = texts.get(posixpath.normpath(folder / name))
    if found is None:
        raise BadInclude(f'There is no text "{name}" beside this file to include.')
    return found


def _once_each(read: Iterable[tuple[Path, Reading]]) -> list[Found]:
    found: list[Found] = []
    seen: dict[str, Path] = {}
    for path, reading in read:
        if reading.flow is not None:
            first = seen.setdefault(reading.flow.name, path)
            if first != path:
                sentence = f"The flow {reading.flow.name} stands in {first} too."
                problem = Problem(SameFlowTwice.code, sentence, place=Place(1, 1, str(path)))
                reading = msgspec.structs.replace(reading, flow=None, problems=(*reading.problems, problem))
        found.append(Found(path, reading))
    return found


@contextlib.contextmanager
def _rarely_collected() -> Iterator[None]:
    """Have Python look for garbage in circles less often: flows are trees, and looking through those that were read
    before takes a third of the time of reading a thousand.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(SELDOM, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def flow_of(reading: Reading, path: Path) -> Flow:
    """The flow that was read. Raises InvalidFlows with its problems when there is none."""
    if reading.flow is None:
        raise invalid([Found(path, reading)])
    return reading.flow


def invalid(found: Sequence[Found]) -> InvalidFlows:
    """The error that tells every problem of some files."""
    problems = [problem for each in found for problem in each.reading.problems]
    count = sum(problem.severity is Severity.ERROR for problem in problems)
    bad = [each for each in found if each.reading.flow is None]
    names = str(bad[0].path) if len(bad) == 1 else f"{len(bad)} files"
    return InvalidFlows(f"{names}: {count} {'error' if count == 1 else 'errors'}.", problems)


def push_file(core: Core, path: Path, manner: Manner, by: str, name: str = "") -> tuple[Plan, Reading]:
    """Make a file's text the newest revision of its flow, unless it is already. Raises NoSuchFile, InvalidFlows.

    Of a file with several flows it is the one of a name, given with or without its namespace.
    """
    named = (each for each in read_files(path, manner) if each.flow and name in (each.flow.id, each.flow.name))
    reading = (next(named, None) if name else None) or read_file(path, manner)
    flow = flow_of(reading, path)
    return flows.push(core, flow, reading.source, reading.digest, by), reading


def push_called(core: Core, flow: Flow, places: Iterable[Path], manner: Manner, by: str) -> None:
    """Bring the flows that a flow calls into the store, and those that they call, as far as files hold them."""
    waiting, known = [flow], {flow.name}
    held: dict[str, list[Path]] | None = None
    while waiting:
        for node in every_node(waiting.pop()):
            if not isinstance(node, Subflow) or (name := f"{node.namespace}.{node.flow}") in known:
                continue
            known.add(name)
            held = by_id(flow_files(places)) if held is None else held
            for path, reading in _each(held.get(node.flow, ()), manner):
                if reading.flow is None:
                    raise invalid([Found(path, reading)])
                if reading.flow.name == name:
                    flows.push(core, reading.flow, reading.source, reading.digest, by)
                    waiting.append(reading.flow)


def files_of(name: str, places: Iterable[Path]) -> list[Path]:
    """The files whose text says the id of a flow, given with or without its namespace."""
    held = by_id(flow_files(places))
    return [
        path for flow_id, paths in held.items() if name == flow_id or name.endswith(f".{flow_id}") for path in paths
    ]


def by_id(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Files by the id that their first lines say: a look, not a reading."""
    held: dict[str, list[Path]] = {}
    for path in paths:
        with path.open(encoding="utf-8", errors="replace") as file:
            for name in dict.fromkeys(match[1] for match in ID.finditer(file.read())):
                held.setdefault(name, []).append(path)
    return held


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NoSuchFile(f"{path} cannot be read: {error.strerror}.") from error


def _expanded(path: Path, manner: Manner) -> Expanded | None:
    """The text of a file with what it includes, None where it includes nothing."""
    text = _bytes(path)
    if b"[[>" not in text:
        return None
    source = text.decode("utf-8-sig", errors="replace")
    folder = path.absolute().parent
    top = next((each for each in (folder, *folder.parents) if any((each / mark).exists() for mark in TOPS)), folder)

    def look(name: str) -> str:
        file = (folder / name).resolve()
        if not file.is_relative_to(top.resolve()):
            raise BadInclude(f'"{name}" lies outside the project, so it is not included.')
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise BadInclude(f'There is no text "{name}" beside this file to include.') from None

    return expand(source, str(path), look, version_of(source, manner.version))


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in SKIPPED:
            continue
        if path.is_dir():
            yield from _below(path)
        elif path.suffix in ENDINGS and path.name not in NO_FLOWS:
            yield path
