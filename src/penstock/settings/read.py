"""Which project does a file or folder belong to, and what does its penstock.yaml say?"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from penstock.dialects.kestra import yaml
from penstock.dialects.kestra.tree import Map, Scalar, Tree, plain, spot
from penstock.errors import PenstockError, Place, Problem, nearest
from penstock.errors.flow import FlowError, NoFlow
from penstock.errors.project import BadSettings, NoSuchFile, UnknownSetting, WrongSetting
from penstock.sdk.values import dec_hook
from penstock.settings.keys import Settings

FILE: Final = "penstock.yaml"
AT: Final = re.compile(r" - at `\$(.*)`$")
STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")
Steps = tuple[str | int, ...]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project: its folder, its settings, and the file that they stand in (none for a flow on its own)."""

    root: Path
    settings: Settings = Settings()
    file: Path | None = None

    def path(self, text: str) -> Path:
        """A path of the settings, which is relative to the project's folder."""
        return self.root / Path(text).expanduser()

    @property
    def test_places(self) -> list[Path]:
        """The folders and files in which tests of flows stand: among the flows, or in a folder of their own."""
        return [*self.flow_places, self.root / "tests", self.root / "test"]

    @property
    def flow_places(self) -> list[Path]:
        """The folders and files in which flows stand; a project without settings has its own folder."""
        return [self.path(text) for text in self.settings.flows] if self.file else [self.root]


def find(start: Path) -> Project:
    """The project that a file or folder belongs to: the nearest folder upward with a penstock.yaml, else its own."""
    folder = start if start.is_dir() else start.parent
    folder = folder.absolute()
    for around in (folder, *folder.parents):
        if (around / FILE).is_file():
            return read(around / FILE)
    return Project(root=folder)


def read(file: Path) -> Project:
    """Read a penstock.yaml. Raises BadSettings with every problem."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoSuchFile(
            f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}."
        ) from None
    return Project(root=file.parent, settings=parse(text, str(file)), file=file)


def parse(text: str, file: str = FILE) -> Settings:
    """The settings that a text says. Raises BadSettings with every problem."""
    problems: list[Problem] = []
    try:
        tree = yaml.parse(text, problems) if text.strip() else Map(1, 1, {}, {})
    except NoFlow:
        tree = Map(1, 1, {}, {})
    except FlowError as error:
        raise _bad(text, file, [*problems, error.problem()]) from None
    if isinstance(tree, Scalar) and tree.value is None:
        return Settings()
    if not isinstance(tree, Map):
        problems.append(_problem(WrongSetting, "The settings are a map of keys.", tree))
        raise _bad(text, file, problems)
    values = plain(_worded(tree))
    for path, known in _unknown(Settings, values, ()):
        sentence = f'There is no setting "{".".join(map(str, path))}".'
        problems.append(_problem(UnknownSetting, sentence, spot(tree, path, key=True), nearest(str(path[-1]), known)))
    if problems:
        raise _bad(text, file, problems)
    try:
        return msgspec.convert(values, Settings, dec_hook=dec_hook)
    except msgspec.ValidationError as error:
        sentence, path = _told(str(error))
        raise _bad(text, file, [_problem(WrongSetting, sentence, spot(tree, path, key=True))]) from None


def expanded(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """A setting with `${NAME}` replaced from the environment. Raises WrongSetting for a name that is not set."""

    def one(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise WrongSetting(f"penstock.yaml uses ${{{match[1]}}}, which the environment does not set.")
        return environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", one, text)


def _bad(text: str, file: str, problems: list[Problem]) -> BadSettings:
    """The error for a file, each problem with the line that it is about."""
    lines = text.split("\n")
    placed = []
    for problem in problems:
        at = problem.place or Place(1, 1)
        line = lines[at.line - 1] if at.line <= len(lines) else ""
        placed.append(msgspec.structs.replace(problem, place=Place(at.line, at.column, file, line)))
    return BadSettings(file, placed)


def _problem(error: type[PenstockError], sentence: str, at: Tree, hint: str = "") -> Problem:
    return Problem(error.code, sentence, place=Place(at.line, at.column), hint=hint or error.hint)


def _worded(tree: Map) -> Map:
    """The tree with the language's version as it was written: 0.20 is no fifth."""
    kestra = tree.entries.get("kestra")
    if isinstance(kestra, Map) and isinstance(version := kestra.entries.get("version"), Scalar):
        written = msgspec.structs.replace(version, value=version.text)
        inner = msgspec.structs.replace(kestra, entries=kestra.entries | {"version": written})
        return msgspec.structs.replace(tree, entries=tree.entries | {"kestra": inner})
    return tree


def _unknown(kind: Any, value: object, path: Steps) -> Iterator[tuple[Steps, list[str]]]:
    """Keys that a struct does not have, with those that it has; through lists and nested structs."""
    for part in (kind, *get_args(kind)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            kind = part
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _unknown(kind, item, (*path, place))
    elif isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        for name, item in value.items():
            if name not in known:
                yield (*path, name), list(known)
            else:
                yield from _unknown(_bare(known[name]), item, (*path, name))


def _bare(hint: Any) -> Any:
    """What an annotation holds: the struct inside `Annotated[list[Struct], …]`."""
    while get_args(hint) and not (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        hint = get_args(hint)[0]
    return hint


def _told(message: str) -> tuple[str, Steps]:
    """msgspec's sentence in ours, and the path that it is about."""
    found = AT.search(message)
    steps = STEP.findall(found[1] if found else "")
    path: Steps = tuple(name or int(index) for name, index in steps if name or index)
    said = AT.sub("", message).replace("`", "")
    said = said[:1].lower() + said[1:]
    return f'The setting "{".".join(map(str, path))}" does not fit: {said}.', path
