"""Do the words of a flow come into order, with comments and layout kept, and nothing else changed?"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.dialects.kestra import Installed, read
from penstock.dialects.kestra.rewriting.order import formatted
from penstock.dialects.kestra.tree import plain
from penstock.dialects.kestra.writing.emit import emitted
from penstock.dialects.kestra.yaml import parse
from penstock.errors.flow import FlowError, NotYaml
from tests.dialects.corpus import BROKEN, GOOD

MESSY = """\
# of the whole file

# about the namespace
namespace: co \t
id: a
triggers: []
tasks:
  # first
  - type: log   # kind
    # why
    id: x
    message: |
      hello \t

      there

  # second
  - retry: {maxAttempt: 3, type: constant, interval: PT1S}
    commands: [ls]
    type: shell.commands
    id: y
    # of y
  - tasks:
    - message: a
      id: z
      type: log
      # tail of z
    type: sequence
    id: g
inputs:
  - type: STRING
    id: who

# end


"""
NEAT = """\
# of the whole file

id: a
# about the namespace
namespace: co
inputs:
  - id: who
    type: STRING
tasks:
  # first
  # why
  - id: x
    type: log   # kind
    message: |
      hello \t

      there

  # second
  - id: y
    type: shell.commands
    commands: [ls]
    retry: {maxAttempt: 3, type: constant, interval: PT1S}
    # of y
  - id: g
    type: sequence
    tasks:
    - id: z
      type: log
      message: a
      # tail of z
triggers: []

# end
"""


def test_lines_move_with_their_comments() -> None:
    assert formatted(MESSY) == NEAT


def test_what_is_in_order_stays_as_it_is() -> None:
    assert formatted(NEAT) == NEAT


def test_a_line_that_names_the_version_stays_the_first() -> None:
    text = "# kestra: 2\nnamespace: co\nid: a\ntasks: []\n"

    assert formatted(text) == "# kestra: 2\nid: a\nnamespace: co\ntasks: []\n"


def test_each_document_of_a_file_is_put_in_order() -> None:
    text = "namespace: co\nid: a\n---\n# b\nnamespace: co\nid: b\n"

    assert formatted(text) == "id: a\nnamespace: co\n---\nid: b\n# b\nnamespace: co\n"


@pytest.mark.parametrize(
    "text",
    [
        "namespace: &n co\nid: *n\n",
        '{"namespace": "co", "id": "a"}\n',
    ],
    ids=["an alias before its anchor", "JSON"],
)
def test_what_could_change_the_meaning_is_left(text: str) -> None:
    assert formatted(text) == text


def test_text_that_ends_without_a_line_break_keeps_its_meaning() -> None:
    text = "namespace: co\nid: a\ntasks: []\ndescription: |\n  a"

    assert formatted(text) == text


def test_windows_line_ends_stay() -> None:
    assert formatted("namespace: co\r\nid: a\r\n") == "id: a\r\nnamespace: co\r\n"


def test_what_is_no_yaml_cannot_be_put_in_order() -> None:
    with pytest.raises(NotYaml):
        formatted("a: [\n")


@pytest.mark.parametrize("path", [*GOOD, *BROKEN], ids=lambda path: path.stem)
def test_a_flow_of_the_case_folders_means_the_same_afterwards(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", errors="replace").removeprefix("\ufeff")
    try:
        neat = formatted(text)
    except FlowError:
        return

    types = Installed(others=True)
    assert read(neat, types=types).flow == read(text, types=types).flow
    assert neat.count("#") == text.count("#")
    assert formatted(neat) == neat


names = st.sampled_from(["id", "type", "description", "retry", "message", "timeout", "tasks", "other", "runIf"])
parts = st.recursive(
    st.text("ab #:-'\n", max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=st.dictionaries(names, parts, min_size=1), seed=st.integers(0, 2**32))
def test_any_text_with_comments_in_it_means_the_same_afterwards(tree: dict[str, object], seed: int) -> None:
    chance = random.Random(seed)
    lines = []
    for line in emitted(tree).split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += [chance.choice([f"{indent}# said", "", "  # aside"])] if chance.random() < 0.2 else []
        lines.append(line)
    text = "\n".join(lines)
    try:
        neat = formatted(text)
    except FlowError:
        return

    assert plain(parse(neat, [])) == plain(parse(text, []))
    assert formatted(neat) == neat
    assert neat.count("# said") == text.count("# said")
