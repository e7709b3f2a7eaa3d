"""Which secrets does a machine have itself? The environment's (PENSTOCK_SECRET_X, SECRET_X), and those of a file that
only its owner may read.
"""

from __future__ import annotations

import base64
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from penstock.errors import Place
from penstock.errors.project import LooseSecrets, NoSuchFile, WrongSetting
from penstock.services.core import Secrets

# As flows bring it along: SECRET_NAME in base64. What is no base64 of a text is taken as it is.
PREFIX: Final = "SECRET_"
AS_IS: Final = "PENSTOCK_SECRET_"
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class OfEnvironment:
    """Secrets of the environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text, the same for every namespace."""
        word = name.upper().replace("-", "_").replace(".", "_")
        if (found := self._environ.get(AS_IS + word)) is not None:
            return found
        found = self._environ.get(PREFIX + word)
        return None if found is None else _decoded(found)


class OfFile:
    """Secrets of one file, which is read when the first secret is asked for."""

    def __init__(self, file: Path) -> None:
        if file.exists():
            check_mode(file)
        self._file = file
        self._kept: dict[str, str] | None = None

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text; a name said for the namespace (`shop.NAME=…` in the file) comes before the bare one."""
        if self._kept is None:
            self._kept = read_secrets(self._file)
        scoped = (f"{around}.{name}" for around in above(namespace))
        return next((self._kept[one] for one in (*scoped, name) if one in self._kept), None)


class InOrder:
    """Several sources of secrets: what the first one has counts."""

    def __init__(self, *sources: Secrets) -> None:
        self._sources = sources

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text; None when no source has one of this name."""
        return next((found for each in self._sources if (found := each.get(namespace, name)) is not None), None)


def of_machine(environ: Mapping[str, str], file: Path | None = None) -> InOrder:
    """The environment's secrets, then those of a file, where there is one."""
    return InOrder(OfEnvironment(environ), *([OfFile(file)] if file is not None else []))


def above(namespace: str) -> list[str]:
    """A namespace and those that it lies in, the nearest first."""
    parts = namespace.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def check_mode(file: Path) -> None:
    """Refuse a file of secrets that others than its owner may reach."""
    mode = file.stat().st_mode
    if mode & OTHERS:
        raise LooseSecrets(
            f"The file of secrets {file} has mode {stat.S_IMODE(mode):04o}: others than its owner may reach it.",
            hint=f"chmod 600 {file}",
        )


def read_secrets(file: Path) -> dict[str, str]:
    """The lines `NAME=value` of a file; `#` begins a comment line. Raises LooseSecrets unless its mode is 0600."""
    try:
        check_mode(file)
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise NoSuchFile(f"The file of secrets {file} cannot be read: {error.strerror}.") from error
    kept: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            # the line itself is not shown: it may hold a secret
            raise WrongSetting("A line of the file of secrets is not NAME=value.", place=Place(number, 1, str(file)))
        kept[name.strip()] = _unquoted(value.strip())
    return kept


def _decoded(value: str) -> str:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return value
    return text if text and (text.isprintable() or "\n" in text) else value


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" else value
