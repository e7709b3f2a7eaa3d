"""Does the compose file say of every server what the project says of it where it starts it by itself?

`compose-spec.json` is the schema of The Compose Specification (in version 2.16.2 of its library compose-go), copyright
2020 The Compose Specification Authors, under the Apache License 2.0; it stands here unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from projects.lakehouse.services import compose
from projects.lakehouse.services.catalog import HEAP, NAME, QUIET, Lake
from projects.lakehouse.services.flink import Cluster, Gateway
from projects.lakehouse.services.jars import locked
from projects.lakehouse.services.kafka import CLUSTER, Kafka
from projects.lakehouse.services.kafka import HEAP as KAFKA_HEAP
from projects.lakehouse.services.registry import HEAP as REGISTRY_HEAP
from projects.lakehouse.services.registry import Registry
from projects.lakehouse.services.service import SMALL
from projects.lakehouse.services.stores import BUCKET, DATABASES
from projects.lakehouse.services.told import SECRET, env_file, forget, read, secrets_file

ROOT = Path(__file__).parents[2]
VARIABLES = {"LAKEHOUSE_FLINK": "/flink", "LAKEHOUSE_PASSWORD": "word", "LAKEHOUSE_S3_SECRET": "hidden"}
# How others are found in a network of containers, and what each server says of it.
ELSEWHERE = {
    "advertised.listeners": "PLAINTEXT://127.0.0.1:9092,INSIDE://kafka:29092",
    "controller.quorum.voters": "1@kafka:9093",
    "inter.broker.listener.name": "INSIDE",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT",
    "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093,INSIDE://:29092",
    "log.dirs": "/var/lib/kafka/data",
}
FLINK_ELSEWHERE = {
    "jobmanager.rpc.address": "jobmanager",
    "jobmanager.bind-host": "0.0.0.0",
    "taskmanager.bind-host": "0.0.0.0",
    "rest.address": "jobmanager",
    "rest.bind-address": "0.0.0.0",
    "blob.server.port": "6124",
    "io.tmp.dirs": "/tmp",
    "sql-gateway.endpoint.rest.address": "gateway",
    "sql-gateway.endpoint.rest.bind-address": "0.0.0.0",
}


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """The compose file as compose reads it, with its variables filled in."""
    found: dict[str, Any] = yaml.safe_load(filled((compose.DEPLOY / "lakehouse.yml").read_text()))
    return found


def filled(text: str) -> str:
    """A text with its variables: `$NAME`, `${NAME:-default}`, `${NAME:?why}`; `$$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return VARIABLES[match["name"]] if match["name"] in VARIABLES else match["default"]

    return re.sub(r"\$\$|\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\}", value, text)


def test_it_is_what_compose_reads() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    document = yaml.safe_load((compose.DEPLOY / "lakehouse.yml").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)


def test_every_server_is_watched_bounded_and_reached_from_this_machine_alone(said: dict[str, Any]) -> None:
    servers = {name: each for name, each in said["services"].items() if name != "jars"}
    assert set(servers) == {
        "postgres", "s3", "kafka", "registry", "catalog", "jobmanager", "taskmanager", "gateway",
    }  # fmt: skip
    assert all(each["healthcheck"]["test"] and each["mem_limit"] for each in servers.values())
    published = [port for each in servers.values() for port in each.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert sorted(int(port.split(":")[1]) for port in published) == sorted(compose.PORTS.values())


def test_images_are_of_the_versions_that_were_tried(said: dict[str, Any]) -> None:
    versions = {each.name: each.version for name in ("kafka", "registry", "flink") for each in locked(name)}
    images = {name: each["image"].split(":")[1] for name, each in said["services"].items()}
    assert images["kafka"] == versions["kafka_2.13"]
    assert images["registry"] == versions["apicurio-registry-app"]
    assert {images[name] for name in ("jobmanager", "taskmanager", "gateway")} == {f"{versions['flink-core']}-java17"}
    assert f"VERSITYGW_VERSION := {images['s3']}\n" in (ROOT / "Makefile").read_text()


def test_jars_and_their_sums_are_those_of_the_locks() -> None:
    for name, text in compose.shipped().items():
        assert (compose.DEPLOY / name).read_text() == text, "python -m projects.lakehouse.services lock"


def test_kafka_is_told_the_same(said: dict[str, Any], tmp_path: Path) -> None:
    told = said["services"]["kafka"]["environment"]
    aside = ("KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS")
    found = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in told.items()
        if name.startswith("KAFKA_") and name not in aside
    }
    native = {name: str(value) for name, value in Kafka(tmp_path, 9092, 9093, java=tmp_path).settings().items()}
    assert found == native | ELSEWHERE
    assert told["CLUSTER_ID"] == CLUSTER
    assert [told[name].split() for name in aside] == [list(KAFKA_HEAP), list(SMALL)]


def test_flink_is_told_the_same(said: dict[str, Any], tmp_path: Path) -> None:
    cluster = Cluster(folder=tmp_path, rest=8081, rpc=6123, gateway=8083, s3={})
    native = dict(flat(cluster.settings()))
    # a container has a name of its own there
    del native["taskmanager.host"]
    data = f"file://{tmp_path}/flink/"
    native = {name: value.replace(data, "file:///flink/") for name, value in native.items()}
    for name in ("jobmanager", "taskmanager", "gateway"):
        lines = said["services"][name]["environment"]["FLINK_PROPERTIES"].splitlines()
        assert dict(line.split(": ", 1) for line in lines) == native | FLINK_ELSEWHERE
    arguments = said["services"]["gateway"]["environment"]["JVM_ARGS"].split()
    assert set(Gateway.heap) <= set(arguments)


def flat(settings: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    """Settings as lines have them."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", str(value).lower() if isinstance(value, bool) else str(value)


def test_the_registry_is_told_the_same(said: dict[str, Any], tmp_path: Path) -> None:
    told = said["services"]["registry"]["environment"]
    native = Registry(tmp_path, 0, 0, database={"url": "", "username": "", "password": ""}).settings()
    named = {name.upper().replace(".", "_").replace("-", "_"): str(value) for name, value in native.items()}
    places = {name for name in named if name.endswith(("_HOST", "_PORT"))}
    found = {name: str(value) for name, value in told.items() if name in named}
    assert found == {name: value for name, value in named.items() if name not in places}
    assert told["JAVA_OPTS_APPEND"].split() == [*REGISTRY_HEAP, *SMALL]
    assert told["APICURIO_DATASOURCE_URL"].endswith("/registry") and told["APICURIO_DATASOURCE_PASSWORD"] == "word"


def test_the_catalog_is_told_the_same(said: dict[str, Any]) -> None:
    lake = Lake(
        database="jdbc:postgresql://postgres:5432/iceberg",
        user="penstock",
        password="word",
        endpoint="http://s3:9000",
        region=compose.REGION,
        access_key=compose.KEY,
        secret_key="hidden",
        warehouse=f"s3://{BUCKET}/warehouse",
    )
    told = said["services"]["catalog"]
    properties = [f"{name}={value}" for name, value in lake.properties().items()]
    native = ["java", *HEAP, *SMALL, QUIET, "-cp", "/classes:/jars/*", "RestCatalog", "8181", f"name={NAME}"]
    assert told["command"] == [*native, *properties]
    assert (told["environment"]["CATALOG_PASSWORD"], told["environment"]["S3_SECRET_KEY"]) == ("word", "hidden")


def test_the_stores_are_told_the_same(said: dict[str, Any]) -> None:
    s3, postgres = said["services"]["s3"], said["services"]["postgres"]
    assert f"/data/objects/{BUCKET} " in s3["entrypoint"][2]
    assert s3["environment"]["VGW_REGION"] == compose.REGION
    assert {s3["environment"][name] for name in ("VGW_QUIET", "VGW_KEEP_ALIVE")} == {"true"}
    assert {"max_connections=200", "log_min_messages=warning"} <= set(postgres["command"])
    made = said["configs"]["databases"]["content"]
    assert tuple(re.findall(r"CREATE DATABASE (\w+);", made)) == DATABASES


def test_programs_are_told_the_same_names_and_passwords_stay(tmp_path: Path) -> None:
    given = tmp_path / ".env"
    given.write_text("KAFKA_PORT=19092\n")
    file = compose.prepare(tmp_path, given)
    first = file.read_text()
    assert "KAFKA_PORT=19092\n" in first and file.stat().st_mode & 0o777 == 0o600
    told = read(tmp_path / "compose")
    assert told["KAFKA_BOOTSTRAP_SERVERS"] == told["ENV_KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:19092"
    assert "ENV_AWS_SECRET_ACCESS_KEY" not in told and told["AWS_SECRET_ACCESS_KEY"] in first
    assert compose.prepare(tmp_path, given).read_text() == first


def test_what_servers_without_docker_are_found_by_stays(tmp_path: Path) -> None:
    for file in (env_file(tmp_path), secrets_file(tmp_path)):
        file.write_text("of others")
    compose.prepare(tmp_path, tmp_path / ".env")
    assert {file.read_text() for file in (env_file(tmp_path), secrets_file(tmp_path))} == {"of others"}
    told = read(tmp_path / "compose")
    assert all(told[f"PENSTOCK_SECRET_{name}"] == told[name] for name in SECRET)
    assert Path(told["PENSTOCK_STORE"]).is_relative_to(tmp_path / "compose")
    forget(tmp_path)
    assert read(tmp_path / "compose") == told


def test_only_flink_gets_into_the_folders_that_are_open_to_it(tmp_path: Path) -> None:
    compose.prepare(tmp_path, tmp_path / ".env")
    folders = ("compose", "compose/flink", "compose/flink/checkpoints", "compose/flink/savepoints")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in folders] == [0o700, 0o755, 0o777, 0o777]
    assert (tmp_path / "compose" / "env").stat().st_mode & 0o777 == 0o600
