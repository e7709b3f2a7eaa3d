"""How does the Iceberg catalog run here? Iceberg's own REST servlet over its JDBC catalog, which lies in PostgreSQL.

`rest_catalog/RestCatalog.java` is some lines around what Iceberg publishes; its class file stands beside it, since a
runtime of Java has no compiler. A test compiles the one and compares it with the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from projects.lakehouse.services.jars import fetched
from projects.lakehouse.services.service import SMALL, Child, answers_http
from projects.servers.java import find_java

NAME: Final = "lake"
HEAP: Final = ("-Xms32m", "-Xmx160m")
QUIET: Final = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
HERE: Final = Path(__file__).parent / "rest_catalog"


class Lake(msgspec.Struct, frozen=True, kw_only=True):
    """Where tables lie: the database of their names (JDBC's address), and the bucket of their files with its keys."""

    database: str
    user: str
    password: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str
    warehouse: str

    def properties(self) -> dict[str, str]:
        """What Iceberg's catalogs are told, without what is secret."""
        return {
            "catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
            "uri": self.database,
            "jdbc.user": self.user,
            "jdbc.schema-version": "V1",
            # what PostgreSQL says on connections that it ended: they are made anew, and it is asked once more
            "retryable_status_codes": "57P01,57P02,57P03",
            "warehouse": self.warehouse,
            "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            "s3.endpoint": self.endpoint,
            "s3.path-style-access": "true",
            "s3.access-key-id": self.access_key,
            "client.region": self.region,
        }


def flink_catalog(lake: Lake) -> str:
    """The statement by which Flink finds the same tables: straight in the database, without the servlet."""
    secrets = {"jdbc.password": lake.password, "s3.secret-access-key": lake.secret_key}
    said = {"type": "iceberg", **lake.properties(), **secrets, "cache-enabled": "false"}
    told = ", ".join(f"'{name}' = '{value}'" for name, value in said.items())
    return f"CREATE CATALOG {NAME} WITH ({told})"


class Catalog(Child):
    """The catalog by HTTP; what it serves is what the JDBC catalog of the same name has."""

    name = "catalog"
    after = ("postgres", "s3")

    def __init__(self, folder: Path, port: int, lake: Lake) -> None:
        super().__init__(folder)
        self.port, self._lake = port, lake
        self._java = find_java(17, 23)

    @property
    def address(self) -> str:
        """What clients call its URI."""
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Whether it says how it is configured."""
        return answers_http(f"{self.address}/v1/config")

    def command(self) -> list[str]:
        """Java with the class and Iceberg's jars; what is secret goes by the environment."""
        told = [f"{name}={value}" for name, value in self._lake.properties().items()]
        path = f"{HERE}:{fetched('catalog')}/*"
        return [
            str(self._java), *HEAP, *SMALL, QUIET, "-cp", path, "RestCatalog", str(self.port), f"name={NAME}", *told,
        ]  # fmt: skip

    def env(self) -> Mapping[str, str]:
        """The two passwords."""
        return os.environ | {
            "CATALOG_PASSWORD": self._lake.password,
            "S3_SECRET_KEY": self._lake.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
