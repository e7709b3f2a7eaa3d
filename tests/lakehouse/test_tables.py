"""Are tables of Iceberg looked after without a row being lost, while others write and whoever dies?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.between import Dropped, between
from tests.lakehouse.conftest import done, message
from tests.lakehouse.lake import Lake, files, lake, rows

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
# One attempt of a step whose name is given: the same name is the same step.
STEP = """import json, sys
from penstock.sdk import registry
from penstock.sdk.context import About, Context
class Nobody:
    def send(self, frame): pass
kind, asked, key, folder = sys.argv[1:]
task = registry.decode(registry.find(kind), json.loads(asked))
print(json.dumps(task.run(Context(About(idempotency_key=key, workdir=folder), Nobody()))))
"""


@pytest.fixture(scope="module")
def tables(lakehouse: Stack) -> Lake:
    return lake(lakehouse)


def step(kind: str, asked: dict[str, object], key: str, folder: Path) -> subprocess.Popen[str]:
    """An attempt in a process of its own."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [sys.executable, "-c", STEP, kind, json.dumps(asked), key, str(folder)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def expired(local: LocalContext, asked: dict[str, object], **more: object) -> Told:
    """What comes of both attempts of it."""
    first = local.run("iceberg.expire", {**asked, **more})
    if first.outcome is not Outcome.SNOOZED:
        return first
    return local.run("iceberg.expire", {**asked, **more}, state=first.state)


def count(told: dict[str, object], name: str) -> int:
    return int(str(told[name]))


def test_small_files_become_large_ones_while_others_write(tables: Lake, local: LocalContext) -> None:
    name = tables.table(6, partitioned=True)
    asked = {**tables.asked, "table": name, "minFiles": 3}
    planned = done(local.run("iceberg.compact", {**asked, "dryRun": True}))
    assert (planned["filesBefore"], planned["filesAfter"], planned["rows"]) == (12, 2, 60)
    assert planned["snapshots"] == [] and len(tables.load(name).snapshots()) == 6
    with tables.writing(name, 6) as came:
        told = done(local.run("iceberg.compact", asked))
    assert count(told, "filesBefore") >= 12 and told["filesAfter"] == 2 and told["conflicts"] == 0
    assert tables.held(name) == list(range(came[0] * 10))
    states = tables.load(name).snapshots()
    assert states[-1].summary.additional_properties["total-records"] == str(came[0] * 10)
    assert [each.summary.operation.value for each in states].count("replace") == 1
    only = done(local.run("iceberg.compact", {**asked, "minFiles": 2, "where": "day = '2026-11-02' and n >= 0"}))
    assert only["filesAfter"] in (0, 1)
    assert "cannot be asked" in message(local.run("iceberg.compact", {**asked, "where": "nobody = 1"}))
    assert tables.held(name) == list(range(came[0] * 10))


def test_files_that_are_taken_away_meanwhile_do_not_come_back(
    lakehouse: Stack, tables: Lake, local: LocalContext
) -> None:
    name = tables.table(4)
    asked = {**tables.asked, "table": name, "minFiles": 2}

    def delete(number: int) -> None:
        if number == 1:
            tables.load(name).delete("n < 15")

    with between(lakehouse.catalog.address, before=delete) as address:
        told = done(local.run("iceberg.compact", {**asked, "uri": address}))
    assert told["conflicts"] == 1 and told["filesAfter"] == 0 and told["snapshots"] == []
    assert tables.held(name) == list(range(15, 40))
    lying = tables.lying(name)
    assert done(local.run("iceberg.remove_orphans", {**tables.asked, "table": name, "olderThan": "PT0S"}))["files"] == 0
    assert tables.lying(name) == lying
    assert done(local.run("iceberg.compact", asked))["rows"] == 25
    assert tables.held(name) == list(range(15, 40))


def test_a_change_whose_answer_is_lost_is_made_once(lakehouse: Stack, tables: Lake, local: LocalContext) -> None:
    name = tables.table(4)

    def drop(number: int) -> None:
        if number == 1:
            raise Dropped

    for kind, more in (("iceberg.rewrite_manifests", {}), ("iceberg.compact", {"minFiles": 2})):
        before = len(tables.load(name).snapshots())
        with between(lakehouse.catalog.address, after=drop) as address:
            told = done(local.run(kind, {**tables.asked, **more, "uri": address, "table": name}))
        assert len(cast("list[Any]", told["snapshots"])) == 1
        assert len(tables.load(name).snapshots()) == before + 1
    assert tables.held(name) == list(range(40))


