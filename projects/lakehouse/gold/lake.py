"""How does dbt's DuckDB see the tables of the lake? As a database `lake`, attached by Iceberg's REST catalog.

DuckDB's extensions come from wheels: nothing is downloaded when they are loaded.
"""

from __future__ import annotations

import http.client
import importlib
import os
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

# In the order in which they need one another.
EXTENSIONS = ("avro", "httpfs", "iceberg")


PATIENCE = float(os.environ.get("LAKE_PATIENCE", "30"))
PAUSE = 0.5


class LakeAway(DbtRuntimeError):
    """A server without which no table can be read does not answer."""


class Plugin(BasePlugin):
    """What dbt-duckdb asks for."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Nothing is set."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Attach the lake."""
        attach(conn)


def attach(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection see the lake, where the environment says that it is."""
    for name in EXTENSIONS:
        found = importlib.import_module(f"duckdb_extension_{name}").__file__
        (file,) = Path(str(found)).parent.rglob("*.duckdb_extension")
        connection.execute(f"LOAD '{file}'")
    endpoint = os.environ["S3_ENDPOINT"]
    said = {
        "KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
        "SECRET": os.environ["AWS_SECRET_ACCESS_KEY"],
        "ENDPOINT": endpoint.partition("://")[2],
        "REGION": os.environ.get("AWS_REGION", "us-east-1"),
        "URL_STYLE": "path",
    }
    told = ", ".join(f"{name} '{value}'" for name, value in said.items())
    safe = "true" if endpoint.startswith("https:") else "false"
    connection.execute(f"CREATE OR REPLACE SECRET lake (TYPE s3, {told}, USE_SSL {safe})")
    catalog = os.environ["ICEBERG_CATALOG_URL"]
    until = time.monotonic() + PATIENCE
    answers("The object store of the lake", endpoint, until)
    answers("The lake's catalog", f"{catalog}/v1/config", until)
    connection.execute(
        f"ATTACH IF NOT EXISTS 'lake' AS lake (TYPE iceberg, ENDPOINT '{catalog}', AUTHORIZATION_TYPE 'none')"
    )


def answers(name: str, url: str, until: float) -> None:
    """Wait for a server, whatever it says; LakeAway when it has said nothing by then, asked at least once."""
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except urllib.error.HTTPError:
            return
        except (OSError, http.client.HTTPException) as failed:
            if time.monotonic() > until:
                why = getattr(failed, "reason", failed)
                raise LakeAway(f"{name} at {url} does not answer for {PATIENCE:.0f} s: {why}") from None
        time.sleep(PAUSE)
