"""How do PostgreSQL and the object store run among the other servers? As those of all projects, by the same verbs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg

from projects.lakehouse.services.service import Service, taken
from projects.servers import PostgresServer, S3Server, ServerFailed, find_binaries, find_versitygw
from projects.servers.child import listens
from projects.servers.postgres import USER

DATABASES: Final = ("iceberg", "registry", "gold")
BUCKET: Final = "lake"


class Postgres(Service):
    """PostgreSQL with a database for the catalog, one for the registry, one for what dbt may make there."""

    name = "postgres"
    user = USER

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder)
        self._server = PostgresServer(self.folder, find_binaries())
        self._server.port = self.port = port
        self.log = self._server.log

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        """The owner's, made with the data."""
        return self._server.password

    def jdbc(self, database: str) -> str:
        """The address of a database, as Java has it."""
        return f"jdbc:postgresql://{self.address}/{database}"

    def dsn(self, database: str) -> str:
        """The address of a database, with the password."""
        return self._server.dsn_of(database)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._server.pid

    def launch(self) -> None:
        """Start it, which takes less than a second, and make the databases that are not there."""
        if self.pid:
            return
        if listens(self.port):
            raise taken(self.name, self.port)
        self._server.start()
        if self._server.port != self.port:
            self._server.close()
            self._server.port = self.port
            raise taken(self.name, self.port)
        with psycopg.connect(self._server.dsn, autocommit=True) as session:
            there = {row[0] for row in session.execute("SELECT datname FROM pg_database")}
        for name in DATABASES:
            if name not in there:
                self._server.create_database(name)

    def answers(self) -> bool:
        """Whether it takes connections."""
        return listens(self.port)

    def stop(self) -> None:
        """Stop it quickly and cleanly."""
        self._server.close()

    def crash(self) -> None:
        """Kill it with its backends."""
        self._server.crash()


class ObjectStore(Service):
    """The object store, with the bucket of the lake; its objects are plain files."""

    name = "s3"

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder)
        binary = find_versitygw()
        if binary is None:
            raise ServerFailed("versitygw is not here, the S3 server of the lakehouse: make versitygw (needs Go)")
        self._server = S3Server(self.folder, binary)
        self._server.port = port
        self.port = port
        self.log = self._server.log

    @property
    def address(self) -> str:
        """What S3 clients call the endpoint."""
        return self._server.endpoint

    @property
    def env(self) -> Mapping[str, str]:
        """The environment with which S3 clients find it."""
        return self._server.env

    @property
    def region(self) -> str:
        """The region that it says it is in."""
        return self._server.region

    @property
    def keys(self) -> tuple[str, str]:
        """The access key and the secret one."""
        return self._server.access_key, self._server.secret_key

    @property
    def pid(self) -> int:
        """Its process."""
        return self._server.pid

    def launch(self) -> None:
        """Start it, which takes less than a second, and make the bucket."""
        if self.pid:
            return
        if listens(self.port):
            raise taken(self.name, self.port)
        self._server.start()
        self._server.create_bucket(BUCKET)

    def answers(self) -> bool:
        """Whether it takes connections."""
        return listens(self.port)

    def stop(self) -> None:
        """Stop it."""
        self._server.stop()

    def crash(self) -> None:
        """Kill it."""
        self._server.crash()
