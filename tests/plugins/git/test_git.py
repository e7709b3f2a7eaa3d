"""Do flows and files come and go by git, with refs looked at and with secrets in no argument and no message?"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors import PenstockError
from penstock.errors.task import BadAddress, NotOffered, TaskFailed
from penstock.model.status import Outcome
from penstock.plugins.git import program
from penstock.sdk.context import Ask
from penstock.sdk.local import LocalContext
from penstock.services.project_folder import ProjectFolder
from penstock.services.seen_files import SeenFiles
from penstock.services.worker.answers import Asker, answer
from tests.plugins.git.hosting import PASSWORD, USER, commit, do, git, over_http, repository, shown, watched
from tests.worker.workshop import Workshop, shell

FLOW = "id: {id}\nnamespace: elsewhere\ntasks:\n  - {{id: say, type: log, message: {text}}}\n"


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    one = Workshop(tmp_path / "workshop")
    yield one
    one.close()


@pytest.fixture
def asker(workshop: Workshop, tmp_path: Path) -> Asker:
    run_id = workshop.run(shell("talk", "true"))
    folder, project = tmp_path / "attempt", tmp_path / "project"
    folder.mkdir()
    project.mkdir()
    workshop.core = dataclasses.replace(workshop.core, project=ProjectFolder(project))
    return Asker(workshop.of(run_id), "ask", 1, folder, lambda _secret: None)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return repository(tmp_path / "repositories", {"readme.md": "one"})


def told(workshop: Workshop, asker: Asker, uri: object) -> list[tuple[object, object]]:
    """State and path of each line of a difference."""
    lines = workshop.core.blobs.get(str(uri)).decode().splitlines()
    return [(each["syncState"], each["gitPath"]) for each in map(json.loads, lines)]


def texts(workshop: Workshop, asker: Asker, namespace: str = "shop") -> dict[str, str]:
    """The flows of a namespace and those below, with their texts."""
    found = answer(workshop.core, asker, Ask.FLOWS_LIST, {"namespace": namespace, "below": True})
    assert isinstance(found, list)
    return {f"{each['namespace']}.{each['flow']}": each["source"] for each in found}


def test_a_branch_a_tag_and_a_commit_are_cloned(local: LocalContext, bare: Path) -> None:
    work = bare.parent / "work"
    first = git(work, "rev-parse", "HEAD").strip()
    git(work, "tag", "v1")
    second = commit(work, {"readme.md": "two"})
    git(work, "push", "--quiet", "origin", "main", "main:refs/heads/side", "v1")
    url = f"file://{bare}"

    def cloned(**how: object) -> tuple[object, str]:
        done = local.run("io.kestra.plugin.git.Clone", {"url": url, "directory": "in", **how})
        assert done.outcome is Outcome.DONE, done.failure
        return done.outputs["commitId"], (Path(str(done.outputs["directory"])) / "readme.md").read_text()

    assert cloned() == (second, "two")
    assert cloned(branch="side") == (second, "two")
    assert cloned(tag="v1") == (first, "one")
    assert cloned(commit=first[:10], depth=1) == (first, "one")


@pytest.mark.parametrize(
    "how",
    [
        {"url": "--upload-pack=touch /tmp/x"},
        {"url": "ext::sh -c whoami"},
        {"url": "https://-oProxyCommand=x/y"},
        {"url": "user@-host:x"},
        {"url": "http://a b/"},
        {"branch": "--upload-pack=x"},
        {"branch": "a..b"},
        {"tag": "-x"},
        {"tag": "a b"},
        {"commit": "--help"},
        {"commit": "main"},
        {"directory": "../out"},
        {"directory": "/tmp/out"},
        {"directory": ".git/hooks"},
        {"gitConfig": {"no": "x"}},
    ],
)
def test_what_git_might_take_for_something_else_is_refused(
    local: LocalContext, bare: Path, tmp_path: Path, how: dict[str, object]
) -> None:
    with watched(tmp_path) as said:
        done = local.run("git.clone", {"url": f"file://{bare}", **how})

    assert done.outcome is Outcome.FAILED
    assert not said.exists()


def test_a_password_is_in_no_argument_and_in_no_message(local: LocalContext, bare: Path, tmp_path: Path) -> None:
    with over_http(bare.parent) as host, watched(tmp_path) as said:
        login = {"username": USER, "password": PASSWORD}
        good = local.run("git.clone", {"url": f"{host}/shop.git", "directory": "in", **login})
        inside = host.replace("://", f"://{USER}:p%40ss%2Fw%3Ard%25@")
        also = local.run("git.clone", {"url": f"{inside}/shop.git", "directory": "in"})
        bad = local.run("git.clone", {"url": f"{host}/shop.git", "username": USER, "password": "wr0ng!"})
        gone = local.run("git.clone", {"url": f"{inside}/no.git"})

    assert (good.outcome, also.outcome) == (Outcome.DONE, Outcome.DONE)
    assert bad.failure is not None and gone.failure is not None
    assert "Authentication failed" in str(bad.failure["message"])
    everything = said.read_text() + str((good, also, bad, gone))
    for secret in (PASSWORD, "p%40ss", "wr0ng!"):
        assert secret not in everything
    assert not (Path(str(good.outputs["directory"])) / ".git" / "config").read_text().count("@")


def test_flows_come_from_a_repository(workshop: Workshop, asker: Asker, bare: Path) -> None:
    work = bare.parent / "work"
    commit(work, {"_flows/a.yml": FLOW.format(id="a", text="1"), "_flows/below/b.yaml": FLOW.format(id="b", text="1")})
    git(work, "push", "--quiet", "origin", "main")
    properties = {"url": f"file://{bare}", "branch": "main", "targetNamespace": "shop"}

    dry = do(workshop, asker, "git.sync_flows", {**properties, "dryRun": True})
    assert texts(workshop, asker) == {}
    first = do(workshop, asker, "git.sync_flows", {**properties, "includeChildNamespaces": True})
    again = do(workshop, asker, "git.sync_flows", {**properties, "delete": True, "includeChildNamespaces": True})
    git(work, "rm", "--quiet", "_flows/a.yml")
    commit(work, {"_flows/below/b.yaml": FLOW.format(id="b", text="2")})
    git(work, "push", "--quiet", "origin", "main")
    gone = do(workshop, asker, "git.sync_flows", {**properties, "delete": True, "includeChildNamespaces": True})

    assert told(workshop, asker, dry["flows"]) == [("ADDED", "_flows/a.yml")]
    both = ["_flows/a.yml", "_flows/below/b.yaml"]
    assert told(workshop, asker, first["flows"]) == [("ADDED", path) for path in both]
    assert told(workshop, asker, again["flows"]) == [("UNCHANGED", path) for path in both]
    assert told(workshop, asker, gone["flows"]) == [("UPDATED", "_flows/below/b.yaml"), ("DELETED", None)]
    assert texts(workshop, asker) == {"shop.below.b": FLOW.format(id="b", text="2").replace("elsewhere", "shop.below")}


def test_one_text_that_is_no_flow_changes_nothing_unless_it_may_be_passed_by(
    workshop: Workshop, asker: Asker, bare: Path
) -> None:
    work = bare.parent / "work"
    commit(work, {"_flows/a.yml": FLOW.format(id="a", text="1"), "_flows/bad.yml": "id: bad\nnamespace: x\n"})
    git(work, "push", "--quiet", "origin", "main")
    properties = {"url": f"file://{bare}", "targetNamespace": "shop"}

    with pytest.raises(TaskFailed, match=r"bad\.yml"):
        do(workshop, asker, "git.sync_flows", properties)
    assert texts(workshop, asker) == {}
    do(workshop, asker, "git.sync_flows", {**properties, "ignoreInvalidFlows": True})
    assert list(texts(workshop, asker)) == ["shop.a"]


def test_flows_go_to_a_branch_that_was_not_there(workshop: Workshop, asker: Asker, bare: Path) -> None:
    for name in ("a", "b"):
        answer(workshop.core, asker, Ask.FLOW_PUT, {"source": FLOW.format(id=name, text="1")})
    properties = {
        "url": f"file://{bare}",
        "branch": "out",
        "sourceNamespace": "elsewhere",
        "targetNamespace": "prod",
        "commitMessage": "--amend\n\nis only a text",
        "authorName": "Ada",
        "authorEmail": "ada@example.org",
    }

    dry = do(workshop, asker, "git.push_flows", {**properties, "dryRun": True})
    first = do(workshop, asker, "git.push_flows", properties)
    again = do(workshop, asker, "git.push_flows", {**properties, "flows": ["a"]})
    answer(workshop.core, asker, Ask.FLOW_DELETE, {"namespace": "elsewhere", "flow": "b"})
    gone = do(workshop, asker, "git.push_flows", properties)

    assert dry["commitId"] is None and again["commitId"] is None
    assert "namespace: prod\n" in shown(bare, str(first["commitId"]), "_flows/b.yaml")
    assert git(bare, "log", "-1", "--format=%an <%ae> %s", str(first["commitId"])) == "Ada <ada@example.org> --amend\n"
    assert told(workshop, asker, gone["flows"]) == [("UNCHANGED", "_flows/a.yaml"), ("DELETED", "_flows/b.yaml")]
    assert git(bare, "ls-tree", "--name-only", "out", "_flows/") == "_flows/a.yaml\n"
    assert git(bare, "rev-parse", "main").strip() != gone["commitId"]


def test_files_of_the_project_come_and_go(workshop: Workshop, asker: Asker, bare: Path) -> None:
    work = bare.parent / "work"
    commit(work, {"_files/sql/a.sql": "select 1", "_flows/a.yml": FLOW.format(id="a", text="1")})
    git(work, "push", "--quiet", "origin", "main")
    assert workshop.core.project is not None
    project = workshop.core.project.root
    (project / "old.txt").write_text("old")
    url = f"file://{bare}"

    came = do(workshop, asker, "git.sync_namespace_files", {"url": url})
    again = do(workshop, asker, "io.kestra.plugin.git.Sync", {"url": url})
    went = do(workshop, asker, "git.push_namespace_files", {"url": url, "branch": "main", "delete": False})

    assert SeenFiles(workshop.core, (asker.run.namespace,)).read("sql/a.sql") == b"select 1"
    assert told(workshop, asker, came["files"]) == [("ADDED", "_files/sql/a.sql")]
    assert told(workshop, asker, again["files"]) == [("UNCHANGED", "_files/sql/a.sql")]
    assert told(workshop, asker, again["flows"]) == [("ADDED", "_flows/a.yml")]
    assert shown(bare, "main", "_files/old.txt") == "old"
    assert went["commitId"] == git(bare, "rev-parse", "main").strip()
    assert (project / "old.txt").exists()


def test_what_is_pushed_by_http_has_a_page(workshop: Workshop, asker: Asker, bare: Path) -> None:
    answer(workshop.core, asker, Ask.FLOW_PUT, {"source": FLOW.format(id="a", text="1")})
    with over_http(bare.parent) as host:
        login = {"username": USER, "password": PASSWORD, "url": f"{host}/shop.git", "sourceNamespace": "elsewhere"}

        done = do(workshop, asker, "git.push_flows", login)

    assert done["commitURL"] == f"{host}/shop/commit/{done['commitId']}"
    assert shown(bare, "main", "_flows/a.yaml")


def test_there_are_no_tenants_and_that_is_said(local: LocalContext) -> None:
    done = local.run("io.kestra.plugin.git.TenantSync", {"url": "https://git.example.org/x.git"})

    assert done.failure is not None
    assert done.failure["code"] == NotOffered.code


@pytest.mark.parametrize("url", ["git@example.org:shop/flows.git", "ssh://git@example.org:22/x", "/srv/git/x.git"])
def test_addresses_as_people_write_them_are_taken(url: str) -> None:
    assert program.address(url)[0] == url


def test_a_login_in_an_address_is_taken_out_of_it() -> None:
    assert program.address("https://me:a%40b@git.example.org/x.git") == ("https://git.example.org/x.git", "me", "a@b")
    with pytest.raises(BadAddress) as told:
        program.address("gopher://me:secret@host/x")
    assert isinstance(told.value, PenstockError)
    assert "secret" not in str(told.value)
