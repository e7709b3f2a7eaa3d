"""Does a problem inside a value point at the very character? In every way that YAML has to write text."""

from __future__ import annotations

import re
import textwrap

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.dialects.kestra import INSTALLED, Reading, read

OPENINGS = re.compile(r"\{[{%#]")
words = st.text(alphabet="abé\"'\\:#&*é💧\t\n ,[]{ }%!", max_size=30).filter(lambda text: not OPENINGS.search(text))


def pointed_at(text: str, found: Reading) -> str:
    """The rest of the line that the only unknown name is told at."""
    (place,) = [problem.place for problem in found.problems if problem.code == "PS-102"]
    assert place is not None
    return re.split("[\n\x85\u2028\u2029]", text)[place.line - 1][place.column - 1 :]


def _same(text: str, message: str) -> bool:
    try:
        return bool(yaml.safe_load(text)["tasks"][0]["message"] == message)
    except yaml.YAMLError:
        return False


@given(words, words, st.sampled_from([None, "'", '"', "|", ">"]), st.sampled_from([20, 40, 1_000]), st.booleans())
def test_a_wrong_name_is_found_where_it_stands_in_the_file(
    before: str, after: str, style: str | None, width: int, unicode: bool
) -> None:
    message = f"{before} {{{{ inputs.zz }}}} {after}"
    tree = {"id": "x", "type": "log", "message": message}
    task = yaml.dump(tree, default_style=style, width=width, allow_unicode=unicode, sort_keys=False)
    text = "id: a\nnamespace: co\ntasks:\n  -\n" + textwrap.indent(task, "    ", lambda line: True)
    # What writes YAML gets some texts wrong that begin or end with blanks.
    assume(_same(text, message))

    found = read(text, types=INSTALLED)

    assert pointed_at(text, found).startswith("zz")


@pytest.mark.parametrize(
    "written",
    [
        '"{{ inputs.zz }}"',
        "!!str '{{ inputs.zz }}'",
        "&name '{{ inputs.zz }}'",
        "&name !!str '{{ inputs.zz }}'",
        "|2-\n        {{ inputs.zz }}",
        ">- # a comment\n\n      {{ inputs.zz }}",
        '"\\x41\\u0042\\\n      \\ {{ inputs.zz }}"',
        "plain\n      {{ inputs.zz }}\n      more",
        "[one, 'it''s {{ inputs.zz }}']",
    ],
)
def test_ways_of_writing_that_are_easily_got_wrong(written: str) -> None:
    text = f"id: a\nnamespace: co\ntasks:\n  - id: x\n    message: {written}\n    type: log\n"

    found = read(text, types=INSTALLED)

    assert pointed_at(text, found).startswith("zz")
