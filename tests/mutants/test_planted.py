"""Are the planted bugs still in step with the source, so that each could be planted?"""

from __future__ import annotations

import pytest

from tests.mutants.hunt import SOURCE, planted_in
from tests.mutants.in_time import IN_TIME
from tests.mutants.planted import PLANTED, Mutant

ENOUGH = 20
ALL = (*PLANTED, *IN_TIME)


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name.replace(" ", "_"))
def test_what_a_planted_bug_replaces_stands_in_the_source_exactly_once(mutant: Mutant) -> None:
    text = (SOURCE / "penstock" / mutant.file).read_text()

    planted = planted_in(text, mutant)

    assert planted != text
    if mutant.file.endswith(".py"):
        compile(planted, mutant.file, "exec")


def test_there_are_enough_of_them_and_no_two_alike() -> None:
    assert len(PLANTED) >= ENOUGH
    assert len({mutant.name for mutant in ALL}) == len(ALL)


def test_a_text_that_is_not_there_is_an_error() -> None:
    gone = Mutant("a bug that cannot be planted", "engine/due.py", "no such text", "")

    with pytest.raises(LookupError, match="0 times"):
        planted_in("something else", gone)
