"""Can flows be checked, pushed, listed and shown from the command line?"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import HELLO, Penstock


def test_check_says_yes_to_each_good_flow(penstock: Penstock) -> None:
    done = penstock("check", "hello.yml")

    assert done.code == 0
    assert done.out == "✓ play.hello  (hello.yml)\n"
    assert "1 flow: 0 errors, 0 warnings." in done.err


def test_check_tells_every_problem_of_every_file(penstock: Penstock, folder: Path) -> None:
    (folder / "flows").mkdir()
    (folder / "flows" / "one.yml").write_text(HELLO.replace("type: log", "type: lgo"))
    (folder / "flows" / "two.yml").write_text("id: two\nnamespace: play\ntasks: []\n")

    done = penstock("check", "flows")
    told: Any = penstock("check", "flows", "--json").json()

    assert done.code == 3
    assert "flows/one.yml:7:21: error PS-214" in done.out
    assert "flows/two.yml:3" in done.out
    assert [each["valid"] for each in told] == [False, False]
    assert told[0]["problems"][0]["code"] == "PS-214"
    assert told[0]["problems"][0]["place"]["line"] == 7


def test_two_files_with_one_flow_are_a_problem(penstock: Penstock, folder: Path) -> None:
    (folder / "again.yml").write_text(HELLO)

    done = penstock("check", ".")

    assert done.code == 3
    assert "The flow play.hello stands in again.yml too." in done.out


def test_a_call_of_a_flow_that_is_nowhere_is_a_warning(penstock: Penstock, folder: Path) -> None:
    (folder / "parent.yml").write_text(
        "id: parent\nnamespace: play\ntasks:\n  - {id: call, type: subflow, namespace: play, flowId: helo}\n"
    )

    lenient, strict = penstock("check", "parent.yml"), penstock("check", "--strict", "parent.yml")

    assert (lenient.code, strict.code) == (0, 3)
    assert "play.helo" in lenient.out


def test_check_reads_standard_input(penstock: Penstock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(HELLO.encode())))

    done = penstock("check", "-")

    assert done.code == 0
    assert "play.hello" in done.out


def test_pushed_flows_are_in_the_store_with_their_revisions(penstock: Penstock, folder: Path) -> None:
    first: Any = penstock("flows", "push", "hello.yml", "--json").json()
    again = penstock("flows", "push", "hello.yml")
    (folder / "hello.yml").write_text(HELLO.replace("Hello", "Hi"))
    third: Any = penstock("flows", "push", "hello.yml", "--json").json()

    listed: Any = penstock("flows", "list", "--json").json()
    shown: Any = penstock("flows", "show", "hello", "--json").json()
    old = penstock("flows", "show", "play.hello", "--revision", "1", "--source")

    assert (first[0]["revision"], first[0]["changed"]) == (1, True)
    assert "(unchanged)" in again.out
    assert (third[0]["revision"], third[0]["changed"]) == (2, True)
    assert [(flow["flow"], flow["revision"]) for flow in listed] == [("hello", 2)]
    assert shown["revisions"] == [2, 1]
    assert old.out == HELLO


def test_a_push_is_all_or_nothing(penstock: Penstock, folder: Path) -> None:
    (folder / "bad.yml").write_text("id: bad\nnamespace: play\ntasks: []\n")

    done = penstock("flows", "push", ".")

    assert done.code == 3
    assert not (folder / ".penstock").exists()


def test_an_unknown_flow_is_told_with_the_nearest_name(penstock: Penstock) -> None:
    penstock("flows", "push", "hello.yml")

    done = penstock("flows", "show", "play.helo")

    assert done.code == 2
    assert "play.hello" in done.err


def test_types_lists_and_explains(penstock: Penstock) -> None:
    listed = penstock("types")
    family = penstock("types", "sql")
    one = penstock("types", "io.kestra.plugin.core.log.Log")
    schema: Any = penstock("types", "log", "--schema").json()
    unknown = penstock("types", "shel.commands")

    assert "shell.commands" in listed.out
    assert all(line.startswith(("TYPE", "sql.")) for line in family.out.splitlines())
    assert one.out.startswith("# log")
    assert schema["title"] == "log"
    assert unknown.code == 2
    assert 'Did you mean "shell.commands"?' in unknown.err


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (("1 + 2",), "3\n"),
        (("{{ 'a,b' | split(',') }}",), '["a","b"]\n'),
        (("{{ inputs.n * 2 }}", "--set", "inputs.n=21"), "42\n"),
        (("{{ a.b }} and {{ a.c }}", "-s", "a.b=x", "-s", "a.c=true"), "x and true\n"),
        (("a", "-s", 'a={"b": 1}', "--json"), '{"value":{"b":1}}\n'),
    ],
)
def test_eval_answers_as_a_flow_would(penstock: Penstock, arguments: tuple[str, ...], out: str) -> None:
    done = penstock("eval", *arguments)

    assert (done.code, done.out) == (0, out)


def test_eval_sees_what_a_run_sees(penstock: Penstock) -> None:
    penstock("run", "hello.yml", "-q", "-i", "who=you")

    outputs = penstock("eval", "{{ outputs.greet.value }}", "--run", "last")
    task = penstock("eval", "task.id", "--run", "last", "--step", "say")

    assert outputs.out == "Hello, you\n"
    assert task.out == "say\n"


def test_eval_tells_where_an_expression_is_wrong(penstock: Penstock) -> None:
    done = penstock("eval", "{{ inputs.dya }}", "--set", "inputs.day=1")

    assert done.code == 3
    assert 'Did you mean "day"?' in done.err
    assert "^" in done.err


def test_a_task_type_that_is_not_installed_is_refused_or_fails_the_run_at_its_task(
    penstock: Penstock, folder: Path
) -> None:
    text = (
        "id: odd\nnamespace: n\ntasks:\n  - {id: a, type: log, message: hi}\n  - {id: b, type: their.own.Thing, x: 1}\n"
    )
    (folder / "odd.yml").write_text(text)

    refused = penstock("check", "odd.yml")
    let_pass = penstock("check", "--allow-unknown", "odd.yml")
    ran = penstock("run", "--allow-unknown", "odd.yml")

    assert (refused.code, let_pass.code, ran.code) == (3, 0, 1)
    assert 'There is no task type "their.own.Thing"' in ran.err
    assert "a  success" in ran.err


def test_calls_of_other_flows_are_checked_against_what_these_take(penstock: Penstock, folder: Path) -> None:
    inputs = "inputs: [{id: n, type: INT}, {id: day, type: DATE, required: false}]\n"
    task = "tasks: [{id: a, type: log, message: hi}]\n"
    (folder / "called.yml").write_text(f"id: called\nnamespace: shop\n{inputs}{task}")
    calls = "tasks:\n" + "".join(
        f"  - {{id: {name}, type: subflow, namespace: shop, flowId: called, inputs: {given}}}\n"
        for name, given in (("good", "{n: 1}"), ("odd", "{n: 1, dya: x}"), ("bad", "{n: many}"), ("poor", "{}"))
    )
    (folder / "calls.yml").write_text(f"id: calls\nnamespace: shop\n{calls}")

    done = penstock("check", "calls.yml", "called.yml")

    assert done.code == 3
    assert "calls.yml:5:6: warning PS-304" in done.out
    assert 'Did you mean "day"?' in done.out
    assert 'calls.yml:6:6: error PS-304: The task "bad" calls shop.called. Invalid value for "n"' in done.out
    assert 'without its input "n" (INT)' in done.out
    assert '"good"' not in done.out


def test_a_plan_tells_what_a_push_would_change_and_pruning_removes(penstock: Penstock, folder: Path) -> None:
    timed = HELLO.replace("id: hello", "id: timed") + "triggers:\n  - {id: t, type: Schedule, cron: '0 3 * * *'}\n"
    (folder / "timed.yml").write_text(timed)

    planned = penstock("flows", "plan", ".")
    none = penstock("flows", "list", "--json")
    penstock("flows", "push", ".")
    (folder / "timed.yml").unlink()
    kept = penstock("flows", "push", ".")
    dry = penstock("flows", "push", ".", "--prune", "--dry-run", "--json")
    gone = penstock("flows", "push", ".", "--prune")

    assert "+ play.timed/t  new: " in planned.out
    assert none.json() == []
    assert "--prune removes it" in kept.err
    assert [each["what"] for each in dry.json()["flows"]] == ["same", "gone"]
    assert "play.timed  removed" in gone.out
    assert [each["flow"] for each in penstock("flows", "list", "--json").json()] == ["hello"]


def test_flows_are_pulled_to_where_they_stand_and_deleted(penstock: Penstock, folder: Path) -> None:
    penstock("flows", "push", "hello.yml")
    (folder / "hello.yml").write_text("# mine\n" + HELLO)

    refused = penstock("flows", "pull", ".")
    forced = penstock("flows", "pull", ".", "--force")
    again = penstock("flows", "pull", "there")
    deleted = penstock("flows", "delete", "hello")

    assert (refused.code, "hello.yml" in refused.err) == (2, True)
    assert forced.out == "hello.yml\n"
    assert (folder / "hello.yml").read_text() == HELLO
    assert again.out == "there/play/hello.yml\n"
    assert deleted.code == 0
    assert penstock("flows", "list", "--json").json() == []
    assert penstock("flows", "delete", "hello").code == 2
