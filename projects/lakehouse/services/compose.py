"""How do the same servers run where Docker is? What `deploy/compose/lakehouse.yml` is told, and what programs are."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from projects.lakehouse.services.jars import Artifact, locked, pom
from projects.lakehouse.services.ports import given_ports
from projects.lakehouse.services.registry import API
from projects.lakehouse.services.stores import BUCKET
from projects.lakehouse.services.told import env_file, tell_apart, write_private
from projects.servers.postgres import USER

DEPLOY: Final = Path(__file__).resolve().parents[3] / "deploy" / "compose"
# Where people expect them, unless `.env` says otherwise.
PORTS: Final[Mapping[str, int]] = {
    "kafka": 9092,
    "registry": 8085,
    "s3": 9000,
    "s3_web": 9001,
    "flink": 8081,
    "gateway": 8083,
    "catalog": 8181,
    "postgres": 5432,
}
KEY: Final = "penstock"
REGION: Final = "us-east-1"
# What the image of Flink has not in its lib; of Flink itself it has everything but the connector.
LACKING: Final = (
    "at.yawk.lz4",
    "com.fasterxml.jackson.core",
    "com.fasterxml.jackson.datatype",
    "com.github.luben",
    "commons-logging",
    "org.apache.hadoop",
    "org.apache.iceberg",
    "org.apache.kafka",
    "org.postgresql",
    "org.xerial.snappy",
)
CONNECTOR: Final = "flink-connector-kafka"


def prepare(folder: Path, given: Path) -> Path:
    """Write what compose is told, and what programs have to know of its servers; gives the file for compose.

    Passwords are made once. What servers without Docker have in this folder stays as it is: all is below `compose`.
    """
    ports = {**PORTS, **given_ports(given, PORTS)}
    own = told_in(folder).parent
    flink, gold = own / "flink", own / "gold"
    for each in (flink / "checkpoints", flink / "savepoints", gold):
        each.mkdir(parents=True, exist_ok=True)
    # Flink of the image is a user whom this machine does not know, and has to write here; the folder around them, which
    # is not mounted, keeps everybody else of this machine out.
    own.chmod(0o700)
    flink.chmod(0o755)
    for name in ("checkpoints", "savepoints"):
        (flink / name).chmod(0o777)
    file = folder / "compose.env"
    before = dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}
    said = {name: before.get(name) or secrets.token_hex(12) for name in ("LAKEHOUSE_PASSWORD", "LAKEHOUSE_S3_SECRET")}
    said |= {"LAKEHOUSE_FLINK": str(flink)} | {f"{name.upper()}_PORT": str(port) for name, port in ports.items()}
    write_private(file, (f"{name}={value}" for name, value in said.items()))
    known = environment(ports, said["LAKEHOUSE_PASSWORD"], said["LAKEHOUSE_S3_SECRET"], gold)
    tell_apart(own, known, own / "history" / "penstock.db")
    return file


def told_in(folder: Path) -> Path:
    """The file that a shell reads, beside that of servers which run without Docker."""
    return env_file(folder / "compose")


def environment(ports: Mapping[str, int], password: str, secret: str, gold: Path) -> dict[str, str]:
    """The environment with which programs of this machine find everything; Flink finds it by other names."""
    database = f"postgresql://{USER}:{password}@127.0.0.1:{ports['postgres']}"
    return {
        "S3_ENDPOINT": f"http://127.0.0.1:{ports['s3']}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": REGION,
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{ports['kafka']}",
        "SCHEMA_REGISTRY_URL": f"http://127.0.0.1:{ports['registry']}{API}",
        "FLINK_URL": f"http://127.0.0.1:{ports['flink']}",
        "FLINK_GATEWAY_URL": f"http://127.0.0.1:{ports['gateway']}",
        "ICEBERG_CATALOG_URL": f"http://127.0.0.1:{ports['catalog']}",
        "ICEBERG_WAREHOUSE": f"s3://{BUCKET}/warehouse",
        "ICEBERG_DATABASE_URL": f"{database}/iceberg",
        "ICEBERG_JDBC_USER": USER,
        "ICEBERG_JDBC_PASSWORD": password,
        "GOLD_DATABASE_URL": f"{database}/gold",
        "GOLD_FOLDER": str(gold),
        "ICEBERG_JDBC_URL": "jdbc:postgresql://postgres:5432/iceberg",
        "FLINK_KAFKA_BOOTSTRAP_SERVERS": "kafka:29092",
        "FLINK_S3_ENDPOINT": "http://s3:9000",
    }


def shipped() -> dict[str, str]:
    """The files that stand beside the compose file, by name: which jars are fetched, and their sums."""
    sets = {"flink": [each for each in locked("flink") if _lacking(each)], "catalog": locked("catalog")}
    poms = {f"{name}.xml": f"{pom(wanted)}\n" for name, wanted in sets.items()}
    sums = {
        f"{name}.sha256": "".join(f"{each.sha256}  {each.file}\n" for each in wanted) for name, wanted in sets.items()
    }
    return poms | sums


def ship() -> None:
    """Write them from the locks."""
    for name, text in shipped().items():
        (DEPLOY / name).write_text(text)


def _lacking(artifact: Artifact) -> bool:
    return artifact.group in LACKING or artifact.name == CONNECTOR
