"""Does an attempt tell everything in frames, whatever its task does?"""

from __future__ import annotations

import datetime
import decimal
import subprocess
import sys
from typing import Annotated, ClassVar, Never

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import Meta

from penstock.errors.task import MissingExtra, Refused
from penstock.sdk import Context, Outcome, Result, Secret, TaskFailed, TaskType
from penstock.sdk.child import main, perform
from penstock.sdk.context import About
from penstock.sdk.local import LocalContext
from penstock.sdk.plain import plain

JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**63 - 1)
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(),
    lambda inside: some.lists(inside) | some.dictionaries(some.text(), inside),
)


class Kept:
    """A transport that keeps frames and declines every question."""

    def __init__(self) -> None:
        self.frames: list[dict[str, object]] = []

    def send(self, frame: dict[str, object]) -> None:
        self.frames.append(frame)

    def ask(self, what: str, body: dict[str, object]) -> Never:
        raise Refused(f"no {what} here")


class Does(TaskType, frozen=True, kw_only=True):
    """Do one of several things."""

    type_name: ClassVar[str] = "does"

    what: Annotated[str, Meta(description="What to do.")]

    def run(self, context: Context) -> Result | dict[str, object] | None:
        match self.what:
            case "talk":
                context.log("a line", "WARN")
                context.metric("rows", 3, "timer", {"table": "t"})
                context.output("early", 1)
                context.progress(1, 2, "rows")
                context.save_state({"cursor": 7})
                return {"when": datetime.date(2016, 1, 2), "secret": Secret("x")}
            case "warn":
                return Result(outcome=Outcome.WARNING, outputs={"n": 1}, message="nearly")
            case "skip":
                return Result(outcome=Outcome.SKIPPED)
            case "snooze":
                return Result(outcome=Outcome.SNOOZED, wait=2.5)
            case "odd":
                raise TaskFailed("no net", kind="network")
            case "fail":
                raise TaskFailed("no luck", kind="exit", exit_code=3, outputs={"seen": 2})
            case "break":
                raise KeyError("column")
            case "leave":
                raise SystemExit(4)
            case "memory":
                raise MemoryError
            case "lack":
                raise MissingExtra("It needs x.", hint="Install x.")
            case "ask":
                context.ask("kv.get", key="k")
            case "pry":
                context.ask("database.url")
        return None


def ending(what: str) -> tuple[dict[str, object], list[dict[str, object]]]:
    kept = Kept()
    frame = perform(Does(what=what), Context(About(), kept))
    return frame, kept.frames


def test_what_a_task_says_goes_out_as_frames() -> None:
    frame, frames = ending("talk")

    assert frames == [
        {"t": "log", "level": "warn", "message": "a line"},
        {"t": "metric", "name": "rows", "value": 3, "kind": "timer", "tags": {"table": "t"}},
        {"t": "output", "values": {"early": 1}},
        {"t": "progress", "done": 1, "total": 2, "unit": "rows"},
        {"t": "state", "value": {"cursor": 7}},
    ]
    assert frame == {"t": "outcome", "outcome": "done", "outputs": {"when": "2016-01-02", "secret": "x"}}


def test_a_warning_and_a_skip_are_endings_of_their_own() -> None:
    assert ending("warn")[0] == {"t": "outcome", "outcome": "warning", "outputs": {"n": 1}, "message": "nearly"}
    assert ending("skip")[0] == {"t": "outcome", "outcome": "skipped", "outputs": {}}


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        ("fail", {"kind": "exit", "message": "no luck", "exit_code": 3, "code": ""}),
        ("odd", {"kind": "task", "message": "no net", "exit_code": None, "code": ""}),
        ("break", {"kind": "task", "message": "KeyError: 'column'", "exit_code": None, "code": ""}),
        ("leave", {"kind": "exit", "message": "The task left with exit code 4.", "exit_code": 4, "code": ""}),
        ("memory", {"kind": "memory", "message": "The task ran out of memory.", "exit_code": None, "code": ""}),
        ("lack", {"kind": "task", "message": "It needs x. Install x.", "exit_code": None, "code": "PS-704"}),
        ("ask", {"kind": "task", "message": "no kv.get here", "exit_code": None, "code": "PS-707"}),
        (
            "pry",
            {"kind": "task", "message": 'A task cannot ask for "database.url".', "exit_code": None, "code": "PS-707"},
        ),
    ],
)
def test_every_failure_is_told_with_its_kind(what: str, failure: dict[str, object]) -> None:
    frame, _ = ending(what)

    assert (frame["outcome"], frame["failure"]) == ("failed", failure)


def test_outputs_of_a_failure_are_kept() -> None:
    assert ending("fail")[0]["outputs"] == {"seen": 2}


def test_an_unexpected_failure_leaves_its_trace_in_the_log() -> None:
    _, frames = ending("break")

    assert [frame["level"] for frame in frames] == ["error"]
    assert "Traceback" in str(frames[0]["message"])


def test_a_type_that_is_not_there_ends_as_a_failure() -> None:
    kept = Kept()

    main({"type": "lgo", "properties": {}}, kept)

    assert [frame["outcome"] for frame in kept.frames] == ["failed"]


def test_the_payload_says_which_attempt_it_is() -> None:
    kept = Kept()
    context = {"run": "r", "step": "s", "attempt": 2, "workdir": "/w", "idempotency_key": "r/s", "newer": True}

    main({"mode": "plugin", "type": "return", "properties": {"format": "x"}, "context": context}, kept)

    assert kept.frames[-1]["outputs"] == {"value": "x"}


@given(JSON)
def test_what_json_can_say_stays_as_it_is(value: object) -> None:
    assert plain(value) == value
    assert msgspec.json.decode(msgspec.json.encode(plain(value))) == value


@given(some.decimals())
def test_a_decimal_is_exact_or_text(value: decimal.Decimal) -> None:
    told = plain(value)

    if value.is_finite():
        assert decimal.Decimal(repr(told) if isinstance(told, float) else str(told)) == value
    else:
        assert told is None


def test_what_json_cannot_say_becomes_text() -> None:
    values = {1: {2**70, b"a\xff"}, "nan": float("nan"), "kind": Outcome.DONE, "place": datetime.UTC}

    assert plain({"one": 2**70, "raw": b"a\xff"}) == {"one": str(2**70), "raw": "a\\xff"}
    assert msgspec.json.encode(plain(values))


def test_secrets_and_state_reach_a_local_task() -> None:
    with LocalContext(secrets={"token": "t"}) as local:
        told = local.run("return", {"format": "x"}, state={"n": 1})

    assert told.state == {"n": 1}
    assert not local.folder.exists()


def test_the_child_loads_no_vendors_library() -> None:
    vendors = ("psycopg", "boto3", "duckdb", "yaml")
    script = f"import sys; import penstock.sdk.child; print([m for m in {vendors} if m in sys.modules])"

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "[]"


def test_a_task_that_waits_says_when_it_wants_to_look_again() -> None:
    frame, _ = ending("snooze")

    assert (frame["outcome"], frame["wait"]) == ("snoozed", 2.5)
