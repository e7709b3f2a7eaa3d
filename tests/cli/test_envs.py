"""Can the Pythons that were made for tasks be looked at and removed from the command line?"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from penstock.runners.process.environments import Environments, root_in
from penstock.runners.process.packages import Recipe
from penstock.sdk.launch import Environment
from tests.cli.conftest import Penstock


def test_environments_are_listed_and_removed(penstock: Penstock) -> None:
    environments = Environments(root_in(Path(".penstock")))
    wanted = Environment()
    recipe = Recipe(wanted=wanted, python=sys.executable, environ=dict(os.environ), folder=Path.cwd())
    environments.hold(recipe).close()

    listed, told = penstock("envs", "list"), penstock("envs", "list", "--json")
    kept, gone = penstock("envs", "prune"), penstock("envs", "prune", "--unused", "P0D")

    many: Any = told.json()
    assert [one["requirements"] for one in many] == [[]]
    assert "today" in listed.out
    assert (kept.err, gone.code) == ("Removed 0: 0.0 MB.\n", 0)
    assert gone.err.startswith("Removed 1: ")
    assert penstock("envs", "list").err == "There are no environments.\n"


def test_a_duration_that_is_none_is_a_wrong_call(penstock: Penstock) -> None:
    done = penstock("envs", "prune", "--unused", "often")

    assert done.code == 2
    assert '"often" is no duration' in done.err
