"""Which tables has dbt read, made and tested? Runs in dbt's own Python, when dbt is done, where lineage is wanted.

`python data.py TARGET ARGUMENTS` reads what dbt wrote into its target folder about a call with these arguments (a list
of JSON), and says it to the worker: each node is a part with what it was made of; what was tested is read by the task,
with the results. What `dbt docs generate` finds out of columns is said of the nodes that were built before. It knows
nothing but the standard library, and looks for the YAML and Jinja that come with dbt.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BUILDING = ("build", "run", "seed", "snapshot", "test")
MAKING = ("model", "seed", "snapshot")
NOWHERE = ("ephemeral", "test", "unit")
BUILT = ("success", "warn")
JUDGED = {"pass": True, "warn": False, "fail": False}
SAID = Path(f"{__file__}.said")  # what was said of nodes that were built, for what is found out of them later
ROWS = Path(f"{__file__.removesuffix('-data.py')}.py.rows")  # what telling.py has counted of nodes that were made
ALIASES = {"s3a": "s3", "s3n": "s3"}


def main(target: str, arguments: str) -> int:
    """Say it, as far as it is known."""
    folder = Path(target)
    manifest, results, catalog = (read(folder / f"{name}.json") for name in ("manifest", "run_results", "catalog"))
    if not manifest:
        return 0
    given = json.loads(arguments)
    which = str((results.get("args") or {}).get("which"))
    before = json.loads(SAID.read_text()) if SAID.is_file() else []
    if "docs" in given:
        told = with_columns(before, catalog)
    elif which in BUILDING:
        known = Known(manifest, place(given) or os.environ.get("PENSTOCK_DBT_NAMESPACE") or "")
        told = [*known.built(results["results"]), *known.tested(results["results"])]
        SAID.write_text(json.dumps([*before, *(each for each in told if "node" in each)]))
    else:
        return 0
    for each in told:
        print(f"::{json.dumps({each.pop('access'): [{k: v for k, v in each.items() if k != 'node'}]})}::", flush=True)
    return 0


class Known:
    """The nodes of a project, and where its database is."""

    def __init__(self, manifest: dict[str, Any], where: str) -> None:
        self.kind = str(manifest["metadata"].get("adapter_type") or "dbt")
        self.where = where or f"{self.kind}://{manifest['metadata'].get('project_name') or ''}"
        self.nodes: dict[str, Any] = {**manifest["nodes"], **manifest["sources"]}

    def built(self, results: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """What each node that was built is, and what it was made of."""
        counted = read(ROWS)
        for result in results:
            node = self.nodes.get(result["unique_id"]) or {}
            if node.get("resource_type") not in MAKING or result.get("status") not in BUILT:
                continue
            part = part_of(result["unique_id"])
            for found in self.tables(result["unique_id"]):
                answer = counted.get(result["unique_id"]) or result.get("adapter_response") or {}
                rows = answer.get("rows_affected")
                sql = str(result.get("compiled_code") or node.get("compiled_code") or "").strip()
                about = {"access": "writes", **found, "part": part, "sql": sql, "node": result["unique_id"]}
                yield {**about, "rows": rows} if isinstance(rows, int) and rows >= 0 else about
            for above in self.above(node):
                yield from ({"access": "reads", **found, "part": part} for found in self.tables(above))

    def tested(self, results: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """What was tested, with what came of it."""
        checks: dict[str, list[dict[str, Any]]] = {}
        for result in results:
            node = self.nodes.get(result["unique_id"]) or {}
            if node.get("resource_type") != "test" or result.get("status") not in JUDGED:
                continue
            name = (node.get("test_metadata") or {}).get("name") or node.get("name") or result["unique_id"]
            check = {"name": str(name), "passed": JUDGED[result["status"]], "column": node.get("column_name") or ""}
            attached = node.get("attached_node")
            for above in [attached] if attached else self.above(node):
                checks.setdefault(above, []).append(check)
        for unique_id, made in checks.items():
            yield from ({"access": "reads", **found, "checks": made} for found in self.tables(unique_id))

    def above(self, node: dict[str, Any]) -> list[str]:
        """What a node is made of; what is not there as a table stands for what it is made of itself."""
        found: dict[str, None] = {}
        for each in (node.get("depends_on") or {}).get("nodes") or []:
            other = self.nodes.get(each) or {}
            if (other.get("config") or {}).get("materialized") == "ephemeral":
                found.update(dict.fromkeys(self.above(other)))
            else:
                found[each] = None
        return list(found)

    def tables(self, unique_id: str) -> Iterator[dict[str, Any]]:
        """Where a node's table is, and what is known of its columns; nothing for what has none."""
        node = self.nodes.get(unique_id) or {}
        last, config = node.get("identifier") or node.get("alias"), node.get("config") or {}
        if not last or not node.get("schema") or config.get("materialized") in NOWHERE:
            return
        columns = {name: str(each.get("data_type") or "") for name, each in (node.get("columns") or {}).items()}
        parts = [None if self.kind == "duckdb" else node.get("database"), node.get("schema"), last]
        own = {"namespace": self.where, "name": ".".join(part for part in parts if part)}
        said = (config.get("meta") or node.get("meta") or {}).get("lineage")
        if isinstance(said, dict):
            own = {**own, **{key: str(value) for key, value in said.items() if key in own}}
        elif said:
            own = located(f"{said}/{last}")
        yield {**own, "columns": columns} if all(columns.values()) and columns else own


