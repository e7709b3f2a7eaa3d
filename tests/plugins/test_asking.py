"""Do tasks that ask their worker get what they ask for: of other runs, of expressions of theirs, of the project?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.errors.task import Refused
from penstock.errors.work import BadFileName
from penstock.sdk.context import Ask
from penstock.services import namespace_files
from penstock.services.project_folder import ProjectFolder
from penstock.services.secrets.masks import Masks
from penstock.services.worker.answers import Asker, answer
from penstock.testing import Harness, Ran
from tests.worker.workshop import Workshop, shell

HEAD = "id: {id}\nnamespace: shop\ntasks:\n"


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    one = Workshop(tmp_path)
    yield one
    one.close()


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as opened:
        yield opened


def ran(harness: Harness, tasks: str, status: str = "success", id: str = "asks") -> Ran:
    found = harness.run(HEAD.format(id=id) + tasks)
    found.assert_status(status)
    return found


def out(found: Ran, step: str) -> dict[str, object]:
    outputs = found.step(step).outputs
    assert outputs is not None
    return dict(outputs)


WRITE = """  - id: write
    type: io.kestra.plugin.core.storage.Write
    extension: .jsonl
    content: |
      {"id": 1, "n": 5, "by": "a"}
      {"id": 2, "n": null, "by": "b"}
      {"id": 1, "n": 9, "by": "c"}
"""


def test_records_are_picked_by_an_expression_of_their_parts(harness: Harness) -> None:
    found = ran(
        harness,
        WRITE
        + """  - id: keep
    type: io.kestra.plugin.core.storage.FilterItems
    from: "{{ outputs.write.uri }}"
    filterCondition: "{{ n > 5 and flow.id == 'asks' }}"
    errorOrNullBehavior: EXCLUDE
  - {id: kept, type: files.read, from: "{{ outputs.keep.uri }}"}
  - id: last
    type: io.kestra.plugin.core.storage.DeduplicateItems
    from: "{{ outputs.write.uri }}"
    expr: "{{ value.id }}"
  - {id: lasts, type: files.read, from: "{{ outputs.last.uri }}"}
""",
    )

    assert out(found, "kept")["content"] == '{"id":1,"n":9,"by":"c"}\n'
    assert out(found, "keep") | {"uri": ""} == {"uri": "", "processedItemsTotal": 3, "droppedItemsTotal": 2}
    assert out(found, "lasts")["content"] == '{"id":2,"n":null,"by":"b"}\n{"id":1,"n":9,"by":"c"}\n'
    assert (out(found, "last")["numKeys"], out(found, "last")["droppedItemsTotal"]) == (2, 1)


def test_a_condition_that_cannot_be_evaluated_fails_with_the_record(harness: Harness) -> None:
    found = ran(
        harness,
        WRITE
        + """  - id: keep
    type: files.filter
    from: "{{ outputs.write.uri }}"
    filterCondition: "{{ missing == 1 }}"
""",
        "failed",
    )

    assert "record 1" in found.logs("keep")


def test_runs_are_counted_and_an_expression_says_which_counts_matter(harness: Harness) -> None:
    for number in range(3):
        ran(harness, "  - {id: a, type: log, message: hi}\n", id="one" if number else "other")

    found = ran(
        harness,
        """  - id: count
    type: io.kestra.plugin.core.execution.Count
    flows: [{namespace: shop, flowId: one}, {namespace: shop, flowId: other}]
    states: [SUCCESS]
    startDate: "2000-01-01"
    expression: "{{ count >= 2 }}"
""",
    )

    assert out(found, "count") == {
        "results": [{"namespace": "shop", "flowId": "one", "count": 2}],
        "count": 1,
        "total": 2,
    }


def test_what_is_over_is_removed_and_the_run_that_asks_stays(harness: Harness) -> None:
    for _ in range(2):
        ran(harness, WRITE, id="old")

    purge = "  - {id: purge, type: io.kestra.plugin.core.execution.PurgeExecutions, endDate: '2999-01-01'}\n"
    logs = "  - {id: logs, type: io.kestra.plugin.core.log.PurgeLogs, flowId: old, endDate: '2999-01-01'}\n"
    found = ran(harness, logs + purge)

    assert out(found, "purge")["executionsCount"] == 2
    assert out(found, "purge")["storagesCount"] == 2
    assert out(ran(harness, purge), "purge")["executionsCount"] == 1


def test_files_of_the_run_itself_are_removed(harness: Harness) -> None:
    purge = "  - {id: purge, type: io.kestra.plugin.core.storage.PurgeCurrentExecutionFiles}\n"
    read = '  - {id: read, type: files.read, from: "{{ outputs.write.uri }}"}\n'

    found = ran(harness, WRITE + purge + read, "failed")

    assert out(found, "purge")["uris"] == [out(found, "write")["uri"]]
    found.assert_steps({"read": "failed"})


def test_a_state_is_kept_from_run_to_run_and_by_value_of_a_loop(harness: Harness) -> None:
    tasks = """  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [a, b]
    tasks:
      - {id: get, type: io.kestra.plugin.core.state.Get}
      - {id: set, type: io.kestra.plugin.core.state.Set, data: {"{{ taskrun.value }}": 1}}
  - {id: shared, type: io.kestra.plugin.core.state.Set, namespace: true, name: all, data: {x: 1}}
