"""Is lineage told of runs that need no server, and shown of runs, flows and namespaces?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Penstock

FLOW = """id: orders
namespace: shop
tasks:
  - id: load
    type: shell.script
    script: |
      echo '::{"reads": [{"namespace": "s3://inbox", "name": "orders.csv", "rows": 3}]}::'
      echo '::{"writes": [{"namespace": "postgres://db:5432", "name": "dw.public.orders", "rows": 3}]}::'
  - id: count
    type: shell.script
    script: |
      echo '::{"reads": [{"namespace": "postgres://db:5432", "name": "dw.public.orders"}]}::'
      echo '::{"writes": [{"namespace": "postgres://db:5432", "name": "dw.public.days", "columns": {"day": "date"}}]}::'
"""


@pytest.fixture
def project(folder: Path) -> Path:
    """A project that tells into a file."""
    (folder / "penstock.yaml").write_text("lineage: {file: told.jsonl, namespace: test}\n")
    (folder / "orders.yml").write_text(FLOW)
    return folder


def test_a_run_without_a_server_tells_its_lineage_once(project: Path, penstock: Penstock) -> None:
    assert penstock("run", "orders.yml").code == 0
    first = [json.loads(line) for line in (project / "told.jsonl").read_text().splitlines()]
    assert penstock("run", "orders.yml").code == 0
    second = [json.loads(line) for line in (project / "told.jsonl").read_text().splitlines()][len(first) :]

    assert [(each["eventType"], each["job"]["name"]) for each in first] == [
        ("START", "shop.orders"), ("START", "shop.orders.load"), ("COMPLETE", "shop.orders.load"),
        ("START", "shop.orders.count"), ("COMPLETE", "shop.orders.count"), ("COMPLETE", "shop.orders"),
    ]  # fmt: skip
    assert len(second) == 6
    assert not {each["run"]["runId"] for each in first} & {each["run"]["runId"] for each in second}


def test_what_cannot_be_told_is_no_fault_of_the_run(project: Path, penstock: Penstock) -> None:
    (project / "penstock.yaml").write_text("lineage: {file: none/told.jsonl}\n")
    done = penstock("run", "orders.yml")

    assert done.code == 0
    assert "Lineage is told another time" in done.err


def test_one_run_may_tell_into_a_file_of_its_own(folder: Path, penstock: Penstock) -> None:
    (folder / "orders.yml").write_text(FLOW)
    assert penstock("run", "orders.yml").code == 0
    assert penstock("run", "orders.yml", "--lineage", "one.jsonl").code == 0
    found = [json.loads(line) for line in (folder / "one.jsonl").read_text().splitlines()]

    assert len(found) == 6
    assert [each["name"] for each in found[2]["outputs"]] == ["dw.public.orders"]


def test_lineage_is_told_of_a_run_of_a_flow_and_of_all(project: Path, penstock: Penstock) -> None:
    assert penstock("run", "orders.yml").code == 0
    lines = penstock("lineage").out.splitlines()
    whole = penstock("lineage", "last", "--json").json()

    assert lines == [
        "shop.orders.load",
        "  reads   s3://inbox orders.csv  (3 rows)",
        "  writes  postgres://db:5432 dw.public.orders  (3 rows)",
        "shop.orders.count",
        "  reads   postgres://db:5432 dw.public.orders  (3 rows)",
        "  writes  postgres://db:5432 dw.public.days",
    ]
    assert penstock("lineage", "--flow", "shop.orders").out.splitlines() == lines
    assert [each["columns"] for each in whole["data"] if each["name"] == "dw.public.days"] == [{"day": "date"}]
    assert penstock("lineage", "--svg").out.startswith("<svg")
    assert "digraph" in penstock("lineage", "--dot").out
    assert "Nothing is known" in penstock("lineage", "--namespace", "other").err
    assert penstock("lineage", "last", "--flow", "orders").code == 2
    assert penstock("lineage", "--svg", "--json").code == 2