def with_columns(told: list[dict[str, Any]], catalog: dict[str, Any]) -> list[dict[str, Any]]:
    """What was said of nodes that were built, with their columns as the database has them."""
    nodes = catalog.get("nodes") or {}
    found = []
    for each in told:
        columns = (nodes.get(each.get("node")) or {}).get("columns") or {}
        if columns:
            ordered = sorted(columns.values(), key=lambda column: column["index"])
            found.append({**each, "columns": {column["name"]: column["type"] for column in ordered}})
    return found


def place(arguments: list[str]) -> str:
    """Where the database of the profile is that dbt was run with, as lineage says it; empty where that is not known."""
    try:
        import jinja2
        import yaml

        project = Path(option(arguments, "--project-dir") or os.environ.get("DBT_PROJECT_DIR") or ".")
        said = option(arguments, "--profiles-dir") or os.environ.get("DBT_PROFILES_DIR")
        here = next((each for each in (Path(), project) if (each / "profiles.yml").is_file()), Path.home() / ".dbt")
        folder = Path(said) if said else here
        about = yaml.safe_load((project / "dbt_project.yml").read_text())
        # what is rendered are settings, as dbt itself reads them, and no page
        environment = jinja2.Environment(autoescape=False)  # noqa: S701
        for name in ("as_number", "as_bool", "as_text", "as_native"):
            environment.filters[name] = lambda value: value

        def rendered(text: Any) -> str:
            return str(environment.from_string(str(text)).render(env_var=env_var))

        profiles = yaml.safe_load((folder / "profiles.yml").read_text())
        profile = profiles[option(arguments, "--profile") or rendered(about["profile"])]
        target = option(arguments, "--target") or os.environ.get("DBT_TARGET") or profile.get("target", "default")
        output = profile["outputs"][rendered(target)]
        return named({name: rendered(value) for name, value in output.items() if not isinstance(value, list | dict)})
    except Exception as error:
        print(f"::{json.dumps({'logs': [{'level': 'debug', 'message': f'The profile is not read: {error!r}'}]})}::")
        return ""


def named(output: dict[str, str]) -> str:
    """Where the database of one output of a profile is."""
    match output["type"]:
        case "duckdb":
            return f"duckdb://{output.get('path', ':memory:').replace(':memory:', 'memory')}"
        case "postgres":
            return f"postgres://{output['host']}:{output.get('port', 5432)}"
        case "redshift":
            return f"redshift://{output['host']}:{output.get('port', 5439)}"
        case "snowflake":
            return f"snowflake://{output['account']}"
        case "bigquery":
            return "bigquery"
        case kind:
            return f"{kind}://{output['host']}" + (f":{output['port']}" if "port" in output else "")


def env_var(name: str, otherwise: str | None = None) -> str:
    """What a variable of the environment holds, as dbt's profiles ask for it. Raises KeyError."""
    return os.environ[name] if otherwise is None else os.environ.get(name, otherwise)


def located(address: str) -> dict[str, str]:
    """Data that lie at an address: `s3://bucket` and `a/b` of `s3a://bucket/a/b`."""
    scheme, there, rest = address.partition("://")
    host, _, path = rest.partition("/")
    if not there or scheme == "file":
        return {"namespace": "file", "name": f"/{path}" if there else address}
    return {"namespace": f"{ALIASES.get(scheme, scheme)}://{host}", "name": path.strip("/")}


def part_of(unique_id: str) -> str:
    """The name that a node is told of under, as a part."""
    path = unique_id.split(".")[2:]
    return ".".join(path) or unique_id


def option(arguments: list[str], name: str) -> str:
    """The value of an option, however it is written."""
    for number, argument in enumerate(arguments):
        if argument == name and number + 1 < len(arguments):
            return str(arguments[number + 1])
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return ""


def read(path: Path) -> dict[str, Any]:
    """What a file of dbt's holds; nothing where there is none, or where it cannot be read."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
