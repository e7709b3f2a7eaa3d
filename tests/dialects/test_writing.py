"""Is a flow that is written read as the same flow? Flows at random, those of case folders, and what cannot be said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from penstock.dialects.kestra import INSTALLED, Installed, read
from penstock.dialects.kestra.rewriting.order import formatted
from penstock.dialects.kestra.writing.flow import write
from penstock.errors.flow import CannotWrite
from penstock.errors.report import render_problems
from penstock.model.flow import Flow, Language
from penstock.model.node import ForEach, Parallel, Sequence, Task
from penstock.model.policy import Limit, OnChildFailure
from tests.dialects.corpus import BROKEN, GOOD, reading
from tests.dialects.models import flows

ANY_TYPE = Installed(others=True)
READABLE = [path for path in (*GOOD, *BROKEN) if reading(path).flow is not None]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(flow=flows())
def test_any_flow_that_is_written_is_read_as_the_same_flow(flow: Flow) -> None:
    text = write(flow)

    found = read(text, types=ANY_TYPE)

    assert found.flow == flow, f"{text}\n{render_problems(found.problems)}"


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_a_flow_of_the_case_folders_is_written_as_a_text_that_means_the_same(path: Path) -> None:
    flow = reading(path).flow
    assert flow is not None

    again = read(write(flow), types=INSTALLED)

    assert again.flow == flow


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_what_is_written_is_in_the_order_that_formatting_keeps(path: Path) -> None:
    flow = reading(path).flow
    assert flow is not None

    text = write(flow)

    assert formatted(text) == text


def test_a_version_is_named_where_texts_without_one_are_of_another() -> None:
    flow = Flow(id="a", namespace="co", body=Sequence(id="", nodes=(SAY,)), language=Language(version="2"))

    assert write(flow).startswith("# kestra: 2\n")
    assert write(flow, "2").startswith("id: a\n")


SAY = Task(id="say", type="log", properties={"message": "hello"})
LOOP = ForEach(id="l", values=[1], nodes=(SAY,), on_child_failure=OnChildFailure.FINISH)
WIDE = Parallel(id="p", nodes=(SAY,), on_child_failure=OnChildFailure.FINISH)


@pytest.mark.parametrize(
    "changes",
    [
        {"language": Language(dialect="python")},
        {"limits": (Limit(1), Limit(2))},
        {"body": Sequence(id="", nodes=(LOOP,))},
        {"body": Sequence(id="", nodes=(WIDE,))},
        {"body": Sequence(id="")},
    ],
    ids=["another language", "two limits", "a loop that goes on", "a group that finishes", "no tasks"],
)
def test_what_the_language_has_no_words_for_is_not_written(changes: dict[str, object]) -> None:
    flow = Flow(id="a", namespace="co", body=Sequence(id="", nodes=(SAY,)))

    with pytest.raises(CannotWrite):
        write(replace(flow, **changes))
