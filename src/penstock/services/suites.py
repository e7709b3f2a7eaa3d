"""Which flow is each file of tests about? Both are read, and checked against each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from penstock.dialects.kestra import INSTALLED, Installed
from penstock.dialects.kestra.suite_checks import checked
from penstock.dialects.kestra.suites import SuiteReading, read_suite, with_problems
from penstock.errors import Problem, nearest
from penstock.errors.project import NoSuchFile
from penstock.errors.run import UnknownFlow
from penstock.model.flow import Flow
from penstock.services.project import ENDINGS, Manner, by_id, flow_files, read_files

# Folders beside flows in which tests stand, and beside tests in which flows do.
BESIDE: Final = ("tests", "test")
FLOWS: Final = "flows"


class Tested(msgspec.Struct, frozen=True):
    """The flow that a suite is about: its file, its text, its model where nothing of it is an error."""

    path: Path
    source: str
    flow: Flow | None
    problems: tuple[Problem, ...] = ()


class Found(msgspec.Struct, frozen=True):
    """One suite's file, what was read of it, and the flow that it tests where there is one."""

    path: Path
    reading: SuiteReading
    tested: Tested | None
    places: tuple[Path, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it can be run."""
        return self.reading.usable and self.tested is not None and self.tested.flow is not None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong with the suite, or with its flow."""
        return self.reading.problems + (self.tested.problems if self.tested else ())


def find_suites(files: Iterable[Path], flow_places: Sequence[Path], manner: Manner) -> list[Found]:
    """The suites of some files, each with the flow that it tests, which is looked for in `flow_places`; where there are
    none, beside the suite. Raises NoSuchFile.
    """
    lenient = msgspec.structs.replace(manner, allow_unknown=True)
    held: dict[tuple[Path, ...], dict[str, list[Path]]] = {}
    return [_found(path, flow_places, lenient, held) for path in files]


def _found(
    path: Path, flow_places: Sequence[Path], manner: Manner, held: dict[tuple[Path, ...], dict[str, list[Path]]]
) -> Found:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise NoSuchFile(f"{path} cannot be read: {error.strerror}.") from error
    reading = read_suite(text, types=INSTALLED, file=str(path), namespace=manner.namespace)
    if reading.suite is None or not reading.suite.flow:
        return Found(path, reading, None)
    places = tuple(flow_places or _beside(path))
    if places not in held:
        held[places] = by_id(flow_files(places))
    suite = reading.suite
    for each in held[places].get(suite.flow, ()):
        for read in read_files(each, manner):
            if read.flow is None:
                return Found(path, reading, Tested(each, read.source, None, read.problems), places)
            if read.flow.name == f"{suite.namespace}.{suite.flow}":
                fitting = checked(reading, read.flow, Installed(others=True))
                return Found(path, fitting, Tested(each, read.source, read.flow), places)
    where = ", ".join(str(place) for place in places)
    sentence = f'There is no flow "{suite.flow}" of the namespace {suite.namespace} in {where}.'
    problem = Problem(UnknownFlow.code, sentence, suite.place, nearest(suite.flow, held[places]))
    return Found(path, with_problems(reading, [problem]), None)


def _beside(path: Path) -> Iterable[Path]:
    """Where the flow of a suite without a project may stand: beside the suite, or beside its folder."""
    folder = path.absolute().parent
    yield folder
    if folder.name in BESIDE:
        if (folder.parent / FLOWS).is_dir():
            yield folder.parent / FLOWS
        yield from sorted(each for each in folder.parent.iterdir() if each.is_file() and each.suffix in ENDINGS)
