"""Can a script speak with Penstock by the module that is given to it, under both names, in Python and Node.js?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.model.asset import Access, Touched
from penstock.model.event import Ended
from penstock.model.node import Task
from penstock.model.status import Outcome
from penstock.plugins.scripts.inside import SEARCH
from penstock.store import events
from tests.servers import DEMANDED
from tests.worker.workshop import Workshop, knobs, python, shell

PYTHON = """
import penstock
from kestra import Kestra

Kestra.outputs({"rows": 3})
penstock.outputs(name="x", when=__import__("datetime").date(2026, 1, 2))
Kestra.counter("rows", 3, {"table": "t"})
penstock.gauge("depth", 2)
Kestra.timer("work", 1.5)
print("answer", Kestra.timer("call", lambda: 41 + 1))
Kestra.logger().warning("careful: %s", "x")
penstock.log("fine detail", "DEBUG")
penstock.progress(1, 2, "rows")
open("made.csv", "w").write("a,b")
penstock.files("*.csv")
penstock.reads("s3://inbox", "a.csv", rows=3)
penstock.writes("s3://outbox", "b.csv")
"""
NODE = """
const Kestra = require("@kestra-io/libs");
const penstock = require("penstock");
Kestra.outputs({rows: 3});
Kestra.counter("rows", 3, {table: "t"});
Kestra.timer("work", 1.5);
Kestra.timer("call", (done) => done());
Kestra.logger().warn("careful:", {x: 1});
require("fs").writeFileSync("made.csv", "a,b");
penstock.files("made.csv");
penstock.reads("s3://inbox", "a.csv", {rows: 3});
penstock.writes("s3://outbox", "b.csv");
"""
TOUCHED = (
    Touched(access=Access.READS, namespace="s3://inbox", name="a.csv", rows=3),
    Touched(access=Access.WRITES, namespace="s3://outbox", name="b.csv"),
)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """One worker for all scripts."""
    one = Workshop(tmp_path_factory.mktemp("given"), msgspec.structs.replace(knobs(), lineage=True))
    yield one
    one.close()


def touched(workshop: Workshop, run_id: str) -> tuple[Touched, ...]:
    """What data a run's only attempt has read and written."""
    told = workshop.store.read(lambda tx: events.every(tx, run_id))
    return next(each.event.touched for each in told if isinstance(each.event, Ended))


@pytest.mark.parametrize("before", [[], ["true"]], ids=["forked", "from a shell"])
def test_a_python_script_tells_outputs_numbers_lines_and_files(workshop: Workshop, before: list[str]) -> None:
    run_id = workshop.run(python("t", PYTHON, beforeCommands=before))

    made = workshop.outputs(run_id)["t"]
    assert made["vars"] == {"rows": 3, "name": "x", "when": "2026-01-02"}
    assert workshop.core.blobs.get(made["outputFiles"]["made.csv"]) == b"a,b"
    told = {number.name: (str(number.kind), number.value) for number in workshop.metrics(run_id)}
    assert told.pop("call")[1] < 1
    assert told == {"rows": ("counter", 3), "depth": ("gauge", 2), "work": ("timer", 1.5)}
    assert workshop.log(run_id, "t") == "answer 42\ncareful: x\nfine detail\n"
    assert touched(workshop, run_id) == TOUCHED


def test_a_script_of_node_tells_the_same(workshop: Workshop) -> None:
    if shutil.which("node") is None:
        assert not DEMANDED, "Node.js is not here"
        pytest.skip("Node.js is not here")

    run_id = workshop.run(shell("t", 'node -e "$CODE"', env={"CODE": NODE}))

    made = workshop.outputs(run_id)["t"]
    assert (made["vars"], list(made["outputFiles"])) == ({"rows": 3}, ["made.csv"])
    assert {number.name for number in workshop.metrics(run_id)} == {"rows", "work", "call"}
    assert workshop.log(run_id, "t") == 'careful: {"x":1}\n'
    assert touched(workshop, run_id) == TOUCHED


def test_a_script_of_node_may_import_it(workshop: Workshop) -> None:
    if shutil.which("node") is None:
        assert not DEMANDED, "Node.js is not here"
        pytest.skip("Node.js is not here")
    script = 'import Kestra from "@kestra-io/libs";\nKestra.outputs({rows: 4});\n'

    run_id = workshop.run(Task(id="t", type="node.script", properties={"script": script}))

    assert workshop.outputs(run_id)["t"]["vars"] == {"rows": 4}


