"""Is all of gold described and tested, and does it say who is away when it cannot be built?"""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import DEMANDED

GOLD = Path(__file__).parents[2] / "projects" / "lakehouse" / "gold"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock"
REAL = CACHE / "dbt-1.11" / "bin" / "python"
ASKS = """import os, time, lake
lake.answers("The lake's catalog", os.environ["ICEBERG_CATALOG_URL"], time.monotonic() + lake.PATIENCE)
"""


@pytest.fixture
def python() -> str:
    """A Python that has dbt and DuckDB."""
    if not REAL.exists():
        assert not DEMANDED, "dbt is not here: make dbt"
        pytest.skip("dbt is not here: make dbt")
    return str(REAL)


def told(name: str) -> list[dict[str, Any]]:
    """What the project's descriptions say of one kind of thing."""
    files = [yaml.safe_load(file.read_text()) for file in sorted(GOLD.rglob("*.yml")) if file.parent != GOLD]
    return [each for file in files for each in file.get(name, [])]


def test_each_table_and_each_column_is_described_and_each_model_tested() -> None:
    tables = [*told("models"), *told("seeds"), *(table for source in told("sources") for table in source["tables"])]
    for table in tables:
        assert table.get("description"), table["name"]
        for column in table["columns"]:
            assert column.get("description"), f"{table['name']}.{column['name']}"
    models = {model["name"]: model for model in told("models")}
    assert models.keys() == {file.stem for file in (GOLD / "models").glob("*.sql")}
    for name, model in models.items():
        tests = [
            *model.get("data_tests", []),
            *(test for each in model["columns"] for test in each.get("data_tests", [])),
        ]
        assert tests, name


def test_each_model_has_somebody_who_looks_at_it() -> None:
    looked = {each for exposure in told("exposures") for each in exposure["depends_on"]}
    assert looked == {f"ref('{model['name']}')" for model in told("models")}


def test_a_catalog_that_is_away_is_named(python: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        env = {**os.environ, "ICEBERG_CATALOG_URL": url, "LAKE_PATIENCE": "0.1", "PYTHONPATH": str(GOLD)}
        said = subprocess.run([python, "-c", ASKS], env=env, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert f"The lake's catalog at {url} does not answer for 0 s: " in said.stderr, said.stderr
