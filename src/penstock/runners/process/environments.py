"""Where does a Python with the packages that a task needs come from? It is made once, and kept for whoever wants it.

An environment is a folder that no two makers share, and a page beside it (`KEY.json`) that names it; the page is put in
its place whole when the folder is. Whoever makes or removes holds `KEY.lock` alone, whoever uses it holds it with
others. A death on the way leaves a folder that no page names: it is never used, and removed when others are.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

import msgspec

from penstock.errors.work import NotInstalled
from penstock.runners.process.packages import Made, Recipe, find_uv, install, python_of
from penstock.sdk.launch import Environment

THREADS: Final = 4
DAY: Final = 86_400
OLDEST: Final = 30 * DAY
LARGEST: Final = 10_000_000_000
# A process that forks for an environment outlives its last attempt by some minutes: nothing younger is removed.
YOUNG: Final = 900
LOOK_AGAIN: Final = 0.05
# Settings of what installs, which decide what comes of the same requirements.
RESOLVER: Final = ("UV_", "PIP_")
# What lies in files that may be others the next time cannot be known by its name.
LOCAL: Final = (".", "/", "-", "file:")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An environment as its page says it; `folder` is a name, `used_at` in seconds since 1970, `size` in bytes."""

    key: str
    folder: str
    python: str
    requirements: tuple[str, ...]
    made_with: str
    seconds: float
    size: int
    used_at: float = 0.0


