"""Can a branch be brought here from the command line, and does it tell what is wrong with its place and commit?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Penstock
from tests.plugins.git.hosting import commit, git, repository
from tests.services.branch import flow


@pytest.fixture
def bare(tmp_path: Path, folder: Path) -> Path:
    """A repository that the settings of the folder name."""
    made = repository(tmp_path / "repositories", {"flows/a.yml": flow("a"), "code/a.sql": "select 1"})
    (folder / "penstock.yaml").write_text(
        f"namespace: play\ngit:\n  main: {{url: 'file://{made}', within: shop, files: {{shop: code}}}}\n"
    )
    return made


def test_a_branch_is_planned_brought_and_told(penstock: Penstock, bare: Path) -> None:
    planned = penstock("git", "sync", "main", "--dry-run")
    never = penstock("git", "status")
    nothing = penstock("flows", "list", "--json")
    done = penstock("git", "sync", "main")
    work = bare.parent / "work"
    broken = commit(work, {"flows/a.yml": "id: a\nnamespace: shop\ntasks: 7\n"})
    git(work, "push", "--quiet", "origin", "main")
    refused = penstock("git", "sync", "main")
    status, told = penstock("git", "status", "main"), penstock("git", "status", "--json")
    health: Any = penstock("doctor", "--json").json()
    unknown = penstock("git", "sync", "none")

    assert [each.code for each in (never, planned, done, refused, status, unknown)] == [0, 0, 0, 3, 3, 2], refused
    assert "never" in never.out
    assert planned.out == done.out == "+ shop.a flows/a.yml\n+ shop: a.sql\n"
    assert not any(each["namespace"] == "shop" for each in nothing.json())
    for each in (refused, status):
        assert "flows/a.yml:3" in each.err
    assert (told.json()[0]["looked_commit"], told.json()[0]["applied_commit"] != broken) == (broken, True)
    assert [each["grade"] for each in health if each["what"] == "branches"] == ["warning"]
    assert "PS-613" in unknown.err


def test_settings_that_reach_too_far_are_refused(penstock: Penstock, folder: Path) -> None:
    for entry in (
        "{url: 'ext::sh -c whoami'}",
        "{url: 'https://git.example.org/x', within: shop, files: {other: code}}",
        "{url: 'https://git.example.org/x', folder: ../..}",
        "{url: 'ssh://git.example.org/x'}",
        "{url: 'https://git.example.org/x', branch: '--upload-pack=x'}",
        "{url: 'https://git.example.org/x', password: '${NOT_THERE}'}",
    ):
        (folder / "penstock.yaml").write_text(f"git:\n  main: {entry}\n")

        assert penstock("git", "sync", "main").code == 2, entry
