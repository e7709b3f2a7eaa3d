"""Does the run document tell what the store holds, whatever the shape of the flow?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from penstock.services import runs as verbs
from penstock.services.document import document, summary
from penstock.store import runs
from penstock.testing import Harness, fails, gives

NESTED = """
id: nested
namespace: shop
inputs:
  - {id: token, type: SECRET}
tasks:
  - id: side
    type: parallel
    tasks:
      - {id: left, type: log, message: l}
      - {id: right, type: log, message: r}
  - id: each
    type: foreach
    values: [a, b]
    tasks:
      - {id: work, type: shell.commands, commands: ["{{ taskrun.value }}"]}
  - {id: after, type: log, message: done}
"""


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as opened:
        yield opened


def test_steps_stand_in_the_flows_order_with_their_groups(harness: Harness) -> None:
    ran = harness.run(NESTED, {"token": "x"}, tasks={"work": gives()})

    assert [(step.key, step.parent) for step in ran.document.steps] == [
        ("side", None),
        ("left", "side"),
        ("right", "side"),
        ("each", None),
        ("each[0]", "each"),
        ("each[0]/work", "each[0]"),
        ("each[1]", "each"),
        ("each[1]/work", "each[1]"),
        ("after", None),
    ]
    work = ran.step("each[1]/work")
    assert (work.task, work.value, work.iteration, work.type) == ("work", "b", 1, "shell.commands")


def test_what_has_not_begun_waits_and_what_is_held_runs(harness: Harness) -> None:
    run_id = harness.start(NESTED, {"token": "x"})

    before = harness.ran(run_id).statuses
    harness.step()
    after = harness.ran(run_id).statuses

    assert before == {"side": "running", "left": "queued", "right": "queued", "each": "waiting", "after": "waiting"}
    assert after["left"] == after["right"] == "success"
    assert after["each[0]/work"] == "queued"


def test_nothing_waits_in_a_run_that_has_ended(harness: Harness) -> None:
    ran = harness.run(NESTED, {"token": "x"}, tasks={"work": fails()})

    assert "after" not in ran.statuses
    assert ran.document.error is not None


def test_secret_inputs_are_stars(harness: Harness) -> None:
    ran = harness.run(NESTED, {"token": "sesame"}, tasks={"work": gives()})

    assert ran.document.inputs == {"token": "********"}
    assert b"sesame" not in msgspec.json.encode(ran.document)


def test_attempts_tell_their_errors_and_exit_codes(harness: Harness) -> None:
    flow = (
        "id: f\nnamespace: shop\ntasks:\n  - id: one\n    type: shell.commands\n    commands: [x]\n"
        "    retry: {type: constant, interval: PT1S, maxAttempts: 2}\n"
    )

    ran = harness.run(flow, tasks={"one": [fails("bad", exit_code=9), gives(exitCode=0)]})

    first, second = ran.step("one").attempts
    assert (first.number, first.status, first.exit_code) == (1, "failed", 9)
    assert first.error is not None
    assert (first.error.kind, first.error.message) == ("exit", "bad")
    assert (second.number, second.status, second.exit_code, second.error) == (2, "success", 0, None)


def test_times_are_instants_in_utc_and_durations_seconds(harness: Harness) -> None:
    flow = "id: f\nnamespace: shop\ntasks:\n  - {id: one, type: shell.commands, commands: [x]}\n"

    ran = harness.run(flow, tasks={"one": {"takes": "PT1M30S"}})

    assert ran.document.start == "2023-11-14T22:13:20.000Z"
    assert ran.document.end == "2023-11-14T22:14:50.000Z"
    assert ran.document.duration == 90.0
    assert ran.step("one").duration == 90.0


def test_the_history_says_who_wanted_what(harness: Harness) -> None:
    ran = harness.run(NESTED, {"token": "x"}, tasks={"work": fails()})
    verbs.kill(harness.core, ran.id, "too late")
    verbs.restart(harness.core, ran.id, "bob")
    verbs.kill(harness.core, ran.id, "ann")
    told = harness.ran(ran.id).document

    moves = [(moment.status, moment.by) for moment in told.history if moment.by]

    assert moves[1:] == [("running", "bob"), ("killing", "ann")]
    assert moves[0] == ("queued", told.started_by)
    (work,) = [step for step in told.steps if step.key == "each[0]/work"]
    assert work.attempts[0].status == "failed", "what was before is kept"


def test_a_list_has_the_same_shape_without_steps(harness: Harness) -> None:
    ran = harness.run(NESTED, {"token": "x"}, tasks={"work": gives()})
    run = harness.core.store.read(lambda tx: runs.load(tx, ran.id))
    assert run is not None

    short = summary(harness.core, run)

    assert short == msgspec.structs.replace(document(harness.core, ran.id), steps=[], children=[])
