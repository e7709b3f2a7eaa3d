"""Is every flow of the corpus read as the file beside it says? Good ones into models, broken ones into problems."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import PenstockError, flow
from tests.dialects.corpus import BROKEN, GOOD, outcome, outline, reading


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_flow_becomes_the_model_beside_it(path: Path) -> None:
    expected = path.with_suffix(".json").read_text(encoding="utf-8")

    found = reading(path)

    assert outline(found) == expected


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_flow_has_exactly_the_problems_beside_it(path: Path) -> None:
    expected = path.with_suffix(".expected").read_text(encoding="utf-8")

    found = reading(path)

    assert outcome(found) == expected


def test_the_corpus_has_at_least_eighty_broken_flows() -> None:
    assert len(BROKEN) >= 80


def test_every_code_of_a_flow_stands_in_some_expectation() -> None:
    classes = [kind for kind in vars(flow).values() if isinstance(kind, type) and issubclass(kind, PenstockError)]
    # What a file includes is looked for by whoever reads files; what cannot be written is told by whoever writes.
    elsewhere = (PenstockError, flow.FlowError, flow.BadInclude, flow.CannotWrite)
    codes = {kind.code for kind in classes if kind not in elsewhere}

    told = "".join(path.with_suffix(".expected").read_text(encoding="utf-8") for path in BROKEN)

    assert {code for code in codes if code not in told} == set()


def test_no_code_is_given_to_two_errors() -> None:
    classes = [kind for kind in vars(flow).values() if isinstance(kind, type) and issubclass(kind, flow.FlowError)]

    codes = [kind.code for kind in classes]

    assert len(codes) == len(set(codes))


def test_every_place_shows_its_line() -> None:
    found = [problem for path in BROKEN for problem in reading(path).problems if problem.place]

    lines = {path.name: path.read_bytes().decode(errors="replace").splitlines() for path in BROKEN}

    for problem in found:
        assert problem.place is not None
        file = lines[problem.place.file]
        line = file[problem.place.line - 1] if problem.place.line <= len(file) else ""
        assert line.startswith(problem.place.text[:900].rstrip("\r")) or "�" in line
