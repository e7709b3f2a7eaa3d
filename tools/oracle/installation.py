"""What does one version of the engine need on this machine? A JDK, its published jars, and the bridge to ask it by.

Everything is made on first use and kept in the project's cache folder; only fetching needs a network.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tools.oracle.trouble import NoAnswerError, say

HERE = Path(__file__).resolve().parent
# The oldest JDK that reads the class files of each engine version.
JDK_NEEDED = {"2.0.0": 25, "1.3.31": 21}
DEFAULT_VERSION = "2.0.0"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_PLACES = ("/usr/lib/jvm", "/usr/java", "/opt", "/usr/local")


class Installation:
    """One version of the engine, ready to be started: `jdk`, `jars`, and the archive of classes already read."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.jdk = find_jdk(version)
        self.folder = cache() / version
        self.folder.mkdir(parents=True, exist_ok=True)
        sources = sorted([*(HERE / "shared").glob("*.java"), *(HERE / version).glob("*.java")])
        library = self.folder / f"lib-{_fingerprint(HERE / version / 'pom.xml')}"
        build = _fingerprint(*sources, HERE / "shared" / "logback.xml")
        bridge = self.folder / f"bridge-{build}.jar"
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not library.exists():
                _fetch_jars(version, library)
            jars = sorted(library.glob("*.jar"))
            if not bridge.exists():
                _compile_bridge(version, self.jdk, [*jars, *sources], bridge)
        self.jars = [bridge, *jars]
        # Classes kept from an earlier start, which they shorten; good for these jars, this bridge and this JDK alone.
        self.archive = self.folder / f"classes-{build}-{library.name[4:]}-{jdk_version(self.jdk)}.jsa"
        self._sweep({"lib": library.name, "bridge": bridge.name, "classes": f"classes-{build}"})

    def _sweep(self, current: dict[str, str]) -> None:
        """Remove what earlier sources made."""
        for kind, name in current.items():
            for old in self.folder.glob(f"{kind}-*"):
                if not old.name.startswith(name):
                    if old.is_dir():
                        shutil.rmtree(old)
                    else:
                        old.unlink(missing_ok=True)


def cache() -> Path:
    """Where the engines are kept: `ORACLE_HOME`, or a folder of the project's cache."""
    if os.environ.get("ORACLE_HOME"):
        return Path(os.environ["ORACLE_HOME"]).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock" / "oracle"


def find_jdk(version: str) -> Path:
    """The first JDK that is new enough: `ORACLE_JAVA_HOME`, `JAVA_HOME`, the one on the path, the usual folders."""
    needed = JDK_NEEDED[version]
    places: list[Path] = []
    if os.environ.get("ORACLE_JAVA_HOME"):
        places = [Path(os.environ["ORACLE_JAVA_HOME"]).resolve()]
    else:
        if os.environ.get("JAVA_HOME"):
            places.append(Path(os.environ["JAVA_HOME"]))
        if compiler := shutil.which("javac"):
            places.append(Path(compiler).resolve().parent.parent)
        for folder in _PLACES:
            with contextlib.suppress(OSError):
                places += sorted(Path(folder).iterdir())
    found = [(place, has) for place in places if (has := jdk_version(place)) is not None]
    for place, has in found:
        if has >= needed:
            return place
    seen = ", ".join(f"{place.name} is {has}" for place, has in found) or "none seen"
    raise NoAnswerError(
        f"engine {version} needs a JDK {needed} or newer with a compiler ({seen}). Install the package "
        f"openjdk-{needed}-jdk-headless or temurin-{needed}-jdk, or point ORACLE_JAVA_HOME at one."
    )


def jdk_version(home: Path) -> int | None:
    """The major version of the JDK in a folder; None when it is no JDK, or has no compiler."""
    with contextlib.suppress(OSError, ValueError):
        if (home / "bin" / "javac").exists():
            for line in (home / "release").read_text().splitlines():
                if line.startswith("JAVA_VERSION="):
                    return int(line.split("=")[1].strip('"').split(".")[0].split("-")[0])
    return None


def _fingerprint(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _fetch_jars(version: str, target: Path) -> None:
    if not shutil.which("mvn"):
        raise NoAnswerError("mvn is missing: install the package maven")
    say(f"fetching the jars of {version} (once, one to three minutes)")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        shutil.copy(HERE / version / "pom.xml", folder)
        _do("mvn", ["mvn", "-B", "-q", _COPY, "-DoutputDirectory=lib"], Path(folder))
        Path(folder, "lib").rename(target)


def _compile_bridge(version: str, jdk: Path, given: Sequence[Path], target: Path) -> None:
    jars = [str(path) for path in given if path.suffix == ".jar"]
    sources = [str(path) for path in given if path.suffix == ".java"]
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        options = ["-proc:none", "-nowarn", "-encoding", "UTF-8", "--release", str(JDK_NEEDED[version])]
        _do("javac", [str(jdk / "bin" / "javac"), *options, "-d", name, "-cp", os.pathsep.join(jars), *sources], folder)
        shutil.copy(HERE / "shared" / "logback.xml", folder)
        made = target.with_suffix(".part")
        # A jar, not a folder: archives of classes know only jars.
        with zipfile.ZipFile(made, "w") as jar:
            for file in sorted(folder.rglob("*.*")):
                jar.write(file, file.relative_to(folder))
        made.rename(target)


def _do(what: str, arguments: list[str], folder: Path) -> None:
    done = subprocess.run(
        arguments,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoAnswerError(f"{what} failed ({done.returncode}):\n{done.stdout[-3000:]}")
