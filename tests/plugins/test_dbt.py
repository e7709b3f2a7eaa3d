"""Does dbt run as a task, and is each of its nodes a reported step that can be done again?"""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.model.asset import Access, Check
from penstock.model.event import Ended
from penstock.model.node import Task
from penstock.plugins.dbt import data, telling
from penstock.plugins.dbt.options import place
from penstock.services import operate
from penstock.services import runs as verbs
from penstock.store import events, steps
from tests.servers import DEMANDED
from tests.worker.workshop import Workshop, knobs

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock"
REAL = CACHE / "dbt-1.11" / "bin" / "python"
PROFILES = "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: 'PATH', threads: 1}\n"
PROJECT = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: shop\n",
    "seeds/people.csv": "id,name\n1,ann\n2,bob\n",
    "models/good.sql": "select * from {{ ref('people') }}",
    "models/shaky.sql": "select {{ var('column', 'nope') }} from {{ ref('good') }}",
    "models/later.sql": "select id from {{ ref('shaky') }} join {{ source('lake', 'people') }} using (id)",
    "models/sources.yml": textwrap.dedent("""
        sources:
          - name: lake
            schema: main
            config: {meta: {lineage: "s3a://lake/{{ var('folder', 'warehouse') }}"}}
            tables: [{name: people}]
    """),
    "models/tests.yml": textwrap.dedent("""
        models:
          - name: good
            config: {materialized: table}
            columns:
              - name: id
                data_tests: [not_null, {accepted_values: {arguments: {values: [1]}, config: {severity: warn}}}]
    """),
}
# What stands for dbt where only its words matter: it says what it was asked, and what came of two nodes.
STUB = """#!/usr/bin/env python3
import json, pathlib, sys, time
say = lambda level, text, **data: print(json.dumps({"info": {"level": level, "msg": text}, "data": data}), flush=True)
say("info", "asked " + " ".join(sys.argv[1:]))
say("info", "1 of 2 START", node_info={"unique_id": "model.shop.a", "node_status": "started"})
print("no json at all")
if "wait" in sys.argv:
    time.sleep(60)
target = pathlib.Path("target")
target.mkdir(exist_ok=True)
timing = [{"name": "execute", "started_at": "2026-01-02T03:04:05.5Z", "completed_at": "2026-01-02T03:04:07Z"}]
results = [
    {"unique_id": "model.shop.a", "status": "success", "timing": timing, "execution_time": 1.5, "failures": None,
     "adapter_response": {"rows_affected": 7}},
    {"unique_id": "test.shop.not_null_a.cf53", "status": "fail", "timing": [], "execution_time": 0.1, "failures": 3,
     "message": "Got 3 results", "adapter_response": {}},
    {"unique_id": "model.shop.b.v2", "status": "skipped", "timing": [], "execution_time": 0, "message": None},
]
if "docs" in sys.argv:
    results = results[:1]
if "deps" not in sys.argv:
    (target / "run_results.json").write_text(json.dumps({"results": results}))
    (target / "manifest.json").write_text("{}")
sys.exit(0 if "deps" in sys.argv else 1)
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    one = Workshop(tmp_path, msgspec.structs.replace(knobs(), lineage=True))
    yield one
    one.close()


@pytest.fixture
def python() -> str:
    """A Python that has dbt."""
    if not REAL.exists():
        assert not DEMANDED, "dbt is not here: make dbt"
        pytest.skip("dbt is not here: make dbt")
    return str(REAL)


@pytest.fixture
def stub(tmp_path: Path) -> dict[str, object]:
    """Properties with which the stub is the dbt that is found."""
    program = tmp_path / "bin" / "dbt"
    program.parent.mkdir()
    program.write_text(STUB)
    program.chmod(0o755)
    return {"env": {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}}


def dbt(kind: str, **properties: object) -> Task:
    return Task(id="dbt", type=f"io.kestra.plugin.dbt.cli.{kind}", properties=properties)


def parts(workshop: Workshop, run_id: str) -> dict[str, str]:
    return {key.removeprefix("dbt#"): status.value for key, status in workshop.statuses(run_id).items() if "#" in key}


def test_each_node_is_a_step_with_its_state_times_and_numbers(workshop: Workshop, stub: dict[str, object]) -> None:
    run_id = workshop.run(dbt("DbtCLI", commands=["dbt deps", "dbt build --select a+"], **stub))

    rows = {step.key: step for step in workshop.store.read(lambda tx: steps.every(tx, run_id))}
    numbers = {(each.name, each.tags["node"]): each.value for each in workshop.metrics(run_id) if each.tags}
    assert parts(workshop, run_id) == {"a": "success", "not_null_a": "failed", "b.v2": "skipped"}
    assert rows["dbt#a"].ended_at is not None
    assert rows["dbt#a"].started_at is not None
    assert rows["dbt#a"].ended_at - rows["dbt#a"].started_at == 1_500_000
    assert rows["dbt#not_null_a"].failure is not None
    assert rows["dbt#not_null_a"].failure.message == "Got 3 results"
    assert (numbers["dbt.rows", "a"], numbers["dbt.failures", "not_null_a"]) == (7, 3)
    outputs = workshop.outputs(run_id)["dbt"]
    assert outputs["vars"] == {"nodes": {"success": 1, "failed": 1, "skipped": 1}}
    assert outputs["outputFiles"].keys() == {"manifest.json", "run_results.json"}
    said = workshop.log(run_id)
    assert "asked deps" in said
    assert "asked build --select a+" in said
    assert "no json at all" in said
    ended = workshop.of(run_id).failure
    assert ended is not None and "not_null_a: Got 3 results" in ended.message


def test_what_is_found_out_for_the_documentation_tells_nothing_of_what_was_built(
    workshop: Workshop, stub: dict[str, object]
) -> None:
    run_id = workshop.run(dbt("DbtCLI", commands=["dbt build || true", "dbt docs generate || true"], **stub))

    assert workshop.outputs(run_id)["dbt"]["vars"] == {"nodes": {"success": 1, "failed": 1, "skipped": 1}}


def test_without_results_nothing_is_reported(workshop: Workshop, stub: dict[str, object]) -> None:
    run_id = workshop.run(dbt("DbtCLI", commands=["dbt build"], parseRunResults=False, **stub))

    assert parts(workshop, run_id) == {}
    assert workshop.of(run_id).status == "failed"


def test_what_a_restart_asks_for_is_all_that_dbt_is_asked(workshop: Workshop, stub: dict[str, object]) -> None:
    asked = ["dbt deps && dbt build -s +x y --exclude=z --threads 2"]
    run_id = workshop.run(dbt("DbtCLI", commands=asked, **stub))

    operate.restart_parts(workshop.core, run_id, "ann", ["dbt#not_null_a", "dbt#b.v2"])
    workshop.finish(run_id)

    said = workshop.log(run_id)
    assert "asked build -s +x y --exclude=z --threads 2" in said
    assert "asked build --threads 2 --select not_null_a b.v2" in said
    assert said.count("asked deps") == 2


@pytest.mark.parametrize(("wanted", "again"), [(True, "asked build --select not_null_a b.v2"), (False, "asked build")])
def test_an_attempt_after_a_failed_one_may_do_only_what_did_not_succeed(
    workshop: Workshop, stub: dict[str, object], wanted: bool, again: str
) -> None:
    run_id = workshop.run(dbt("Build", goOn=wanted, **stub))

    verbs.restart(workshop.core, run_id, "ann")
    workshop.finish(run_id)

    asked = [line for line in workshop.log(run_id).splitlines() if line.startswith("asked")]
    assert asked == ["asked build", again]


RUN, TESTS, SEEDS = ["run"], ["test"], ["seed"]


@pytest.mark.parametrize(
    ("asked", "before", "earlier", "left"),
    [
        (RUN, [], [], None),
        (RUN, [], [(RUN, ["b"])], ["b"]),
        (TESTS, [RUN], [(RUN, ["b"])], None),
        (TESTS, [RUN], [(RUN, ["b"]), (TESTS, ["t"])], None),
        (SEEDS, [], [(SEEDS, []), (RUN, ["b"])], []),
        (RUN, [SEEDS], [(SEEDS, []), (RUN, ["b"])], ["b"]),
        (["deps"], [], [(["deps"], []), (RUN, ["b"])], None),
        (["compile"], [], [(["compile"], []), (RUN, ["b"])], None),
        (RUN, [], [(RUN, None)], None),
        (RUN, [], [(RUN, []), (TESTS, None)], []),
        ([*RUN, "-s", "x"], [], [(RUN, ["b"])], None),
        (TESTS, [[*RUN, "-s", "x"]], [(RUN, []), (TESTS, ["t"])], None),
        (RUN, [], [(RUN, []), (TESTS, [])], None),
    ],
)
def test_only_the_first_command_that_failed_is_narrowed(
    asked: list[str], before: list[list[str]], earlier: list[tuple[list[str], list[str] | None]], left: list[str] | None
) -> None:
    calls = [{"asked": each, "left": []} for each in before]
    told = [{"asked": each, "left": rest} for each, rest in earlier]

    assert telling.remaining(asked, calls, told) == left


def test_what_makes_a_command_the_same_is_its_name_and_its_nodes() -> None:
    asked = telling.essence(["--debug", "run", "-s", "a", "b", "--vars", "x: y", "--exclude=z"])

    assert asked == ["run", "-s", "a", "b", "--exclude=z"]


def test_commands_after_the_one_that_failed_are_done_whole(workshop: Workshop, stub: dict[str, object]) -> None:
    commands = ["dbt deps", "dbt run || true", "dbt test -s x"]
    run_id = workshop.run(dbt("DbtCLI", goOn=True, commands=commands, **stub))

    verbs.restart(workshop.core, run_id, "ann")
    workshop.finish(run_id)

    asked = [line for line in workshop.log(run_id).splitlines() if line.startswith("asked")]
    first = ["asked deps", "asked run", "asked test -s x"]
    assert asked == [*first, "asked deps", "asked run --select not_null_a b.v2", "asked test -s x"]


def test_dbt_speaks_json_whatever_the_surroundings_say(workshop: Workshop, stub: dict[str, object]) -> None:
    path = stub["env"]
    assert isinstance(path, dict)
    program = Path(str(path["PATH"]).split(os.pathsep)[0]) / "dbt"
    program.write_text("#!/bin/sh\necho speaks $DBT_LOG_FORMAT, colors $DBT_USE_COLORS\n")

    run_id = workshop.run(dbt("Build", env={**path, "DBT_LOG_FORMAT": "text", "DBT_USE_COLORS": "true"}))

    assert "speaks json, colors true" in workshop.log(run_id)


@pytest.mark.parametrize(
    ("kind", "properties", "asked"),
    [
        (
            "Build",
            {"select": ["a", "b+"], "thread": 4, "fullRefresh": True},
            "build --threads 4 --full-refresh --select a b+",
        ),
        ("Run", {"select": "a b", "exclude": "c", "target": "prod"}, "run --target prod --select a b --exclude c"),
        ("Test", {"selector": "nightly", "failFast": True}, "--fail-fast test --selector nightly"),
        ("Seed", {"warnError": True, "debug": True}, "--debug --warn-error seed"),
        ("Freshness", {}, "source freshness"),
        ("Deps", {}, "deps"),
    ],
)
def test_each_command_is_a_task_with_its_options(
    workshop: Workshop, stub: dict[str, object], kind: str, properties: dict[str, object], asked: str
) -> None:
    run_id = workshop.run(dbt(kind, **properties, **stub))

    assert f"asked {asked}\n" in workshop.log(run_id)


def test_a_kill_ends_dbt(workshop: Workshop, stub: dict[str, object]) -> None:
    run_id = workshop.start(dbt("DbtCLI", commands=["dbt wait"], **stub))
    worker = workshop.worker()
    workshop.until(worker, lambda: bool(parts(workshop, run_id)))

    verbs.kill(workshop.core, run_id, "ann")
    workshop.until(worker, lambda: workshop.of(run_id).status.ended)

    assert workshop.of(run_id).status == "killed"
    assert parts(workshop, run_id) == {"a": "cancelled"}


def test_where_dbt_is_missing_the_task_says_how_to_get_it(workshop: Workshop) -> None:
    profile = "shop:\n  outputs:\n    dev:\n      type: postgres\n"
    run_id = workshop.run(dbt("Build", profiles=profile))

    assert 'dependencies: ["dbt-core<1.12", "dbt-postgres"]' in workshop.log(run_id)
    assert workshop.of(run_id).status == "failed"


def test_a_manifest_is_not_kept_under_a_key(workshop: Workshop) -> None:
    run_id = workshop.run(dbt("DbtCLI", commands=["dbt build"], storeManifest={"key": "m"}))

    assert "too large for a value" in workshop.log(run_id)


def test_a_real_project_is_built_and_goes_on_from_the_model_that_failed(
    workshop: Workshop, tmp_path: Path, python: str
) -> None:
    for name, text in PROJECT.items():
        (tmp_path / "warehouse" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "warehouse" / name).write_text(text)
    common: dict[str, object] = {
        "python": python,
        "namespaceFiles": {"include": ["warehouse/**"]},
        "projectDir": "warehouse",
        "profiles": PROFILES.replace("PATH", str(tmp_path / "shop.duckdb")),
        "outputFiles": ["warehouse/target/compiled/**/*.sql"],
        "goOn": True,
    }
    commands = [f"if [ -e {tmp_path}/mended ]; then dbt build --vars 'column: id'; else dbt build; fi"]
    run_id = workshop.run(dbt("DbtCLI", commands=commands, **common))
    first = parts(workshop, run_id)

    (tmp_path / "mended").touch()
    verbs.restart(workshop.core, run_id, "ann")
    workshop.finish(run_id)

    test = "accepted_values_good_id__1"
    assert first == {
        "people": "success", "good": "success", "not_null_good_id": "success", test: "warning",
        "shaky": "failed", "later": "skipped",
    }  # fmt: skip
    assert workshop.of(run_id).status == "success"
    assert parts(workshop, run_id) == {**first, "shaky": "success", "later": "success"}
    said = workshop.log(run_id)
    assert "Only shaky, later." in said
    assert '"nope" not found' in said
    # DuckDB does not say how many rows it has made
    rows = {each.tags["node"]: each.value for each in workshop.metrics(run_id) if each.name == "dbt.rows" and each.tags}
    assert rows == {"people": 2, "good": 2, "shaky": 2, "later": 2}
    files = workshop.outputs(run_id)["dbt"]["outputFiles"]
    assert {"manifest.json", "run_results.json", "warehouse/target/compiled/shop/models/shaky.sql"} <= files.keys()
    ends = [told.event for told in workshop.store.read(lambda tx: events.every(tx, run_id))]
    first_end, second_end = (end for end in ends if isinstance(end, Ended))
    shop = f"duckdb://{tmp_path}/shop.duckdb"
    assert {(each.access, each.namespace, each.name, each.part) for each in first_end.touched} == {
        (Access.WRITES, shop, "main.people", "people"), (Access.READS, shop, "main.people", "good"),
        (Access.WRITES, shop, "main.good", "good"), (Access.READS, shop, "main.good", ""),
    }  # fmt: skip
    (tested,) = (each for each in first_end.touched if not each.part)
    assert sorted(tested.checks, key=lambda check: check.name) == [
        Check(name="accepted_values", passed=False, column="id"), Check(name="not_null", passed=True, column="id")
    ]  # fmt: skip
    assert {(each.access, each.namespace, each.name, each.part) for each in second_end.touched} == {
        (Access.READS, shop, "main.good", "shaky"), (Access.WRITES, shop, "main.shaky", "shaky"),
        (Access.READS, shop, "main.shaky", "later"), (Access.READS, "s3://lake", "warehouse/people", "later"),
        (Access.WRITES, shop, "main.later", "later"),
    }  # fmt: skip
    written = {each.name: each for each in second_end.touched if each.access is Access.WRITES}
    assert written["main.shaky"].sql.startswith("select id from")


def test_columns_are_said_once_dbt_has_looked_at_them_and_its_own_profile_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = {
        "resource_type": "model", "schema": "gold", "database": "dw", "alias": "days",
        "depends_on": {"nodes": ["model.shop.passing"]},
    }  # fmt: skip
    passing = {
        "resource_type": "model", "schema": "gold", "alias": "passing", "config": {"materialized": "ephemeral"},
        "depends_on": {"nodes": ["source.shop.raw.trips"]},
    }  # fmt: skip
    source = {
        "schema": "raw",
        "identifier": "trips",
        "config": {"meta": {"lineage": {"namespace": "s3://b", "name": "t"}}},
    }
    manifest = {
        "metadata": {"adapter_type": "postgres"},
        "nodes": {"model.shop.days": model, "model.shop.passing": passing},
        "sources": {"source.shop.raw.trips": source},
    }
    result = {"unique_id": "model.shop.days", "status": "success", "compiled_code": "select 1 ", "adapter_response": {}}
    column = {"name": "day", "type": "date", "index": 1}
    files: dict[str, object] = {
        "manifest.json": manifest,
        "run_results.json": {"args": {"which": "run"}, "results": [result]},
        "catalog.json": {"nodes": {"model.shop.days": {"columns": {"day": column}}}},
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "dbt_project.yml").write_text("profile: shop\n")
    output = "{type: postgres, host: \"{{ env_var('HOST') }}\", port: \"{{ env_var('PORT', '1') | as_number }}\"}"
    (tmp_path / "profiles.yml").write_text(f"shop:\n  target: dev\n  outputs:\n    dev: {output}\n")
    monkeypatch.setenv("HOST", "db")
    monkeypatch.setattr(data, "SAID", tmp_path / "said")
    where = ["--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path)]

    data.main(str(tmp_path), json.dumps(["run", *where]))
    data.main(str(tmp_path), json.dumps(["docs", "generate", *where]))

    days = {"namespace": "postgres://db:1", "name": "dw.gold.days", "part": "days", "sql": "select 1"}
    said = [json.loads(line.strip(":")) for line in capsys.readouterr().out.splitlines()]
    assert said == [
        {"writes": [days]}, {"reads": [{"namespace": "s3://b", "name": "t", "part": "days"}]},
        {"writes": [{**days, "columns": {"day": "date"}}]},
    ]  # fmt: skip


def test_a_profile_says_where_its_database_is() -> None:
    text = "shop:\n  target: dev\n  outputs:\n    dev: {{type: {}}}\n"

    assert place(text.format("postgres, host: db, port: 5433")) == "postgres://db:5433"
    assert place(text.format("redshift, host: r")) == "redshift://r:5439"
    assert place(text.format("snowflake, account: a-b")) == "snowflake://a-b"
    assert place(text.format("trino, host: t, port: 8080")) == "trino://t:8080"
    assert place(text.format("postgres, host: \"{{ env_var('H') }}\"")) == ""
    assert place("") == place("{") == place("a: 1") == ""
