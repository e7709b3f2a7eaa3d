"""What do the tasks of MySQL, SQL Server and Snowflake say besides? A file to load, a certificate, a warehouse."""

from __future__ import annotations

import enum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from penstock.plugins.sql.batch import Batch
from penstock.plugins.sql.query import Queries, Query
from penstock.sdk.values import Secret

MYSQL: Final = "jdbc:mysql://localhost:3306/shop"
SQLSERVER: Final = "jdbc:sqlserver://localhost:1433;databaseName=shop"
SNOWFLAKE: Final = "jdbc:snowflake://account.snowflakecomputing.com"
CERTIFICATES: Final = (
    "encrypt",
    "trust_server_certificate",
    "host_name_in_certificate",
    "trust_store",
)
WHERE: Final = (
    "warehouse",
    "database",
    "schema",
    "role",
    "private_key",
    "private_key_password",
    "private_key_file",
    "private_key_file_password",
    "query_tag",
)


class Encrypt(enum.StrEnum):
    """Whether what goes to SQL Server and back is hidden from others."""

    TRUE = "TRUE"
    FALSE = "FALSE"
    STRICT = "STRICT"
    OPTIONAL = "OPTIONAL"


InputFile = Annotated[str, Meta(description="Address of a stored file for LOAD DATA LOCAL INFILE '{{ inputFile }}'.")]
Encryption = Annotated[Encrypt | bool | None, Meta(description="Whether TLS is wanted; FALSE unless said.")]
Trusting = Annotated[
    bool, Meta(description="Whether any certificate will do; else the system must know its authority.")
]
CertificateName = Annotated[str, Meta(description="Not offered: the server's own name is looked for.")]
TrustStore = Annotated[str, Meta(description="Not offered: the system's certificates count.")]
TrustStorePassword = Annotated[Secret, Meta(description="Not offered, likewise.")]
Warehouse = Annotated[str, Meta(description="The warehouse to work in.")]
DatabaseName = Annotated[str, Meta(description="The database.")]
SchemaName = Annotated[str, Meta(description="The schema.")]
Role = Annotated[str, Meta(description="The role to take on.")]
PrivateKey = Annotated[Secret, Meta(description="Key to log in with: PEM, or what stands inside of it.")]
KeyPassword = Annotated[Secret, Meta(description="What that key is locked with.")]
KeyFile = Annotated[str, Meta(description="Path of such a key on the worker.")]
KeyFilePassword = Annotated[Secret, Meta(description="What that file is locked with.")]
QueryTag = Annotated[str, Meta(description="Tag of the session, to be found again in Snowflake's history.")]


class MysqlQuery(Query, frozen=True, kw_only=True):
    """Run one SQL statement on MySQL or MariaDB (tried on MariaDB)."""

    type_name: ClassVar[str] = "mysql.query"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.mysql.Query", "io.kestra.plugin.jdbc.mariadb.Query")
    own: ClassVar[tuple[str, ...]] = ("input_file",)
    example: ClassVar[dict[str, object]] = {
        "url": MYSQL,
        "username": "shop",
        "password": "{{ secret('MYSQL') }}",
        "inputFile": "{{ outputs.download.uri }}",
        "sql": "LOAD DATA LOCAL INFILE '{{ inputFile }}' INTO TABLE orders FIELDS TERMINATED BY ','",
    }

    input_file: InputFile = ""


class MysqlQueries(Queries, frozen=True, kw_only=True):
    """Run several SQL statements on MySQL or MariaDB (tried on MariaDB)."""

    type_name: ClassVar[str] = "mysql.queries"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.jdbc.mysql.Queries",
        "io.kestra.plugin.jdbc.mariadb.Queries",
    )
    own: ClassVar[tuple[str, ...]] = ("input_file",)
    example: ClassVar[dict[str, object]] = {"url": MYSQL, "sql": "DELETE FROM orders; SELECT count(*) FROM orders;"}

    input_file: InputFile = ""