@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.long), True])
def test_who_dies_around_a_change_is_followed_by_one_who_makes_it_once(
    lakehouse: Stack, tables: Lake, tmp_path: Path, after: bool
) -> None:
    name = tables.table(6)
    asked = {**tables.asked, "table": name}
    dying: list[subprocess.Popen[str]] = []

    def kill(_number: int) -> None:
        dying[0].kill()
        dying[0].wait()
        raise Dropped

    hooks = {"after": kill} if after else {"before": kill}
    with between(lakehouse.catalog.address, **hooks) as address:
        dying.append(step("iceberg.compact", {**asked, "uri": address}, "s1", tmp_path))
        assert dying[0].wait(60) == -signal.SIGKILL
        dying[0].communicate()
    with step("iceberg.compact", asked, "s1", tmp_path) as second:
        told = json.loads(second.communicate(timeout=60)[0])
    assert (told["filesBefore"], told["filesAfter"], len(told["snapshots"])) == (6, 1, 1)
    states = tables.load(name).snapshots()
    assert [each.summary.operation.value for each in states].count("replace") == 1
    assert tables.held(name) == list(range(60))


def test_manifests_are_put_together_by_partitions(tables: Lake, local: LocalContext) -> None:
    name = tables.table(5, partitioned=True)
    asked = {**tables.asked, "table": name}
    planned = done(local.run("iceberg.rewrite_manifests", {**asked, "dryRun": True}))
    assert (planned["manifestsBefore"], planned["manifestsAfter"], planned["files"]) == (5, 1, 10)
    with tables.writing(name, 5) as came:
        told = done(local.run("iceberg.rewrite_manifests", asked))
    assert told["manifestsAfter"] == 1 and len(cast("list[Any]", told["snapshots"])) == 1
    assert tables.held(name) == list(range(came[0] * 10))
    tables.load(name).delete("n < 30")
    assert tables.held(name) == list(range(30, came[0] * 10))


def test_old_states_go_with_the_files_that_nothing_needs(lakehouse: Stack, tables: Lake, local: LocalContext) -> None:
    name = tables.table(6)
    asked = {**tables.asked, "table": name}
    named = {"uri": tables.asked["uri"], "table": name}
    third = str(tables.load(name).snapshots()[2].snapshot_id)
    done(local.run("iceberg.set_ref", {**named, "name": "month", "at": third}))
    done(local.run("iceberg.compact", {**asked, "minFiles": 2}))
    assert done(expired(local, asked))["snapshots"] == 0  # all are younger than five days
    before = tables.lying(name)
    planned = done(expired(local, asked, olderThan="PT0S", dryRun=True))
    assert tables.lying(name) == before and len(tables.load(name).snapshots()) == 7
    assert (planned["snapshots"], planned["kept"], planned["dataFiles"]) == (5, 2, 3)

    def drop(_number: int) -> None:
        raise Dropped

    # Who made the change dies before it has removed a file: the next attempt removes them.
    first = local.run("iceberg.expire", {**asked, "olderThan": "PT0S"})
    with between(lakehouse.catalog.address, after=drop) as address:
        died = local.run("iceberg.expire", {**asked, "olderThan": "PT0S", "uri": address}, state=first.state)
    assert died.outcome is Outcome.FAILED and len(tables.load(name).snapshots()) == 2
    told = done(local.run("iceberg.expire", {**asked, "olderThan": "PT0S"}, state=died.state))
    assert {each: told[each] for each in ("snapshots", "dataFiles", "kept")} == {
        "snapshots": 5, "dataFiles": 3, "kept": 2,
    }  # fmt: skip
    assert len(before) - len(tables.lying(name)) == sum(
        count(told, each) for each in ("dataFiles", "manifests", "manifestLists")
    ) - 1  # fmt: skip
    assert tables.held(name) == list(range(60))
    assert len(tables.load(name).scan(snapshot_id=int(third)).to_arrow()) == 30


def test_a_state_that_is_named_meanwhile_stays(tables: Lake, local: LocalContext) -> None:
    name = tables.table(4)
    asked = {**tables.asked, "table": name, "olderThan": "PT0S"}
    first = local.run("iceberg.expire", asked)
    second = str(tables.load(name).snapshots()[1].snapshot_id)
    done(local.run("iceberg.set_ref", {"uri": tables.asked["uri"], "table": name, "name": "kept", "at": second}))
    again = local.run("iceberg.expire", asked, state=first.state)
    assert again.outcome is Outcome.SNOOZED  # it is found out anew
    assert done(local.run("iceberg.expire", asked, state=again.state))["snapshots"] == 2
    assert len(tables.load(name).scan(snapshot_id=int(second)).to_arrow()) == 20


