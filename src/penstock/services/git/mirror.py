"""What lies on a branch? Its newest commit, fetched into a bare repository and read from there: nothing is checked out.

So no hook, no filter, no link and no repository inside it has a say; git itself talks to the address, and to no other.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

import msgspec

from penstock.errors.git import GitFailed
from penstock.errors.task import BadAddress
from penstock.plugins.git.program import Login, address, commit, ref, surroundings
from penstock.services.git.source import Source

SECONDS: Final = 300.0
PIECES: Final = 20
PLAIN: Final = ("100644", "100755")
MOST: Final = 50_000
PULLED: Final = "refs/heads/pulled"
SETTINGS: Final = {
    "transfer.fsckObjects": "true",
    "http.followRedirects": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "core.symlinks": "false",
    "submodule.recurse": "false",
}


class Blob(msgspec.Struct, frozen=True):
    """A plain file of a commit: its path, the name of its content, its size in bytes."""

    path: str
    content: str
    size: int


class Mirror:
    """A branch in a bare repository of ours; open while its login lies in a folder that only we may enter."""

    def __init__(self, folder: Path, source: Source, env: dict[str, str], hidden: Sequence[str]) -> None:
        self._folder = folder
        self._source = source
        self._env = env
        self._hidden = [each for each in hidden if each]
        self._url = address(source.url)[0]
        self._stopped: Callable[[], bool] = lambda: False

    def stops_when(self, stopped: Callable[[], bool]) -> None:
        """Let what takes long end when somebody says so."""
        self._stopped = stopped

    def newest(self) -> str:
        """The newest commit of the branch. Raises GitFailed."""
        wanted = f"refs/heads/{ref(self._source.branch)}"
        self._begin()
        # within our own repository: that of a folder in which this server happens to stand has settings, too
        told = self._run("-C", str(self._folder), "ls-remote", "--", self._url, wanted)
        for line in told.decode(errors="replace").splitlines():
            name, _, found = line.partition("\t")
            if found == wanted:
                return commit(name)
        raise GitFailed(f'The repository of "{self._source.name}" has no branch "{self._source.branch}".')

    def fetch(self) -> str:
        """Bring the newest commit here, and give it. Raises GitFailed."""
        packs = self._folder / "objects" / "pack"
        if packs.is_dir() and sum(1 for _ in packs.glob("*.pack")) > PIECES:
            shutil.rmtree(self._folder)  # each fetch leaves a piece: begun anew, there is one
        self._begin()
        spec = f"+refs/heads/{ref(self._source.branch)}:{PULLED}"
        how = ("--quiet", "--no-tags", "--depth", "1", "--no-recurse-submodules")
        self._run("-C", str(self._folder), "fetch", *how, "--", self._url, spec)
        return commit(self._run("-C", str(self._folder), "rev-parse", "--verify", PULLED).decode().strip())

    def tree(self, name: str) -> list[Blob]:
        """The plain files of a commit; links and repositories in it are none. Raises GitFailed."""
        told = self._run("-C", str(self._folder), "ls-tree", "-r", "-z", "-l", "--full-tree", commit(name))
        found: list[Blob] = []
        for entry in told.split(b"\0"):
            about, tab, path = entry.partition(b"\t")
            if not tab:
                continue
            mode, kind, content, size = about.decode().split()
            if kind != "blob" or mode not in PLAIN:
                continue
            try:
                found.append(Blob(path.decode(), content, int(size)))
            except UnicodeDecodeError:
                raise GitFailed(f"The path {path!r} is no UTF-8 text.") from None
        if len(found) > MOST:
            raise GitFailed(f"The commit has more than {MOST:,} files.")
        return found

    def contents(self, blobs: Sequence[Blob]) -> Iterator[bytes]:
        """What files hold, one after the other. Raises GitFailed."""
        if not blobs:
            return
        with tempfile.TemporaryFile() as asked:
            asked.write(b"".join(f"{each.content}\n".encode() for each in blobs))
            asked.seek(0)
            process = subprocess.Popen(
                ["git", "-C", str(self._folder), "cat-file", "--batch"],
                env=self._env,
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                assert process.stdout is not None
                for each in blobs:
                    yield _content(process.stdout, each)
            finally:
                _end(process)

    def _begin(self) -> None:
        if not (self._folder / "HEAD").exists():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True, mode=0o700)
            self._run("init", "--quiet", "--bare", "--template=", "--", str(self._folder))

    def _run(self, *arguments: str) -> bytes:
        """Run git and give what it says. Raises GitFailed with its words, without secrets."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            process = subprocess.Popen(
                ["git", *arguments],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=error,
                start_new_session=True,
            )
            try:
                self._wait(process)
            finally:
                _end(process)
            out.seek(0)
            error.seek(0)
            if process.returncode:
                verb = next(each for each in arguments if not each.startswith("-") and each != str(self._folder))
                said = self._clean(error.read(20_000).decode(errors="replace"))
                raise GitFailed(f"git {verb} failed: {said}")
            return out.read()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(round(SECONDS / 0.25)):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.25)
                return
            if self._stopped():
                raise GitFailed("git was stopped, since this server is stopping.")
        raise GitFailed(f"git took longer than {SECONDS:.0f} seconds.")

    def _clean(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "********")
        return " ".join(text.split())[-800:]


@contextmanager
def opened(root: Path, source: Source, login: Login) -> Iterator[Mirror]:
    """The mirror of a branch, for the length of the block. Raises GitFailed."""
    if shutil.which("git") is None:
        raise GitFailed("The program git is not on this machine.", hint="Install it: apt-get install git.")
    private = Path(tempfile.mkdtemp(prefix="penstock-git-"))
    try:
        url, user, password = address(source.url)
        given = Login(
            user=login.user or user,
            password=login.password or password,
            key=login.key,
            passphrase=login.passphrase,
            known_hosts=login.known_hosts,
        )
        env = surroundings(private, given, SETTINGS) | {"GIT_ALLOW_PROTOCOL": _protocol(url), "GIT_OPTIONAL_LOCKS": "0"}
        folder = root / f"{source.name}.git"
        yield Mirror(folder, source, env, [given.password, given.passphrase])
    except BadAddress as error:
        raise GitFailed(error.sentence, hint=error.hint) from error
    except OSError as error:
        raise GitFailed(f"The copy of the branch cannot be used: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _protocol(url: str) -> str:
    """The one protocol that the address says; whatever leads elsewhere is refused."""
    if url.startswith("/"):
        return "file"
    return urlsplit(url).scheme.lower() if "://" in url else "ssh"


def _content(stream: IO[bytes], blob: Blob) -> bytes:
    head = stream.readline().split()
    if len(head) != 3 or head[1] != b"blob":
        raise GitFailed(f'"{blob.path}" cannot be read from the copy of the branch.')
    size = int(head[2])
    body = stream.read(size)
    if len(body) != size or stream.read(1) != b"\n":
        raise GitFailed(f'"{blob.path}" cannot be read from the copy of the branch.')
    return body


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing behind: git talks to an address by children of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
    process.wait()
