"""What have all SQL tasks in common? An address, who asks, files in and out, and a session for the time of the task."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, field
from msgspec.structs import replace

from penstock.errors.task import BadAddress
from penstock.plugins.scripts.options import check_name
from penstock.plugins.sql.address import FORMS, Address, Database, read_address
from penstock.plugins.sql.dialects import DIALECTS
from penstock.plugins.sql.names import USUAL, Naming
from penstock.plugins.sql.session import Opening, Session, open_session
from penstock.plugins.sql.statements import STANDARD, Lexis
from penstock.sdk import globs
from penstock.sdk.context import Context
from penstock.sdk.launch import INPUT_FILE, is_stored
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Secret

DRIVERS: Final = {
    Database.POSTGRES: "psycopg",
    Database.REDSHIFT: "psycopg",
    Database.SQLITE: "sqlite3",
    Database.DUCKDB: "duckdb",
    **{database: dialect.module for database, dialect in DIALECTS.items()},
}
FILES: Final = (Database.SQLITE, Database.DUCKDB)
# Where what we prove ourselves with lies for the time of the task: never handed out.
CERTIFICATES: Final = {"sslrootcert": ".sslrootcert.pem", "sslcert": ".sslcert.pem", "sslkey": ".sslkey.pem"}
TRIED: Final = "Tried on real ones: PostgreSQL, MariaDB, SQLite, DuckDB; of the others, the driver's part alone."
EXAMPLE: Final = "jdbc:postgresql://localhost:5432/warehouse"


class SqlTask(TaskType, frozen=True, kw_only=True):
    """What every SQL task declares."""

    mode: ClassVar[Mode] = Mode.WARM
    needs: ClassVar[Database | None] = None
    own: ClassVar[tuple[str, ...]] = ()

    url: Annotated[str, Meta(description=f"Address of the database. Forms: {FORMS}. {TRIED}", examples=[EXAMPLE])]
    username: Annotated[str, Meta(description="Who asks.")] = ""
    password: Annotated[Secret, Meta(description="The password.")] = Secret("")
    time_zone_id: Annotated[
        str, Meta(description="Zone that instants are given in; those without a zone are taken to be in it.")
    ] = ""
    ssl: Annotated[
        bool, Meta(description="Whether PostgreSQL must be reached through TLS; of others the address says so.")
    ] = False
    ssl_mode: Annotated[
        str, Meta(description="libpq's sslmode in lower case.", examples=["require", "verify-full"])
    ] = ""
    ssl_root_cert: Annotated[str, Meta(description="Certificate of the authority, PEM.")] = ""
    ssl_cert: Annotated[str, Meta(description="Our certificate, PEM.")] = ""
    ssl_key: Annotated[Secret, Meta(description="Our key, PEM.")] = Secret("")
    ssl_key_password: Annotated[Secret, Meta(description="Password of the key.")] = Secret("")
    connection_pooling: Annotated[
        bool | None, Meta(description="Taken and not needed: each task has one connection for its time.")
    ] = None
    connection_pool_size: Annotated[int | None, Meta(description="Taken and not needed, likewise.")] = None
    database_file: Annotated[
        str, Meta(description="Address of a stored file that is the SQLite or DuckDB database to work on.")
    ] = ""
    output_db_file: Annotated[
        bool, Meta(description="Whether the SQLite or DuckDB database is stored afterwards, as `databaseUri`.")
    ] = False
    input_files: Annotated[
        dict[str, str],
        Meta(description="Files beside a SQLite or DuckDB database: name → content, or a stored file's address."),
    ] = field(default_factory=dict)
    output_files: Annotated[
        list[str], Meta(description="Globs of files to store when the statements have run.", examples=[["*.parquet"]])
    ] = field(default_factory=list)

    def libraries(self) -> tuple[str, ...]:
        """The driver of the database that the address means."""
        return (DRIVERS[read_address(self.url).database],)

    @property
    def lexis(self) -> Lexis:
        """In which words the database is spoken to."""
        dialect = DIALECTS.get(read_address(self.url).database)
        return dialect.lexis if dialect else STANDARD

    @property
    def naming(self) -> Naming:
        """How the database writes names."""
        dialect = DIALECTS.get(read_address(self.url).database)
        return dialect.naming if dialect else USUAL

    @property
    def more(self) -> dict[str, str]:
        """What only the tasks of one database say of the connection, as text."""
        given = {name: getattr(self, name) for name in self.own}
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in given.items()
            if value
        }

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone that instants are given in."""
        try:
            return ZoneInfo(self.time_zone_id) if self.time_zone_id else None
        except (ZoneInfoNotFoundError, ValueError):
            raise TaskFailed(f'"{self.time_zone_id}" is no time zone.') from None

    @contextlib.contextmanager
    def session(self, context: Context, *, autocommit: bool = False) -> Iterator[Session]:
        """A session for the time of the task; what it leaves uncommitted is undone."""
        self.furnish(context)
        address = self.address(context)
        opening = Opening(
            address=address,
            username=self.username,
            password=str(self.password),
            files=self._certificates(context),
            autocommit=autocommit,
            more=self.more,
        )
        session = open_session(opening, context)
        try:
            yield session
        finally:
            session.close()

    def furnish(self, context: Context) -> None:
        """Put the files that statements read into the task's folder."""
        for name, content in self.input_files.items():
            check_name(name)
            target = context.workdir / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if is_stored(content):
                shutil.move(context.fetch(content), target)
            else:
                target.write_text(content, encoding="utf-8")
        if file := self.more.get("input_file"):
            shutil.move(context.fetch(file), context.workdir / INPUT_FILE)
        # Looked at before the statements run: what they did would last, though the task fails.
        for glob in self.output_files:
            _check_inside(glob)
        if self.database_file:
            name = self.address(context).path
            if name:
                _check_inside(name)
            target = context.workdir / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(context.fetch(self.database_file), target)

    def files(self, context: Context) -> dict[str, object]:
        """Outputs that are files: those that were asked for, and the database itself."""
        outputs: dict[str, object] = {}
        if self.output_files:
            below = [name for name in globs.files_below(context.workdir) if name not in CERTIFICATES.values()]
            names = [name for name in below if globs.fits(name, self.output_files)]
            outputs["outputFiles"] = {name: context.store(context.workdir / name) for name in names}
        if self.output_db_file:
            outputs["databaseUri"] = context.store(context.workdir / self.address(context).path)
        return outputs

    def address(self, context: Context) -> Address:
        """Where the database is, with all that the task says of how it is reached."""
        address = read_address(self.url)
        if self.needs is not None and address.database is not self.needs:
            raise TaskFailed(f'"{self.type_name}" works on {self.needs.value}, not on {address.database.value}.')
        if address.database in (Database.POSTGRES, Database.REDSHIFT):
            mode = self.ssl_mode.lower() or ("require" if self.ssl else "")
            options = {"sslmode": mode} if mode else {}
            if self.ssl_key_password:
                options["sslpassword"] = str(self.ssl_key_password)
            return replace(address, options={**address.options, **options})
        if address.database in FILES and not address.path and (self.database_file or self.output_db_file):
            return replace(address, path="database.db")
        return address

    def _certificates(self, context: Context) -> dict[str, Path]:
        given = {"sslrootcert": self.ssl_root_cert, "sslcert": self.ssl_cert, "sslkey": str(self.ssl_key)}
        paths: dict[str, Path] = {}
        for name, content in given.items():
            if content:
                paths[name] = context.workdir / CERTIFICATES[name]
                paths[name].touch(mode=0o600)
                paths[name].write_text(content)
        return paths


def _check_inside(name: str) -> None:
    try:
        check_name(name)
    except BadAddress as error:
        raise TaskFailed(error.sentence) from None