def test_a_script_keeps_what_the_next_attempt_needs_and_looks_again(workshop: Workshop) -> None:
    look = "test -f $FLAG && echo there || { touch $FLAG; python -c 'import penstock; penstock.snooze(0.1)'; }"

    run_id = workshop.run(shell("t", look, env={"FLAG": str(workshop.folder / "flag")}))

    assert [attempt.outcome for attempt in workshop.attempts(run_id)] == [Outcome.SNOOZED, Outcome.DONE]


def test_lines_of_the_protocol_on_standard_error_are_read_too(workshop: Workshop) -> None:
    run_id = workshop.run(shell("t", """echo '::{"logs": [{"level": "WARN", "message": "w"}]}::' >&2"""))

    assert workshop.log(run_id, "t") == "w\n"


def test_a_path_of_the_tasks_own_comes_first(workshop: Workshop) -> None:
    (workshop.folder / "own").mkdir()
    (workshop.folder / "own" / "mine.py").write_text("print('mine')")

    run_id = workshop.run(
        shell("t", "python -c 'import mine, penstock'", env={"PYTHONPATH": str(workshop.folder / "own")})
    )

    assert workshop.log(run_id, "t") == "mine\n"


def test_what_is_installed_is_not_shadowed_and_can_tell_as_much(tmp_path: Path) -> None:
    (tmp_path / "kestra.py").write_text("class Kestra:\n    theirs = True\n")
    (tmp_path / "penstock").mkdir()
    (tmp_path / "penstock" / "__init__.py").write_text("__version__ = '9'\n\n\ndef log(message): print('theirs')\n")
    (tmp_path / "penstock" / "sdk.py").write_text("there = True\n")
    script = """
import penstock, kestra, penstock.sdk
assert kestra.Kestra.theirs and penstock.__version__ == "9" and penstock.sdk.there
penstock.log("x")
penstock.outputs(a=1)
"""
    environment = {"PYTHONPATH": os.pathsep.join([SEARCH["PYTHONPATH"], str(tmp_path)])}

    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["theirs", '::{"outputs": {"a": 1}}::']


def test_importing_it_loads_nothing_that_takes_long() -> None:
    script = "import sys; before = set(sys.modules); import kestra, penstock; print(sorted(set(sys.modules) - before))"

    done = subprocess.run([sys.executable, "-S", "-c", script], env=SEARCH, capture_output=True, text=True, check=True)

    assert done.stdout == "['__future__', 'kestra', 'penstock', 'penstock_given']\n"


def test_a_line_that_cannot_be_written_as_json_is_text() -> None:
    script = "import penstock; penstock.outputs({'a': {1, 2}, 'b': object})"

    done = subprocess.run([sys.executable, "-c", script], env=SEARCH, capture_output=True, text=True, check=True)

    told = json.loads(done.stdout.strip().strip(":"))
    assert told["outputs"] == {"a": [1, 2], "b": "<class 'object'>"}


def test_files_of_the_project_are_input_files_by_their_path(workshop: Workshop) -> None:
    (workshop.folder / "sql").mkdir()
    (workshop.folder / "sql" / "a.sql").write_text("select 1\n")

    read = workshop.run(shell("t", "cat nsfile:///sql/a.sql b.sql", inputFiles={"b.sql": "nsfile:///sql/a.sql"}))
    none = workshop.run(shell("t", "cat b.sql", inputFiles={"b.sql": "nsfile:///sql/none.sql"}))
    out = workshop.run(shell("t", "cat b.sql", inputFiles={"b.sql": "nsfile:///../secret"}))

    assert workshop.log(read, "t") == "select 1\nselect 1\n"
    failures = [workshop.of(run_id).failure for run_id in (none, out)]
    assert [failure.code for failure in failures if failure] == ["PS-503", "PS-502"]


def test_a_task_knows_its_folder_while_its_properties_are_rendered(workshop: Workshop) -> None:
    task = shell(
        "t",
        "cd / && cat {{ workingDir }}/in.txt",
        "echo made > {{ outputDir }}/made.txt && cp {{ outputDir }}/made.txt $OUTPUT_DIR/too.txt",
        inputFiles={"in.txt": "text\n"},
        outputDirectory=True,
    )

    run_id = workshop.run(task)

    made = workshop.outputs(run_id)["t"]
    assert workshop.log(run_id, "t") == "text\n"
    assert sorted(made["outputFiles"]) == ["made.txt", "too.txt"]
    assert workshop.core.blobs.get(made["outputFiles"]["too.txt"]) == b"made\n"
