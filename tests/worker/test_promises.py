"""Do scripts find what their flow promised them: places for files, the project's files, a warning where one is due?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.flow import Language
from penstock.model.node import Folder, Task
from penstock.model.status import RunStatus
from tests.worker.workshop import Workshop, shell

OLD = "io.kestra.core.tasks.scripts.Bash"


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A worker beside a project with one file."""
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql/a.sql").write_text("of the project\n")
    one = Workshop(tmp_path)
    yield one
    one.close()


def test_files_and_folders_that_a_task_of_old_promises_have_places(workshop: Workshop) -> None:
    commands = [
        "cat {{ outputFiles.never }}",
        "echo 1 > {{ outputFiles['made.csv'] }}",
        "echo 2 > {{ outputDirs.deep }}/two.csv",
    ]
    said: dict[str, object] = {
        "commands": commands,
        "outputFiles": ["never"],
        "outputsFiles": ["made.csv"],
        "outputDirs": ["deep"],
    }

    run_id = workshop.run(Task(id="old", type=OLD, properties=said))

    outputs = workshop.outputs(run_id)["old"]
    stored = outputs["outputFiles"]
    texts = {name: workshop.core.blobs.get(address) for name, address in stored.items()}
    assert texts == {"never": b"", "made.csv": b"1\n", "deep/two.csv": b"2\n"}
    assert outputs["files"] == stored


def test_the_projects_files_lie_in_a_folder_for_each_namespace_where_that_is_wanted(workshop: Workshop) -> None:
    own = shell("own", "cat tests/sql/a.sql", namespaceFiles={"folderPerNamespace": True, "include": ["sql/*"]})
    named = {"folderPerNamespace": True, "namespaces": ["a.b", "c"], "include": ["sql/*"]}

    run_id = workshop.run(own, shell("named", "cat a.b/sql/a.sql c/sql/a.sql", namespaceFiles=named))

    assert workshop.log(run_id) == "of the project\n" * 3


def test_a_file_that_is_there_already_stays_or_fails_the_task_as_it_says(workshop: Workshop) -> None:
    wanted = {"include": ["sql/*"]}
    nodes = (
        shell("change", "echo changed > sql/a.sql"),
        shell("ignore", "cat sql/a.sql", namespaceFiles={**wanted, "ifExists": "IGNORE"}),
        shell("warn", "cat sql/a.sql", namespaceFiles={**wanted, "ifExists": "WARN"}),
        shell("overwrite", "cat sql/a.sql", namespaceFiles=wanted),
        shell("fail", "cat sql/a.sql", namespaceFiles={**wanted, "ifExists": "FAIL"}),
    )

    run_id = workshop.run(Folder(id="dir", nodes=nodes, properties={"namespaceFiles": wanted}))

    said = {name: workshop.log(run_id, name) for name in ("ignore", "warn", "overwrite", "fail")}
    kept = '"sql/a.sql" was there already, and stays; the project has one, too.\n'
    assert (said["ignore"], said["warn"]) == ("changed\n", f"{kept}changed\n")
    assert said["overwrite"] == "of the project\n"
    assert "ifExists is FAIL" in said["fail"]
    assert workshop.of(run_id).status is RunStatus.FAILED


@pytest.mark.parametrize(
    ("version", "said", "status"),
    [
        ("0.20", {}, RunStatus.WARNING),
        ("0.20", {"warningOnStdErr": False}, RunStatus.SUCCESS),
        ("1", {}, RunStatus.SUCCESS),
        ("1", {"warningOnStdErr": True}, RunStatus.WARNING),
    ],
)
def test_a_line_on_standard_error_warns_in_flows_of_old(
    workshop: Workshop, version: str, said: dict[str, object], status: RunStatus
) -> None:
    run_id = workshop.run(shell("a", "echo oh >&2", **said), language=Language("kestra", version))

    assert workshop.of(run_id).status is status
