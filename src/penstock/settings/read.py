"""Which project does a file or folder belong to, and what does its penstock.yaml say?"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import yaml

from penstock.errors import Place, Problem, nearest
from penstock.errors.project import BadSettings, NoSuchFile, UnknownSetting, WrongSetting
from penstock.sdk.values import dec_hook
from penstock.settings.keys import Settings

FILE: Final = "penstock.yaml"
AT: Final = re.compile(r" - at `\$(.*)`$")
STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")
# 0.20 is a version, not a fifth.
AS_WRITTEN: Final = frozenset({("kestra", "version"), ("namespace",)})
Where = dict[tuple[str, ...], yaml.Mark]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project: its folder, its settings, and the file that they stand in (none for a flow on its own)."""

    root: Path
    settings: Settings = Settings()
    file: Path | None = None

    def path(self, text: str) -> Path:
        """A path of the settings, which is relative to the project's folder."""
        return self.root / Path(text).expanduser()

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
    lines = text.splitlines()

    def problem(
        error: type[UnknownSetting] | type[WrongSetting], sentence: str, mark: yaml.Mark | None, hint: str
    ) -> Problem:
        at = (mark.line, mark.column) if mark else (0, 0)
        line = lines[at[0]] if at[0] < len(lines) else ""
        place = Place(at[0] + 1, at[1] + 1, file, line)
        return Problem(error.code, sentence, place=place, hint=hint or error.hint)

    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or "the text is not YAML"
        raise BadSettings(
            file, [problem(WrongSetting, f"YAML cannot be read on from here: {said}.", mark, "")]
        ) from None
    if root is None:
        return Settings()
    where: Where = {}
    plain = _plain(root, (), where)
    if not isinstance(plain, dict):
        raise BadSettings(file, [problem(WrongSetting, "The settings are a map of keys.", root.start_mark, "")])
    unknown = [
        problem(UnknownSetting, f'There is no setting "{".".join(path)}".', where.get(path), nearest(path[-1], known))
        for path, known in _unknown(Settings, plain, ())
    ]
    if unknown:
        raise BadSettings(file, unknown)
    try:
        return msgspec.convert(plain, Settings, dec_hook=dec_hook)
    except msgspec.ValidationError as error:
        sentence, path = _told(str(error))
        raise BadSettings(file, [problem(WrongSetting, sentence, _nearest_mark(where, path), "")]) from None


def expanded(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """A setting with `${NAME}` replaced from the environment. Raises WrongSetting for a name that is not set."""

    def one(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise WrongSetting(f"penstock.yaml uses ${{{match[1]}}}, which the environment does not set.")
        return environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", one, text)


def _plain(node: yaml.Node, path: tuple[str, ...], where: Where) -> object:
    where.setdefault(path, node.start_mark)
    match node:
        case yaml.MappingNode():
            plain: dict[str, object] = {}
            for key, value in node.value:
                below = (*path, str(key.value))
                where[below] = key.start_mark
                plain[str(key.value)] = _plain(value, below, where)
            return plain
        case yaml.SequenceNode():
            return [_plain(item, (*path, str(place)), where) for place, item in enumerate(node.value)]
        case _:
            return (
                yaml.SafeLoader("").construct_object(node) if node.tag != "tag:yaml.org,2002:timestamp" else node.value
            )


def _unknown(kind: Any, value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Keys that a struct does not have, with those that it has; through lists and nested structs."""
    for part in (kind, *get_args(kind)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            kind = part
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _unknown(kind, item, (*path, str(place)))
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


def _told(message: str) -> tuple[str, tuple[str, ...]]:
    """msgspec's sentence in ours, and the path that it is about."""
    found = AT.search(message)
    path = tuple(name or index for name, index in STEP.findall(found[1] if found else "") if name or index)
    said = AT.sub("", message).replace("`", "")
    said = said[:1].lower() + said[1:]
    return f'The setting "{".".join(path)}" does not fit: {said}.', path


def _nearest_mark(where: Where, path: tuple[str, ...]) -> yaml.Mark | None:
    while path and path not in where:
        path = path[:-1]
    return where.get(path)