"""
    ran(harness, tasks)

    again = ran(harness, tasks + "  - {id: gone, type: state.delete, namespace: true, name: all}\n")

    assert [again.step(f"each[{number}]/get").outputs["data"] for number in (0, 1)] == [{"a": 1}, {"b": 1}]
    assert out(again, "gone")["deleted"] is True


def test_a_task_is_run_as_a_text_describes_it(harness: Harness) -> None:
    found = ran(
        harness,
        """  - id: inner
    type: io.kestra.plugin.core.templating.TemplatedTask
    spec: |
      type: io.kestra.plugin.core.debug.Return
      format: of {{ flow.id }}
  - {id: wrong, type: templated, allowFailure: true, spec: "type: shell.commands\\ncommands: [ls]"}
""",
        "warning",
    )

    assert out(found, "inner") == {"value": "of asks"}
    assert "process of its own" in found.logs("wrong")


def test_files_are_written_into_the_folder_and_taken_out_of_it(harness: Harness) -> None:
    found = ran(
        harness,
        """  - id: files
    type: io.kestra.plugin.core.storage.LocalFiles
    inputs: {a/hello.txt: "hi {{ flow.id }}"}
    outputs: ["a/*.txt"]
  - {id: read, type: files.read, from: "{{ outputs.files.uris['a/hello.txt'] }}"}
""",
    )

    assert out(found, "read")["content"] == "hi asks"


@pytest.fixture
def asker(workshop: Workshop, tmp_path: Path) -> Asker:
    """A task of a run, with a project beside it."""
    run_id = workshop.run(shell("talk", "true"))
    folder, project = tmp_path / "attempt", tmp_path / "project"
    folder.mkdir()
    (project / "sql").mkdir(parents=True)
    (project / ".git").mkdir()
    (project / ".git" / "config").write_text("x")
    (project / "sql" / "a.sql").write_text("select 1")
    (project / "b.txt").write_text("b")
    workshop.core = dataclasses.replace(workshop.core, project=ProjectFolder(project))
    return Asker(workshop.of(run_id), "ask", 1, folder, lambda _secret: None)


def test_files_of_the_project_are_listed_copied_put_and_deleted(workshop: Workshop, asker: Asker) -> None:
    core, folder = workshop.core, asker.folder
    assert folder is not None
    (folder / "new.txt").write_text("new")

    assert answer(core, asker, Ask.PROJECT_LIST, {"include": ["**"]}) == ["b.txt", "sql/a.sql"]
    assert answer(core, asker, Ask.PROJECT_LIST, {"include": ["*.sql"]}) == ["sql/a.sql"]
    copy = answer(core, asker, Ask.PROJECT_GET, {"path": "sql/a.sql"})
    assert (folder / str(copy)).read_text() == "select 1"
    put = {"path": "out/new.txt", "file": "new.txt"}
    assert answer(core, asker, Ask.PROJECT_PUT, put) is True
    assert answer(core, asker, Ask.PROJECT_PUT, {**put, "conflict": "SKIP"}) is False
    with pytest.raises(Refused, match="already"):
        answer(core, asker, Ask.PROJECT_PUT, {**put, "conflict": "ERROR"})
    assert answer(core, asker, Ask.PROJECT_DELETE, {"path": "out/new.txt"}) is True
    assert answer(core, asker, Ask.PROJECT_DELETE, {"path": "out/new.txt"}) is False


@pytest.mark.parametrize("name", ["../x", ".git/config", ".penstock/store.db", "penstock.yaml", "/.git/hooks/x"])
def test_nothing_of_ours_and_nothing_outside_of_the_project_is_touched(
    workshop: Workshop, asker: Asker, name: str
) -> None:
    assert asker.folder is not None
    (asker.folder / "x").write_text("x")

    for ask in (Ask.PROJECT_GET, Ask.PROJECT_PUT, Ask.PROJECT_DELETE):
        with pytest.raises((Refused, BadFileName)):
            answer(workshop.core, asker, ask, {"path": name, "file": "x"})


def test_a_file_with_a_secret_in_it_is_not_kept_for_others(workshop: Workshop, asker: Asker) -> None:
    secret = "s3cret-Passw0rd"
    assert asker.folder is not None
    (asker.folder / "new.txt").write_text(f"it is {secret}")
    masks = Masks()
    masks.add(secret)
    told = msgspec.structs.replace(asker, masks=masks)

    for name, path in (("a.txt", "new.txt"), (f"{secret}.txt", "new.txt")):
        with pytest.raises(Refused, match="secret"):
            answer(workshop.core, told, Ask.PROJECT_PUT, {"path": name, "file": path})
    assert answer(workshop.core, told, Ask.PROJECT_LIST, {"include": ["**"]}) == ["b.txt", "sql/a.sql"]


def test_what_a_task_keeps_is_found_by_every_worker_and_says_which_run_it_was(workshop: Workshop, asker: Asker) -> None:
    assert asker.folder is not None
    (asker.folder / "new.txt").write_text("new")
    answer(workshop.core, asker, Ask.PROJECT_PUT, {"path": "new.txt", "file": "new.txt"})

    elsewhere = dataclasses.replace(workshop.core, project=None)

    assert answer(elsewhere, asker, Ask.PROJECT_LIST, {"include": ["**"]}) == ["new.txt"]
    kept = namespace_files.find(elsewhere, asker.run.namespace, "new.txt")
    assert kept.changed_by == f"run {asker.run.id}"
