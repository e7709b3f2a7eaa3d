"""Are branches told by HTTP, and is one looked at for who may say so, and for its repository alone?"""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest
from msgspec.structs import replace

from penstock.settings.branches import Branch
from penstock.settings.keys import Settings
from penstock.store import git as table
from tests.api.house import House

SECRET = "correct horse battery"
BODY = b'{"ref": "refs/heads/main"}'


@pytest.fixture
def branch(house: House, tmp_path: Path) -> House:
    """A house whose settings name a branch."""
    settings = Settings(git={"main": Branch(url=f"file://{tmp_path}/x.git", webhook=SECRET, within="shop")})
    house.app.project = replace(house.app.project, settings=settings)
    return house


def wanted(house: House) -> bool:
    """Whether somebody wants it looked at."""
    return house.core.store.read(lambda tx: table.get(tx, "main")).wanted_at > 0


def test_branches_are_told_and_looked_at_for_who_may_say_so(branch: House) -> None:
    told = branch.client.get("/v1/git").json()["items"]
    assert [(each["name"], each["branch"], each["applied"]) for each in told] == [("main", "main", None)]
    assert branch.client.get("/v1/git/none").status_code == 404
    assert branch.as_("editor").post("/v1/git/main/pull").status_code == 403
    assert not wanted(branch)

    assert branch.client.post("/v1/git/main/pull").status_code == 202
    assert wanted(branch)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Hub-Signature-256", f"sha256={hmac.digest(SECRET.encode(), BODY, 'sha256').hex()}"),
        ("X-Gitea-Signature", hmac.digest(SECRET.encode(), BODY, "sha256").hex()),
        ("X-Gitlab-Token", SECRET),
    ],
)
def test_its_repository_says_so_by_a_signature(branch: House, header: str, value: str) -> None:
    stranger = branch.as_("")

    assert stranger.post("/v1/git/main/hook", content=BODY).status_code == 403
    assert (
        stranger.post("/v1/git/main/hook", content=BODY + b" ", headers={header: value[:-1] + "x"}).status_code == 403
    )
    assert stranger.post("/v1/git/none/hook", content=BODY, headers={header: value}).status_code == 404
    assert not wanted(branch)

    assert stranger.post("/v1/git/main/hook", content=BODY, headers={header: value}).status_code == 202
    assert wanted(branch)


def test_without_a_secret_there_is_no_such_address(house: House) -> None:
    house.app.project = replace(house.app.project, settings=Settings(git={"main": Branch(url="https://x.example/y")}))

    answer = house.as_("").post("/v1/git/main/hook", content=BODY, headers={"X-Gitlab-Token": ""})

    assert answer.status_code == 404
