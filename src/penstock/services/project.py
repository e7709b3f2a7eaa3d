"""Which flows does a project hold, and how do its files become revisions in the store?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from penstock.dialects.kestra import Installed, Reading, read
from penstock.errors import Place, Problem, Severity
from penstock.errors.project import InvalidFlows, NoSuchFile, SameFlowTwice
from penstock.model.flow import Flow
from penstock.model.node import Subflow
from penstock.model.plan import Plan, every_node
from penstock.services import flows
from penstock.services.core import Core

ENDINGS: Final = frozenset({".yml", ".yaml", ".json"})
# What stands in a project beside flows, and never is one.
NO_FLOWS: Final = frozenset({"penstock.yaml", "penstock.yml", "dbt_project.yml", "docker-compose.yml", "compose.yml"})
SKIPPED: Final = frozenset({"node_modules", "__pycache__", "venv"})
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
            found.update(dict.fromkeys(_below(place)))
        elif place.exists():
            found[place] = None
    return list(found)


def read_file(path: Path, manner: Manner) -> Reading:
    """Read one file. Raises NoSuchFile; what is wrong with the text stands in the reading."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise NoSuchFile(f"{path} cannot be read: {error.strerror}.") from error
    return read_text(text, manner, str(path))


def read_text(text: bytes | str, manner: Manner, file: str = "") -> Reading:
    """Read one text as a project's files are read; its digest covers what the project adds."""
    reading = read(
        text,
        types=Installed(others=manner.allow_unknown),
        file=file,
        version=manner.version,
        defaults=manner.defaults,
        namespace=manner.namespace,
        globals=manner.globals,
    )
    flow = reading.flow
    if flow is not None and manner.globals:
        flow = msgspec.structs.replace(flow, globals=manner.globals)
    if manner == Manner():
        return reading
    around = hashlib.sha256(reading.digest.encode() + msgspec.json.encode(manner)).hexdigest()
    return msgspec.structs.replace(reading, flow=flow, digest=around)


def read_all(paths: Iterable[Path], manner: Manner) -> list[Found]:
    """Read files; a flow that two of them hold is a problem of the second."""
    found: list[Found] = []
    seen: dict[str, Path] = {}
    for path in paths:
        reading = read_file(path, manner)
        if reading.flow is not None:
            first = seen.setdefault(reading.flow.name, path)
            if first != path:
                sentence = f"The flow {reading.flow.name} stands in {first} too."
                problem = Problem(SameFlowTwice.code, sentence, place=Place(1, 1, str(path)))
                reading = msgspec.structs.replace(reading, flow=None, problems=(*reading.problems, problem))
        found.append(Found(path, reading))
    return found


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


def push_file(core: Core, path: Path, manner: Manner, by: str) -> tuple[Plan, Reading]:
    """Make a file's text the newest revision of its flow, unless it is already. Raises NoSuchFile, InvalidFlows."""
    reading = read_file(path, manner)
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
            for path in held.get(node.flow, ()):
                reading = read_file(path, manner)
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
            match = ID.search(file.read())
        if match:
            held.setdefault(match[1], []).append(path)
    return held


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in SKIPPED:
            continue
        if path.is_dir():
            yield from _below(path)
        elif path.suffix in ENDINGS and path.name not in NO_FLOWS:
            yield path
