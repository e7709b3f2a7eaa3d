"""Do the groups, tasks, triggers, expressions and files of the cases end as they ended in the engines?"""

from __future__ import annotations

import pytest

from tests.dialects.ending import ABOUT_TASKS, check_topic


@pytest.mark.parametrize("name", ABOUT_TASKS)
def test_every_case_of_a_topic_ends_as_it_ended_there(name: str) -> None:
    check_topic(name)