class SqlserverQuery(Query, frozen=True, kw_only=True):
    """Run one SQL statement on SQL Server (through its driver; not tried on a real one)."""

    type_name: ClassVar[str] = "sqlserver.query"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.sqlserver.Query",)
    own: ClassVar[tuple[str, ...]] = CERTIFICATES
    example: ClassVar[dict[str, object]] = {
        "url": SQLSERVER,
        "sql": "SELECT TOP 10 * FROM orders WHERE day = :day",
        "parameters": {"day": "{{ inputs.day }}"},
        "fetchType": "STORE",
    }

    encrypt: Encryption = None
    trust_server_certificate: Trusting = False
    host_name_in_certificate: CertificateName = ""
    trust_store: TrustStore = ""
    trust_store_password: TrustStorePassword = Secret("")


class SqlserverQueries(Queries, frozen=True, kw_only=True):
    """Run several SQL statements on SQL Server (through its driver; not tried on a real one)."""

    type_name: ClassVar[str] = "sqlserver.queries"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.sqlserver.Queries",)
    own: ClassVar[tuple[str, ...]] = CERTIFICATES
    example: ClassVar[dict[str, object]] = {"url": SQLSERVER, "sql": "DELETE FROM orders; SELECT 1 AS one;"}

    encrypt: Encryption = None
    trust_server_certificate: Trusting = False
    host_name_in_certificate: CertificateName = ""
    trust_store: TrustStore = ""
    trust_store_password: TrustStorePassword = Secret("")


class SqlserverBatch(Batch, frozen=True, kw_only=True):
    """Run one statement on SQL Server for each row of a stored file, in one transaction (not tried on a real one)."""

    type_name: ClassVar[str] = "sqlserver.batch"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.sqlserver.Batch",)
    own: ClassVar[tuple[str, ...]] = CERTIFICATES
    example: ClassVar[dict[str, object]] = {"url": SQLSERVER, "from": "{{ outputs.query.uri }}", "table": "dbo.orders"}

    encrypt: Encryption = None
    trust_server_certificate: Trusting = False
    host_name_in_certificate: CertificateName = ""
    trust_store: TrustStore = ""
    trust_store_password: TrustStorePassword = Secret("")


class SnowflakeQuery(Query, frozen=True, kw_only=True):
    """Run one SQL statement on Snowflake (through its driver; not tried on a real one)."""

    type_name: ClassVar[str] = "snowflake.query"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.snowflake.Query",)
    own: ClassVar[tuple[str, ...]] = WHERE
    example: ClassVar[dict[str, object]] = {
        "url": SNOWFLAKE,
        "username": "shop",
        "privateKey": "{{ secret('SNOWFLAKE_KEY') }}",
        "warehouse": "SMALL",
        "sql": "SELECT * FROM orders",
        "fetchType": "STORE",
    }

    warehouse: Warehouse = ""
    database: DatabaseName = ""
    schema: SchemaName = ""
    role: Role = ""
    private_key: PrivateKey = Secret("")
    private_key_password: KeyPassword = Secret("")
    private_key_file: KeyFile = ""
    private_key_file_password: KeyFilePassword = Secret("")
    query_tag: QueryTag = ""


class SnowflakeQueries(Queries, frozen=True, kw_only=True):
    """Run several SQL statements on Snowflake (through its driver; not tried on a real one)."""

    type_name: ClassVar[str] = "snowflake.queries"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.snowflake.Queries",)
    own: ClassVar[tuple[str, ...]] = WHERE
    example: ClassVar[dict[str, object]] = {
        "url": SNOWFLAKE,
        "role": "LOADER",
        "sql": "COPY INTO orders FROM @inbox; SELECT count(*) AS n FROM orders;",
        "fetchType": "FETCH_ONE",
    }

    warehouse: Warehouse = ""
    database: DatabaseName = ""
    schema: SchemaName = ""
    role: Role = ""
    private_key: PrivateKey = Secret("")
    private_key_password: KeyPassword = Secret("")
    private_key_file: KeyFile = ""
    private_key_file_password: KeyFilePassword = Secret("")
    query_tag: QueryTag = ""