def test_columns_become_what_is_wanted_however_often_it_is_said(tables: Lake, local: LocalContext) -> None:
    name = tables.table(2, partitioned=True)
    asked = {
        **tables.asked,
        "table": name,
        "rename": {"word": "term"},
        "add": {"tolls": {"type": "decimal(9, 2)", "doc": "In dollars.", "after": "n"}, "source": "int"},
        "order": ["day", "n"],
    }
    planned = done(local.run("iceberg.evolve", {**asked, "dryRun": True}))
    first = done(local.run("iceberg.evolve", asked))
    assert planned == first and first["changed"] is True
    assert [each["name"] for each in cast("list[Any]", first["columns"])] == ["day", "n", "tolls", "term", "source"]
    assert done(local.run("iceberg.evolve", asked))["changes"] == []
    more = {**tables.asked, "table": name, "widen": {"source": "long", "tolls": "decimal(12, 2)"}, "drop": ["term"]}
    assert len(cast("list[Any]", done(local.run("iceberg.evolve", more))["changes"])) == 3
    assert done(local.run("iceberg.evolve", more))["changed"] is False
    assert tables.held(name) == list(range(20))
    for wrong, said in {
        "drop": (["day"], "is partitioned or sorted by it"),
        "rename": ({"nobody": "x"}, 'There is no column "nobody"'),
        "widen": ({"source": "int"}, "Cannot change column type"),
        "add": ({"n": "string"}, "it is long and not string"),
    }.items():
        refused = local.run("iceberg.evolve", {**tables.asked, "table": name, wrong: said[0]})
        assert said[1] in message(refused)


def test_files_that_belong_to_nothing_are_removed_once_they_are_old(tables: Lake, local: LocalContext) -> None:
    name = tables.table(3)
    asked = {**tables.asked, "table": name}
    table = tables.load(name)
    with table.io.new_output(f"{table.location()}/data/strange.parquet").create() as strange:
        strange.write(b"of nobody")
    done(local.run("iceberg.compact", {**asked, "minFiles": 2}))
    young = done(local.run("iceberg.remove_orphans", asked))
    assert (young["files"], young["young"]) == (0, 1)
    planned = done(local.run("iceberg.remove_orphans", {**asked, "olderThan": "PT0S", "dryRun": True}))
    assert "strange.parquet" in str(planned["paths"]) and "strange.parquet" in tables.lying(name)
    assert done(local.run("iceberg.remove_orphans", {**asked, "olderThan": "PT0S"}))["files"] == 1
    assert "strange.parquet" not in tables.lying(name) and tables.held(name) == list(range(30))
    assert len(table.scan(snapshot_id=table.snapshots()[0].snapshot_id).to_arrow()) == 10


def test_a_trigger_sees_each_state_once(tables: Lake, local: LocalContext) -> None:
    name = tables.table(1)
    asked: dict[str, object] = {"uri": tables.asked["uri"], "tables": [name]}
    state = local.run("iceberg.trigger", asked).state
    assert local.fired == {}
    table = tables.load(name)
    for number in (1, 2, 3):
        table.append(rows(number))
    newest = local.run("iceberg.trigger", asked, state=state)
    (run,) = local.fired.values()
    assert (run["added"], run["rows"], len(cast("list[Any]", run["snapshots"]))) == (30, 40, 3)
    every = {**asked, "which": "EVERY"}
    local.run("iceberg.trigger", every, state=state)
    local.run("iceberg.trigger", every, state=state)  # a look whose end was not kept
    assert [each["rows"] for each in local.fired.values()] == [40, 20, 30]
    local.run("iceberg.trigger", every, state=newest.state)
    done(local.run("iceberg.compact", {**tables.asked, "table": name, "minFiles": 2}))
    local.run("iceberg.trigger", every, state=newest.state)
    assert len(local.fired) == 3  # other files, the same rows
    done(expired(local, {**tables.asked, "table": name}, olderThan="PT0S"))
    table = tables.load(name)
    table.append(rows(4))
    local.run("iceberg.trigger", every, state=newest.state)  # what was seen last is gone
    assert [each["rows"] for each in local.fired.values()] == [40, 20, 30, 50]
    whole = local.run("iceberg.trigger", {**asked, "fromBeginning": True, "operations": ["REPLACE"]})
    assert [each["operation"] for each in local.fired.values()][-1] == "replace" and whole.failure is None


def test_a_store_that_is_away_is_named(tables: Lake, local: LocalContext, lakehouse: Stack) -> None:
    name = tables.table(1)
    away = {**files(lakehouse), "s3.endpoint": "http://127.0.0.1:1", "s3.connect-timeout": "1"}
    refused = local.run("iceberg.compact", {**tables.asked, "table": name, "properties": away})
    assert "The store of files at http://127.0.0.1:1 does not answer" in message(refused)