class Held:
    """An environment in use, which nobody removes until `close`; `told` says what was installed for it just now."""

    def __init__(self, python: str, told: str, lock: IO[bytes] | None = None, own: Path | None = None) -> None:
        self.python = python
        self.told = told
        self._lock = lock
        self._own = own

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it; one that was made for its user alone is removed. Safe to call twice."""
        if self._lock is not None:
            self._lock.close()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)


class Environments:
    """The environments below one folder, which many processes may use; `threads` are for those who wait for one, and
    end with `close`.
    """

    def __init__(self, root: Path, find_uv: Callable[[Mapping[str, str]], str] = find_uv) -> None:
        self.root = root.absolute()
        self._find_uv = find_uv
        self.threads = ThreadPoolExecutor(THREADS, "penstock-installs")

    def close(self) -> None:
        """Wait for the threads."""
        self.threads.shutdown()

    def hold(self, recipe: Recipe, given_up: Callable[[], bool] = lambda: False) -> Held:
        """The Python that a recipe describes, made first where it is not there. Raises NotInstalled, MissingExtra."""
        self.root.mkdir(parents=True, exist_ok=True)
        wanted = recipe.wanted
        if not wanted.kept or any(is_local(line) for line in wanted.requirements):
            own = self.root / f"own-{uuid.uuid4().hex[:12]}"
            made = self._installed(recipe, own, given_up)
            return Held(str(python_of(own)), made.sentence, own=own)
        key, told = key_of(recipe), ""
        lock = (self.root / f"{key}.lock").open("ab")
        try:
            while True:
                if _locked(lock, fcntl.LOCK_SH) and (found := self._page(key)) is not None:
                    os.utime(self.root / f"{key}.json")
                    return Held(str(python_of(self.root / found.folder)), told, lock)
                if _locked(lock, fcntl.LOCK_EX):
                    if self._page(key) is None:
                        told = self._make(key, recipe, given_up)
                elif given_up():
                    raise NotInstalled("The attempt was ended while another one installed its packages.")
                else:
                    time.sleep(LOOK_AGAIN)
        except BaseException:
            lock.close()
            raise

    def every(self) -> list[Kept]:
        """All that are kept, the one used last first."""
        pages = self.root.glob("*.json") if self.root.is_dir() else ()
        found = [page for path in pages if (page := self._page(path.stem)) is not None]
        return sorted(found, key=lambda one: -one.used_at)

    def prune(self, *, oldest: float = OLDEST, largest: int = LARGEST, young: float = YOUNG) -> list[Kept]:
        """Remove what nobody has used for `oldest` seconds, then what was not used longest until all are at most
        `largest` bytes, and what the dead left half made; never what is in use, or was `young` seconds ago.
        """
        removed, total, now = [], 0, time.time()
        for one in self.every():
            idle = now - one.used_at
            if idle >= young and (idle >= oldest or total + one.size > largest) and self._remove(one):
                removed.append(one)
            else:
                total += one.size
        self._sweep(now - max(young, DAY))
        return removed

    def _make(self, key: str, recipe: Recipe, given_up: Callable[[], bool]) -> str:
        """Make an environment for a key that is held alone; say what was installed."""
        folder = self.root / f"{key}-{uuid.uuid4().hex[:8]}"
        made = self._installed(recipe, folder, given_up)
        page = Kept(
            key=key,
            folder=folder.name,
            python=made.version,
            requirements=tuple(sorted(recipe.wanted.requirements)),
            made_with=made.tool,
            seconds=round(made.seconds, 3),
            size=_bytes_in(folder),
        )
        os.sync()  # a page that outlives a loss of power must not name files that did not
        beside = folder / "page.json"
        with beside.open("wb") as file:
            file.write(msgspec.json.encode(page))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.root / f"{key}.json")
        with contextlib.suppress(OSError):
            self.prune()
        return made.sentence

    def _installed(self, recipe: Recipe, folder: Path, given_up: Callable[[], bool]) -> Made:
        try:
            uv = self._uv(recipe, given_up) if recipe.wanted.manager != "pip" else ""
            return install(recipe, uv, folder, given_up)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _uv(self, recipe: Recipe, given_up: Callable[[], bool]) -> str:
        """The uv that is there; where it is wanted by name and may be fetched: one that pip installs for all."""
        found = self._find_uv(recipe.environ)
        if found or recipe.wanted.manager != "uv" or not recipe.wanted.fetch:
            return found
        itself = Environment(requirements=("uv",), manager="pip")
        with self.hold(msgspec.structs.replace(recipe, wanted=itself), given_up) as held:
            return str(Path(held.python).parent / "uv")

    def _remove(self, one: Kept) -> bool:
        with (self.root / f"{one.key}.lock").open("ab") as lock:
            if not _locked(lock, fcntl.LOCK_EX):
                return False
            (self.root / f"{one.key}.json").unlink(missing_ok=True)
            shutil.rmtree(self.root / one.folder, ignore_errors=True)
            return True

    def _sweep(self, before: float) -> None:
        """Remove folders that no page names and nobody makes, and those made for an attempt long ago."""
        for folder in self._folders():
            key = folder.name.partition("-")[0]
            if key == "own":
                if folder.stat().st_mtime < before:
                    shutil.rmtree(folder, ignore_errors=True)
                continue
            with (self.root / f"{key}.lock").open("ab") as lock:
                if not _locked(lock, fcntl.LOCK_EX):
                    continue
                page = self._page(key)
                if page is None or page.folder != folder.name:
                    shutil.rmtree(folder, ignore_errors=True)

    def _folders(self) -> Iterator[Path]:
        return (folder for folder in (self.root.glob("*-*") if self.root.is_dir() else ()) if folder.is_dir())

    def _page(self, key: str) -> Kept | None:
        path = self.root / f"{key}.json"
        try:
            page = msgspec.json.decode(path.read_bytes(), type=Kept)
            used = path.stat().st_mtime
        except (OSError, msgspec.MsgspecError):
            return None
        return msgspec.structs.replace(page, used_at=used) if python_of(self.root / page.folder).exists() else None


def root_in(state: Path) -> Path:
    """Where the environments of a project are kept, of which this is the folder for state."""
    return state / "environments"


def key_of(recipe: Recipe) -> str:
    """What two environments have in common that hold the same: Python, platform, requirements, settings."""
    wanted = recipe.wanted
    base = Path(recipe.python)
    found = base.resolve()
    there = found.stat() if found.exists() else None
    told = {
        "python": [wanted.version, str(base), str(found), there.st_mtime_ns if there else 0],
        "platform": [platform.system(), platform.machine()],
        "requirements": sorted({line.strip() for line in wanted.requirements}),
        "manager": wanted.manager,
        "settings": sorted(item for item in recipe.environ.items() if item[0].startswith(RESOLVER)),
    }
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=10).hexdigest()


def is_local(requirement: str) -> bool:
    """Whether a requirement names files of this machine."""
    return requirement.strip().startswith(LOCAL) or "@ file:" in requirement


def choosing(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of a worker's environment by which packages are found: indexes, proxies, certificates."""
    suffixes = ("_PROXY", "_proxy")
    return {
        name: value
        for name, value in environ.items()
        if name.startswith((*RESOLVER, "SSL_CERT_")) or name.endswith(suffixes)
    }


def _locked(lock: IO[bytes], how: int) -> bool:
    """Whether a lock is had this way now; what was had before is let go if not."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _bytes_in(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))
