"""Does a branch come to stand here whole or not at all, and does nothing in it reach further than that?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.errors.store import StoreGone
from penstock.model.access import EVERYWHERE
from penstock.plugins.git.program import Login
from penstock.services import audit, namespace_files
from penstock.services import flows as flow_verbs
from penstock.services.git.pulling import Pulling, want
from penstock.services.git.reading import placed
from penstock.services.git.source import Named
from penstock.services.git.sync import Synced, problems_of, sync
from penstock.services.project import Manner, read_text
from penstock.services.pushing import What
from penstock.services.stored import Stored
from penstock.store import flows
from penstock.store.audit import Filter
from penstock.store.port import Tx
from penstock.store.wrapped import Wrapped
from tests.plugins.fs.servers import SshServer, ssh_server
from tests.plugins.git.hosting import PASSWORD, USER, git, over_http, watched
from tests.services.branch import Place, flow
from tests.services.office import Office


@pytest.fixture
def place(tmp_path: Path, office: Office) -> Place:
    return Place(tmp_path, office)


def test_a_branch_stands_here_with_its_flows_and_files_and_revisions_remember_the_commit(place: Place) -> None:
    done = place.sync()

    assert (done.done, done.valid) == (True, True)
    assert (place.flows(), place.files()) == ({"shop.a": 1}, ["sql/a.sql"])
    revision = place.core.store.read(lambda tx: flows.current(tx, "shop", "a"))
    assert revision is not None and revision.created_by == f"git main@{done.commit}"
    assert namespace_files.find(place.core, "shop", "sql/a.sql").changed_by == f"git main@{done.commit}"
    assert (place.state().looked_commit, place.state().applied_commit) == (done.commit, done.commit)

    audit.seal(place.core)
    told = {(each.who, each.verb, each.object) for each in audit.page(place.core, EVERYWHERE, Filter())}
    assert told == {("git main", "flows.push", "shop.a"), ("git main", "files.put", "sql/a.sql")}


def test_a_commit_that_changes_nothing_makes_no_revision(place: Place) -> None:
    place.sync()
    commit = place.push({"readme.md": "x"})

    done = place.sync()

    assert (done.commit, done.done, place.flows()) == (commit, True, {"shop.a": 1})
    assert [each.what for each in done.flows] == [What.SAME]
    assert not done.files
    assert place.state().applied_commit == commit


def test_what_the_branch_has_no_more_goes_and_what_others_brought_stays(place: Place) -> None:
    place.sync()
    own = read_text(flow("own"), Manner())
    assert own.flow is not None
    flow_verbs.push(place.core, own.flow, own.source, own.digest, "ann")
    place.push({"flows/b.yml": flow("b"), "code/b.sql": "2"}, gone=("flows/a.yml", "code/sql"))

    kept = place.sync(prune=False, dry_run=True)
    seen = place.sync(dry_run=True)
    assert place.flows() == {"shop.a": 1, "shop.own": 1}
    done = place.sync()

    assert [each.flow for each in kept.flows] == ["b"]
    assert [(each.flow, each.what) for each in seen.flows] == [("b", What.NEW), ("a", What.GONE)]
    assert [(each.path, each.what) for each in done.files] == [("b.sql", What.NEW), ("sql/a.sql", What.GONE)]
    assert (place.flows(), place.files()) == ({"shop.own": 1, "shop.b": 1}, ["b.sql"])


BAD = {
    "a flow": (
        {"flows/b.yml": "id: b\nnamespace: shop\ntasks:\n  - id: x\n    type: no.such.type\n"},
        "flows/b.yml",
        5,
    ),
    "a flow of elsewhere": ({"flows/deep/b.yml": flow("b", namespace="other")}, "flows/deep/b.yml", 1),
    "a file of ours": ({"code/.penstock/x": "x"}, "code/.penstock/x", 1),
}


@pytest.mark.parametrize("what", BAD)
def test_where_something_is_wrong_nothing_changes_and_it_is_told_with_its_place(place: Place, what: str) -> None:
    place.sync()
    files, path, line = BAD[what]
    commit = place.push(files | {"flows/a.yml": flow("a", "changed"), "flows/c.yml": flow("c")})

    done = place.sync()

    assert (done.done, done.valid, done.commit) == (False, False, commit)
    assert (place.flows(), place.files()) == ({"shop.a": 1}, ["sql/a.sql"])
    state = place.state()
    assert (state.looked_commit, state.applied_commit != commit) == (commit, True)
    told = problems_of(state)[0]
    assert told.place is not None and (told.place.file, told.place.line) == (path, line)
    assert [name for name, why in place.notices if path in why] == ["git.refused"]

    place.push({"flows/a.yml": flow("a", "changed")}, gone=tuple(files))
    assert place.sync().done
    assert (place.flows()["shop.a"], problems_of(place.state())) == (2, ())


def test_what_two_branches_bring_belongs_to_the_one_that_brought_it_last(place: Place) -> None:
    place.sync()
    place.sync(name="renamed")
    place.push({"flows/b.yml": flow("b")}, gone=("flows/a.yml",))

    first = place.sync()
    assert (first.done, sorted(place.flows())) == (True, ["shop.a", "shop.b"])
    place.sync(name="renamed")

    assert sorted(place.flows()) == ["shop.b"]


def test_a_branch_without_any_flow_takes_none_away(place: Place) -> None:
    place.sync()
    place.push({"flows/readme.md": "x"}, gone=("flows/a.yml",))

    done = place.sync()

    assert (done.valid, place.flows()) == (False, {"shop.a": 1})


def test_links_and_repositories_inside_are_no_files_and_hooks_have_no_say(place: Place, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (place.work / "code" / "link").symlink_to("/etc/hostname")
    (place.work / "flows" / "etc").symlink_to("../../../../etc")
    (place.work / ".gitattributes").write_text("*.sql filter=evil\n")
    git(place.work, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},code/module")
    hook = place.bare / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    place.push({"code/plain": "x"})

    assert place.sync().done
    assert place.files() == ["plain", "sql/a.sql"]
    assert not ran.exists()
    assert not list(place.root.rglob("hooks"))


def test_a_password_is_in_no_argument_and_in_no_message(place: Place, tmp_path: Path) -> None:
    with over_http(place.bare.parent) as host, watched(tmp_path) as said:
        good = place.sync(url=f"{host}/shop.git", login=Login(user=USER, password=PASSWORD))
        bad = place.sync(url=f"{host}/shop.git", login=Login(user=USER, password="wr0ng!"))
        gone = place.sync(url=f"{host}/none.git", login=Login(user=USER, password=PASSWORD))

    assert (good.done, bad.done, gone.done) == (True, False, False)
    assert "Authentication failed" in bad.problems[0].sentence
    everything = said.read_text() + str((good, bad, gone, place.notices, place.state()))
    assert not [secret for secret in (PASSWORD, "p%40ss", "wr0ng!") if secret in everything]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """A machine that is reached by SSH."""
    with ssh_server(tmp_path_factory.mktemp("sshd")) as started:
        yield started


def test_a_branch_comes_by_ssh_from_the_machine_that_is_known_and_from_no_other(place: Place, host: SshServer) -> None:
    url = f"ssh://{host.user}@127.0.0.1:{host.port}{place.bare}"
    own = Login(key=host.key, known_hosts=host.known_hosts)
    other = host.known_hosts.replace(host.known_hosts.split()[2], "A" * 68)

    wrong = place.sync(url=url, login=replace(own, known_hosts=other))
    nobody = place.sync(url=url, login=replace(own, key=""))
    right = place.sync(url=url, login=own)

    assert (wrong.done, nobody.done, right.done) == (False, False, True), (wrong, nobody, right)
    assert "Host key verification failed" in wrong.problems[0].sentence


def test_a_secret_that_is_not_there_is_told_and_nothing_is_asked(place: Place) -> None:
    done = place.sync(secrets=Named(password="TOKEN"))

    assert not done.done and "TOKEN" in done.problems[0].sentence


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "ext::sh -c whoami"},
        {"url": "--upload-pack=x"},
        {"branch": "--upload-pack=x"},
        {"branch": "none"},
        {"url": "file:///nowhere/at/all"},
    ],
)
def test_what_cannot_be_fetched_changes_nothing(place: Place, changed: dict[str, Any]) -> None:
    place.sync()

    done = place.sync(**changed)

    assert (done.done, place.flows()) == (False, {"shop.a": 1})
    assert [name for name, _ in place.notices if name == "git.failed"]
    assert place.sync().done


def test_a_hanging_repository_lets_go_when_the_server_stops(place: Place) -> None:
    done = place.sync(stopped=lambda: True, url="ssh://nobody@192.0.2.1/x")

    assert not done.done


def test_namespaces_become_others_here(place: Place) -> None:
    place.push({"flows/deep.yml": flow("deep", namespace="shop.eu")})

    done = place.sync(within="staging", namespaces={"shop": "staging.shop"}, files={"staging": "code"})

    assert done.done, done.problems
    assert place.flows() == {"staging.shop.a": 1, "staging.shop.eu.deep": 1}
    assert placed("namespace: shopping\n", {"shop": "x"}) == "namespace: shopping\n"
    assert placed("id: a\nnamespace : 'shop.x'\n", {"shop": "y"}) == "id: a\nnamespace : 'y.x'\n"


def test_of_two_that_look_at_once_one_does_it(place: Place) -> None:
    began = threading.Event()
    place.sync()
    place.push({"flows/a.yml": flow("a", "second")})
    before = place.state().version
    done: list[Synced] = []

    def other() -> bool:
        if not began.is_set():
            began.set()
            done.append(place.sync())  # somebody else, while ours is under way
        return False

    mine = sync(place.core, place.source, Manner(), place.root / "mine", stopped=other)

    assert not began.is_set() or (mine is None and done[0].done)
    assert (place.flows()["shop.a"], place.state().version) == (2, before + 1)


class Broken(Wrapped):
    """A store that goes away with the first transaction that brings files."""

    def write(self, work: Callable[[Tx], Any]) -> Any:
        """Break in the middle."""

        def broken(tx: Tx) -> Any:
            work(tx)
            raise StoreGone("The database has gone.")

        return self._store.write(broken)


def test_what_dies_in_the_commit_leaves_nothing_behind(place: Place) -> None:
    place.sync()
    files = place.core.blobs
    assert isinstance(files, Stored)
    kept = len(list(files.below("namespaces/")))
    place.push({"code/b": "x", "flows/b.yml": flow("b")})

    with pytest.raises(StoreGone):
        sync(place.core.through(Broken(place.core.store)), place.source, Manner(), place.root)

    assert (place.flows(), place.files()) == ({"shop.a": 1}, ["sql/a.sql"])
    assert len(list(files.below("namespaces/"))) == kept
    assert place.sync().done


def test_the_server_that_leads_looks_when_it_is_time_or_somebody_wants_it(place: Place, office: Office) -> None:
    led = threading.Event()
    pulling = Pulling(place.core, led, [place.source], Manner(), place.root)
    pulling.turn()
    assert place.state().looked_at == 0
    led.set()
    pulling.turn()
    first = place.push({"flows/b.yml": flow("b")})
    pulling.turn()
    assert place.state().looked_commit != first

    office.clock.advance(place.source.every)
    pulling.turn()
    assert place.state().applied_commit == first
    second = place.push({"flows/c.yml": flow("c")})
    office.clock.advance(1)
    want(place.core, place.source)
    pulling.turn()
    assert place.state().applied_commit == second


def test_a_branch_that_breaks_stops_no_other(place: Place) -> None:
    led = threading.Event()
    led.set()
    broken = replace(place.source, name="broken", url="file:///nowhere")
    came = threading.Event()
    place.core.notices.subscribe(lambda each: came.set() if each.name == "git.synced" else None)
    pulling = Pulling(place.core, led, [broken, place.source], Manner(), place.root)
    pulling.start()
    try:
        assert came.wait(30.0)
        assert place.flows() == {"shop.a": 1}
    finally:
        pulling.close()
        pulling.close()
