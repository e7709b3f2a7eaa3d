"""How does the schema registry run here? Apicurio, which speaks as Confluent's does; its schemas lie in PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from projects.lakehouse.services.jars import fetched
from projects.lakehouse.services.service import SMALL, Child, answers_http
from projects.servers.java import find_java

API: Final = "/apis/ccompat/v7"
HEAP: Final = ("-Xms64m", "-Xmx160m")
LEVEL: Final = "BACKWARD"


class Registry(Child):
    """The registry of schemas; in memory where no database is given."""

    name = "registry"

    def __init__(self, folder: Path, port: int, management: int, *, database: Mapping[str, str] | None = None) -> None:
        """Over a folder, on two ports; `database` has url (JDBC's), username and password."""
        super().__init__(folder)
        self.after = ("postgres",) if database is not None else ()
        self._java = find_java(21)
        self.port, self._management, self._database = port, management, database
        self._levelled = False

    @property
    def address(self) -> str:
        """What clients call the registry's URL."""
        return f"http://127.0.0.1:{self.port}{API}"

    def answers(self) -> bool:
        """Whether it answers, and refuses what is not compatible: it begins by taking everything."""
        if not answers_http(f"{self.address}/subjects"):
            return False
        self._levelled = self._levelled or self._demand(LEVEL)
        return self._levelled

    def command(self) -> list[str]:
        """Java with its settings as properties."""
        options = [f"-D{name}={value}" for name, value in self.settings().items()]
        jar = str(fetched("registry") / "quarkus-run.jar")
        return [str(self._java), *HEAP, *SMALL, *options, "-jar", jar]

    def settings(self) -> dict[str, object]:
        """What it is told, but for where its database is."""
        said: dict[str, object] = {
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.port": self.port,
            "quarkus.management.host": "127.0.0.1",
            "quarkus.management.port": self._management,
            "quarkus.http.access-log.enabled": "false",
            "apicurio.datasource.jdbc.initial-size": 2,
            "apicurio.datasource.jdbc.min-size": 2,
            "apicurio.datasource.jdbc.max-size": 10,
        }
        if self._database is not None:
            said["apicurio.storage.sql.kind"] = "postgresql"
        return said

    def env(self) -> Mapping[str, str] | None:
        """The database by environment, so that its password stands in no list of processes."""
        if self._database is None:
            return None
        return os.environ | {f"APICURIO_DATASOURCE_{name.upper()}": value for name, value in self._database.items()}

    def _demand(self, level: str) -> bool:
        body = json.dumps({"compatibility": level}).encode()
        headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        asked = urllib.request.Request(f"{self.address}/config", body, headers, method="PUT")
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(asked, timeout=5) as answer:
            return bool(answer.status == 200)
        return False
