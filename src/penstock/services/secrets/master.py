"""Which keys wrap the keys that seal? Those of PENSTOCK_MASTER_KEY, else those of a file that only its owner may read.

Of several the first one wraps what is new, the others open what is older. The file is looked at again when a key is
asked for that was not in it, so that a rotation reaches processes that run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from penstock.errors.secrets import BadMasterKey, NoMasterKey
from penstock.services.core import Core
from penstock.services.secrets.local import check_mode
from penstock.services.secrets.sealing import Key, draw, key_of, text_of

NAME: Final = "master.key"
VARIABLE: Final = "PENSTOCK_MASTER_KEY"
FILE: Final = "PENSTOCK_MASTER_KEY_FILE"
HEAD: Final = "# Secrets of this installation are sealed by these: the first for new ones, the others for old ones.\n"


class Ring:
    """The master keys of an installation, read when the first is asked for; `state` is where its file lies."""

    def __init__(self, environ: Mapping[str, str], state: Path | None) -> None:
        self._given = environ.get(VARIABLE, "")
        named = environ.get(FILE, "")
        self._file = Path(named) if named else None if state is None else state / NAME
        self._keys: list[Key] | None = None

    @property
    def given(self) -> bool:
        """Whether the keys come from the environment, which nobody can change from here."""
        return bool(self._given)

    @property
    def place(self) -> str:
        """Where the keys are, as people are told."""
        return VARIABLE if self._given else str(self._file)

    def check(self) -> None:
        """Read what there is, so that a process says at its start what is wrong. Raises BadMasterKey, LooseSecrets."""
        self._read()

    def newest(self, *, make: bool = False) -> Key:
        """The key for what is new; with `make` the first one is drawn. Raises NoMasterKey."""
        keys = self._read()
        if not keys and make and self._file is not None:
            keys = self._add(only_first=True)
        if not keys:
            raise NoMasterKey(f"There is no master key in {self.place}." if self._file else "There is no master key.")
        return keys[0]

    def find(self, key_id: str) -> Key:
        """The key of an id, which may have come since this was asked last. Raises NoMasterKey."""
        for _ in range(2):
            for key in self._read():
                if key.id == key_id:
                    return key
            self._keys = None
        raise NoMasterKey(f"Secrets are sealed by the master key {key_id}, which is not in {self.place}.")

    def draw(self) -> Key:
        """Draw a key for all that is new from now on, and keep it before the others."""
        if self._given or self._file is None:
            raise BadMasterKey(f"A key of {VARIABLE} cannot be drawn from here.", hint=f"{VARIABLE}=NEW,OLD")
        return self._add()[0]

    def forget(self, used: set[str]) -> int:
        """Remove the keys from the file that wrap nothing any more, but for the first; tell how many those were."""
        if self._given or self._file is None:
            return 0
        with _alone(self._file):
            keys = _keys_of(self._file)
            kept = [key for number, key in enumerate(keys) if number == 0 or key.id in used]
            if len(kept) < len(keys):
                _write(self._file, kept)
        self._keys = kept
        return len(keys) - len(kept)

    def _read(self) -> list[Key]:
        if self._keys is None:
            if self._given:
                self._keys = [key_of(each) for each in self._given.split(",") if each.strip()]
            else:
                self._keys = _keys_of(self._file) if self._file is not None else []
        return self._keys

    def _add(self, *, only_first: bool = False) -> list[Key]:
        assert self._file is not None
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with _alone(self._file):
            keys = _keys_of(self._file)
            if not (keys and only_first):
                keys = [key_of(text_of(draw())), *keys]
                _write(self._file, keys)
        self._keys = keys
        return keys


def ring_of(core: Core) -> Ring:
    """The master keys of an installation."""
    return Ring(core.knobs.environ, core.state_dir)


def _keys_of(file: Path) -> list[Key]:
    try:
        check_mode(file)
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [key_of(line) for line in lines if line.strip() and not line.startswith("#")]


def _write(file: Path, keys: list[Key]) -> None:
    """Write the file whole, and on the disk: what is sealed by a key must not outlive it."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(HEAD + "".join(f"{text_of(key.bytes)}\n" for key in keys))
        out.flush()
        os.fsync(descriptor)
    fresh.replace(file)
    with _opened(file.parent) as folder:
        os.fsync(folder)


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Keep others on this machine from changing the file meanwhile."""
    with _opened(file.parent) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
