"""Does any text at all make the reader raise? Never: what is wrong is a problem, whatever it is."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.dialects.kestra import INSTALLED, Reading, read
from penstock.errors.report import render_problems
from penstock.model.flow import Flow
from penstock.model.plan import plan
from tests.dialects.corpus import BROKEN, GOOD

TEXTS = [path.read_bytes().decode(errors="replace") for path in (*GOOD, *BROKEN) if path.stat().st_size < 5_000]
PIECES = [
    *("{{", "}}", "[", "]", "{", "}", "- ", ": ", "&a ", "*a", "!!str ", "!!int ", "|\n", ">\n", "'", '"', "\t", "\n"),
    *("  ", "<<: ", "? ", "null", "1", "%", "\x00", "\ud800", "é", "\u2028", "\ufeff", "#", "---\n", "...\n", "{%"),
    *("tasks:", "errors:\n", "[]", "{}", "outputs.x.", "inputs.", "type: if\n", "type: parallel\n", "id: ..\n"),
]
changes = st.lists(
    st.tuples(st.integers(0, 5_000), st.integers(0, 40), st.sampled_from([*PIECES, ""])), min_size=1, max_size=6
)


def sound(found: Reading) -> None:
    """Whatever was read, it can be shown, and a flow can be stored and planned."""
    assert render_problems(found.problems) or found.flow
    if found.flow is not None:
        assert msgspec.json.decode(msgspec.json.encode(found.flow), type=Flow) == found.flow
        plan(found.flow)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(TEXTS), changes, st.sampled_from(["0.20", "1", "2"]))
def test_a_flow_that_was_cut_and_mixed_is_a_problem_at_worst(
    text: str, edits: list[tuple[int, int, str]], version: str
) -> None:
    for place, size, piece in edits:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + size :]

    found = read(text, types=INSTALLED, version=version)

    sound(found)


@settings(max_examples=300, deadline=None)
@given(st.text() | st.binary())
def test_any_text_and_any_bytes_are_a_problem_at_worst(text: str | bytes) -> None:
    found = read(text, types=INSTALLED)

    sound(found)


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
names = st.sampled_from(
    ["id", "type", "tasks", "errors", "then", "cases", "values", "retry", "inputs", "value", "labels", "triggers"]
)
trees = st.recursive(
    leaves | st.sampled_from(["log", "if", "foreach", "subflow", "constant", "PT1S", "{{ outputs.a }}"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=5), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(names | st.sampled_from(["namespace", "outputs", "pluginDefaults", "concurrency"]), trees))
def test_properties_of_any_kind_in_any_place_are_a_problem_at_worst(tree: dict[str, object]) -> None:
    text = msgspec.json.encode(tree).decode()

    found = read(text, types=INSTALLED)

    sound(found)
