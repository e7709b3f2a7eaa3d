"""Do the task types that need nothing but Penstock do what they say?"""

from __future__ import annotations

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import Line, LocalContext, Told


def message(told: Told) -> str:
    assert told.failure is not None, told.outputs
    return str(told.failure["message"])


def test_a_log_writes_each_line_at_its_level(local: LocalContext) -> None:
    told = local.run("io.kestra.core.tasks.log.Log", {"message": ["a", "b"], "level": "WARN"})

    assert told.logs == (Line("warn", "a"), Line("warn", "b"))


def test_return_hands_on_text(local: LocalContext) -> None:
    assert local.run("return", {"format": 12}).outputs == {"value": "12"}
    assert local.run("return").outputs == {"value": None}


def test_echo_still_writes_to_the_log(local: LocalContext) -> None:
    assert local.run("io.kestra.plugin.core.debug.Echo", {"format": "hi"}).logs == (Line("info", "hi"),)


@pytest.mark.parametrize("condition", ["true", "1", " ", "null", "[]", "0.0", "False"])
def test_fail_takes_what_the_language_calls_true(local: LocalContext, condition: str) -> None:
    told = local.run("fail", {"condition": condition, "errorMessage": "no rows"})

    assert (told.outcome, message(told)) == (Outcome.FAILED, "no rows")


@pytest.mark.parametrize("condition", ["", "false", "0", "-0", False])
def test_fail_passes_what_the_language_calls_false(local: LocalContext, condition: object) -> None:
    assert local.run("fail", {"condition": condition}).outcome is Outcome.DONE


def test_fail_without_a_condition_always_fails(local: LocalContext) -> None:
    assert message(local.run("fail")) == "Task failure"


def test_assert_counts_the_conditions_that_do_not_hold(local: LocalContext) -> None:
    held = local.run("assert", {"conditions": [True, "1"]})
    broken = local.run("assert", {"conditions": ["true", "false", ""]})

    assert held.outputs == {"failed": 0, "passed": 2}
    assert (broken.outputs, message(broken)) == ({"failed": 2, "passed": 1}, "2 of 3 conditions are not true.")


def test_output_values_keep_their_kinds(local: LocalContext) -> None:
    values = {"n": 1, "list": [1, "a"], "none": None}

    assert local.run("output.values", {"values": values}).outputs == {"values": values}


def test_sleep_waits_and_says_so(local: LocalContext) -> None:
    assert local.run("sleep", {"duration": "PT0.001S"}).logs == (Line("info", "Waiting for 0.001 s"),)


def test_a_key_is_set_read_listed_and_deleted(local: LocalContext) -> None:
    local.run("kv.set", {"key": "last_day", "value": {"n": 1}})
    local.run("kv.set", {"key": "other", "value": "x", "namespace": "far"})

    assert local.run("kv.get", {"key": "last_day"}).outputs == {"value": {"n": 1}}
    assert local.run("kv.keys", {"prefix": "last"}).outputs == {"keys": ["last_day"]}
    assert local.run("kv.get", {"key": "other", "namespace": "far"}).outputs == {"value": "x"}
    assert local.run("kv.delete", {"key": "last_day"}).outputs == {"deleted": True}
    assert local.run("kv.delete", {"key": "last_day"}).outputs == {"deleted": False}


def test_a_missing_key_is_nothing_or_a_failure(local: LocalContext) -> None:
    assert local.run("kv.get", {"key": "k"}).outputs == {"value": None}
    told = local.run("kv.get", {"key": "k", "errorOnMissing": True})
    assert message(told) == 'There is no key "k" in the namespace "local".'


def test_a_key_is_not_overwritten_unless_wanted(local: LocalContext) -> None:
    local.run("kv.set", {"key": "k", "value": "1"})

    told = local.run("kv.set", {"key": "k", "value": "2", "overwrite": False})

    assert "is there already" in message(told)
    assert local.kv == {("local", "k"): "1"}


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("NUMBER", "12", 12),
        ("NUMBER", "1.5", 1.5),
        ("BOOLEAN", "TRUE", True),
        ("JSON", '{"a": 1}', {"a": 1}),
        ("STRING", 5, "5"),
        ("DATE", "2016-01-02", "2016-01-02"),
        ("DURATION", "PT5M", "PT5M"),
        (None, "12", "12"),
    ],
)
def test_a_value_is_kept_as_its_type(local: LocalContext, kind: str | None, text: object, kept: object) -> None:
    local.run("kv.set", {"key": "k", "value": text, "kvType": kind})

    assert local.kv[("local", "k")] == kept


@pytest.mark.parametrize("kind", ["NUMBER", "BOOLEAN", "DATE", "DATETIME", "DURATION", "JSON"])
def test_a_value_that_cannot_be_its_type_is_refused(local: LocalContext, kind: str) -> None:
    told = local.run("kv.set", {"key": "k", "value": "??", "kvType": kind})

    assert message(told) == f'"??" cannot be kept as {kind}.'


@pytest.mark.parametrize("labels", [{"day": 2}, [{"key": "day", "value": "2"}], '{"day": "2"}'])
def test_labels_are_added_in_every_form(local: LocalContext, labels: object) -> None:
    local.run("io.kestra.plugin.core.execution.Labels", {"labels": labels})

    assert local.labels == {"day": "2"}


def test_the_log_is_stored_as_a_file(local: LocalContext) -> None:
    outputs = local.run("log.fetch", {"level": "warn"}).outputs

    assert (outputs["size"], local.text(str(outputs["uri"]))) == (0, "")
