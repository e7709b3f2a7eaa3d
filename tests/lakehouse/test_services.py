"""Do the servers start where they are told to, from the files that were tried, and is none left behind?"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from projects.lakehouse.services import jars
from projects.lakehouse.services.catalog import HERE
from projects.lakehouse.services.jars import Artifact, fetched, locked
from projects.lakehouse.services.ports import Ports, ports
from projects.lakehouse.services.stack import Stack
from projects.servers import ServerFailed
from projects.servers.child import free_port, listens
from projects.servers.java import find_compiler
from tests.acceptance.observe import eventually
from tests.servers import DEMANDED

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


def test_ports_are_those_of_the_file_and_else_the_same_again(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    first = ports(tmp_path, env)
    assert len(set(msgspec.structs.astuple(first))) == len(Ports.__struct_fields__)
    assert ports(tmp_path, env) == first
    env.write_text("# of this machine\nKAFKA_PORT=9092\nOTHER=1\n")
    assert ports(tmp_path, env) == msgspec.structs.replace(first, kafka=9092)
    env.write_text("S3_PORT=nine")
    with pytest.raises(ServerFailed, match=r"line 1: 'nine' is no port"):
        ports(tmp_path, env)


@pytest.mark.usefixtures("machine")
def test_a_file_that_is_not_the_one_that_was_tried_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("mvn") is None:
        (pytest.fail if DEMANDED else pytest.skip)("mvn is not here, which fetches jars")
    lock = jars.HERE / "locks"
    (tmp_path / "locks").mkdir()
    registry = locked("kafka")[:1]
    wrong = [msgspec.structs.replace(registry[0], sha256="0" * 64)]
    (tmp_path / "locks" / "kafka.json").write_bytes(msgspec.json.encode(wrong))
    monkeypatch.setattr(jars, "HERE", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ServerFailed, match="is not the file that the lock of kafka names"):
        fetched("kafka")
    assert not list((tmp_path / "cache").rglob("*.jar")), lock


def test_each_lock_names_files_by_coordinates_and_sum() -> None:
    for name in jars.SETS:
        found = locked(name)
        assert found and all(len(each.sha256) == 64 and each.bytes > 0 for each in found)
        assert len({each.file for each in found}) == len(found)
    assert Artifact("g", "a", "1", "", 1, "tar.gz", "all").file == "a-1-all.tar.gz"


@pytest.mark.usefixtures("machine")
def test_the_class_of_the_catalog_is_what_its_source_says(tmp_path: Path) -> None:
    compiler = find_compiler(17)
    if compiler is None:
        (pytest.fail if DEMANDED else pytest.skip)("javac is not here: apt-get install openjdk-17-jdk-headless")
    source = HERE / "RestCatalog.java"
    path = f"{fetched('catalog')}/*"
    made = [str(compiler), "--release", "17", "-cp", path, "-d", str(tmp_path), str(source)]
    subprocess.run(made, check=True, capture_output=True)
    assert (tmp_path / "RestCatalog.class").read_bytes() == (HERE / "RestCatalog.class").read_bytes()


def test_programs_are_told_where_everything_is(lakehouse: Stack) -> None:
    assert all(lakehouse.health().values())
    assert lakehouse.env["KAFKA_BOOTSTRAP_SERVERS"] == lakehouse.kafka.address
    taken = Stack(lakehouse.folder, lakehouse.folder / "no.env")
    with pytest.raises(ServerFailed, match="kafka cannot start: another program answers on port"):
        taken.kafka.launch()


@pytest.mark.usefixtures("machine")
def test_servers_listen_where_the_file_says(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    wanted = {name: free_port() for name in ("s3", "postgres", "kafka", "catalog", "registry", "flink", "gateway")}
    env = tmp_path / ".env"
    env.write_text("".join(f"{name.upper()}_PORT={port}\n" for name, port in wanted.items()))
    made = Stack(tmp_path / "stack", env)
    told = {name: value for name, value in made.env.items() if name.endswith(("_URL", "_SERVERS", "S3_ENDPOINT"))}
    assert all(any(f":{port}" in value for value in told.values()) for port in wanted.values()), told
    try:
        made.start(names=("s3", "postgres", "kafka"))
        assert all(listens(wanted[name]) for name in ("s3", "postgres", "kafka"))
    finally:
        made.stop()


@pytest.mark.long
@pytest.mark.usefixtures("machine")
def test_servers_end_with_who_holds_them(tmp_path: Path) -> None:
    env = os.environ | {"LAKEHOUSE_FOLDER": str(tmp_path)}

    def asked(verb: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "projects.lakehouse.services", verb]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    assert asked("health").returncode == 1
    up = asked("up")
    assert up.returncode == 0, up.stdout + up.stderr
    pids = json.loads((tmp_path / "pids.json").read_text())
    holder = int((tmp_path / "holder.pid").read_text().split()[0])
    assert asked("health").returncode == 0
    os.kill(holder, signal.SIGKILL)
    eventually(lambda: not [name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()], "servers are left")
