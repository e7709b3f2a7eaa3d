"""Which jars does a server need, and are they those that were tried? Maven fetches them; a lock says what they must be.

`locks/NAME.json` holds every artifact with its SHA-256: nothing is resolved when they are fetched. `poms/NAME.xml` says
what they were resolved from; `python -m projects.lakehouse.services lock` does that again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import msgspec

from projects.servers.child import ServerFailed
from projects.servers.java import maven_env

HERE: Final = Path(__file__).parent
# What each set is for; the names of the locks.
SETS: Final = ("kafka", "registry", "flink", "catalog")
UNPACKED: Final = "tar.gz"
PLUGIN: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
NO_MAVEN: Final = "mvn is not here, which fetches the servers' jars: apt-get install maven, or https://maven.apache.org"
Say = Callable[[str], None]


class Artifact(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """One published file, by its Maven coordinates, and what it must be."""

    group: str
    name: str
    version: str
    sha256: str
    bytes: int
    kind: str = "jar"
    classifier: str = ""

    @property
    def file(self) -> str:
        """The name under which it is published."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{classifier}.{self.kind}"


def locked(name: str) -> list[Artifact]:
    """What one set consists of."""
    return msgspec.json.decode((HERE / "locks" / f"{name}.json").read_bytes(), type=list[Artifact])


def fetched(name: str, say: Say = lambda _: None) -> Path:
    """The folder that holds a set, fetched the first time; raises ServerFailed where that cannot be done.

    Fetched into a folder of its own, verified, and then renamed: whoever finds it finds all of it.
    """
    kept = _place(name)
    if kept.is_dir():
        return kept
    with (_cache() / f"{name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not kept.is_dir():
            wanted = locked(name)
            say(f"Fetching the jars of {name}: {len(wanted)}, {sum(each.bytes for each in wanted) / 1e6:.0f} MB, once.")
            with tempfile.TemporaryDirectory(dir=_cache()) as temporary:
                fresh = Path(temporary, "fresh")
                resolve(pom(wanted), fresh)
                _verify(name, wanted, fresh)
                _unpack(wanted, fresh)
                fresh.rename(kept)
    return kept


def absent() -> list[str]:
    """The sets that are still to be fetched."""
    return [name for name in SETS if not _place(name).is_dir()]


def resolve(text: str, folder: Path) -> None:
    """Let Maven copy what a POM names into a folder; raises ServerFailed with what Maven says."""
    if shutil.which("mvn") is None:
        raise ServerFailed(NO_MAVEN)
    with tempfile.TemporaryDirectory() as project:
        Path(project, "pom.xml").write_text(text)
        goal = [f"{PLUGIN}:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
        command = ["mvn", "-B", "-q", *goal]
        env = maven_env(Path(project))
        said = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
    if said.returncode != 0:
        told = [line for line in said.stdout.splitlines() if "ERROR" in line][:5] or said.stderr.splitlines()[-5:]
        raise ServerFailed("Maven could not fetch the jars.\n" + "\n".join(told))


def pom(artifacts: Iterable[Artifact]) -> str:
    """A POM that names exactly these, and lets Maven add nothing to them."""
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>penstock</groupId><artifactId>lakehouse</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>\n{''.join(_dependency(each) for each in artifacts)}</dependencies></project>"
    )


def _dependency(artifact: Artifact) -> str:
    said = {"groupId": artifact.group, "artifactId": artifact.name, "version": artifact.version, "type": artifact.kind}
    if artifact.classifier:
        said["classifier"] = artifact.classifier
    told = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in said.items())
    alone = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    return f"<dependency>{told}{alone}</dependency>\n"


def _verify(name: str, wanted: list[Artifact], folder: Path) -> None:
    there = {path.name for path in folder.iterdir()}
    if missing := sorted({each.file for each in wanted} - there):
        raise ServerFailed(f"Maven did not bring {', '.join(missing)} of {name}.")
    if more := sorted(there - {each.file for each in wanted}):
        raise ServerFailed(f"Maven brought {', '.join(more)}, which the lock of {name} does not name.")
    for each in wanted:
        with (folder / each.file).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != each.sha256:
            raise ServerFailed(f"{each.file} is not the file that the lock of {name} names: its SHA-256 is {found}.")


def _unpack(wanted: list[Artifact], folder: Path) -> None:
    for each in wanted:
        if each.kind == UNPACKED:
            shutil.unpack_archive(folder / each.file, folder, filter="data")
            (folder / each.file).unlink()


def _place(name: str) -> Path:
    lock = HERE / "locks" / f"{name}.json"
    return _cache() / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"


def _cache() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock" / "lakehouse"
    cache.mkdir(parents=True, exist_ok=True)
    return cache
