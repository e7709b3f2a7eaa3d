"""How do inputs come from a command line? As text, from files, from a whole file of values; files go into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import yaml

from penstock.app import App
from penstock.errors.project import NoSuchFile, WrongCall
from penstock.model.flow import Flow
from penstock.services.stored import SCHEMES

AT: Final = "A value that begins with @ is a file; write @@ for the sign itself."


def given_inputs(app: App, flow: Flow, typed: dict[str, str], file: str) -> dict[str, object]:
    """The inputs of a run: those of the file, over them those typed; paths given to FILE inputs are stored."""
    kinds = {declared.id: declared.type for declared in flow.inputs}
    return read_inputs(kinds, typed, file, lambda path: _stored(app, path))


def read_inputs(
    kinds: Mapping[str, str], typed: dict[str, str], file: str, keep: Callable[[Path], str]
) -> dict[str, object]:
    """The same for inputs of some kinds; `keep` puts a local file where tasks find it, and gives its address."""
    found: dict[str, object] = values_of(file) if file else {}
    found |= typed
    return {name: _one(kinds.get(name, ""), name, value, keep) for name, value in found.items()}


def _one(kind: str, name: str, value: object, keep: Callable[[Path], str]) -> object:
    if not isinstance(value, str):
        return value
    if kind == "FILE":
        return _kept(name, value, keep)
    if value.startswith("@@"):
        return value[1:]
    if value.startswith("@"):
        return text_of(value[1:], AT)
    return value


def _kept(name: str, value: str, keep: Callable[[Path], str]) -> str:
    """Put a local file where tasks on any machine find it; an address is left as it is."""
    if value.startswith(SCHEMES):
        return value
    path = Path(value.removeprefix("@").removeprefix("file://")).expanduser()
    try:
        return keep(path)
    except OSError as error:
        raise NoSuchFile(f'The file {path} for the input "{name}" cannot be read: {error.strerror}.') from error


def _stored(app: App, path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return app.files.put_file(f"inputs/{digest}/{path.name}", path)


def text_of(path: str, hint: str = "") -> str:
    """The text of a file. Raises NoSuchFile."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoSuchFile(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}.",
            hint=hint,
        ) from error


def values_of(path: str) -> dict[str, object]:
    """The map that a YAML or JSON file holds."""
    try:
        values = yaml.safe_load(text_of(path))
    except yaml.YAMLError as error:
        raise WrongCall(f"{path} is neither YAML nor JSON: {error}.") from None
    if not isinstance(values, dict):
        raise WrongCall(f"{path} does not hold a map of values.")
    return {str(name): _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    """YAML's dates as text, which is what inputs are made of."""
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
