"""Are files of a namespace kept with their revisions, seen by flows, and never to be found where they are not?"""

from __future__ import annotations

import dataclasses
import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from penstock.errors.api import Changed, MayNot
from penstock.errors.run import UnknownFile
from penstock.errors.store import CommitUnknown, StoreGone
from penstock.errors.work import BadFileName
from penstock.model.access import EVERYWHERE, SYSTEM, Actor, Grant
from penstock.services import audit, namespace_archives
from penstock.services import namespace_files as verbs
from penstock.services.core import Core
from penstock.services.project_folder import ProjectFolder
from penstock.services.retention import Keep, prune
from penstock.services.seen_files import SeenFiles, named
from penstock.services.stored import Stored
from penstock.store.audit import Filter
from penstock.store.blobs.local import open_folder
from penstock.store.namespace_files import Kind
from penstock.store.port import Tx
from penstock.store.wrapped import Wrapped
from tests.services.office import Office

T = TypeVar("T")
ANN = Actor(name="ann", grants=(Grant("editor", "shop"),))


@pytest.fixture
def core(office: Office, tmp_path: Path) -> Core:
    """A store with files, asked by an editor of one namespace."""
    files = Stored(open_folder(tmp_path / "blobs"))
    return dataclasses.replace(office.core, blobs=files, state_dir=tmp_path).asked_by(ANN)


def put(core: Core, path: str, text: str, on: int | None = None, namespace: str = "shop") -> int:
    return verbs.put(core, namespace, path, io.BytesIO(text.encode()), on).revision


def read(core: Core, path: str, revision: int | None = None) -> str:
    return core.blobs.get(verbs.find(core, "shop", path, revision).uri).decode()


def paths(core: Core, prefix: str = "") -> list[str]:
    return [each.path for each in verbs.every(core, "shop", prefix)]


def blobs(core: Core) -> int:
    files = core.blobs
    assert isinstance(files, Stored)
    return len(list(files.below("namespaces/")))


def test_a_file_has_revisions_and_the_same_bytes_make_no_new_one(core: Core) -> None:
    assert [put(core, "/sql/a.sql", text) for text in ("one", "two", "two")] == [1, 2, 2]

    assert read(core, "sql/a.sql") == "two"
    assert read(core, "sql/a.sql", 1) == "one"
    assert [each.revision for each in verbs.history(core, "shop", "sql/a.sql", 10)] == [2, 1]
    with pytest.raises(UnknownFile, match="revision 3"):
        read(core, "sql/a.sql", 3)
    with pytest.raises(UnknownFile):
        read(core, "SQL/A.sql")


def test_what_somebody_else_has_changed_is_not_written_over(core: Core) -> None:
    put(core, "a", "one", 0)

    with pytest.raises(Changed, match="revision is 1"):
        put(core, "a", "two", 0)
    with pytest.raises(Changed):
        put(core, "a", "two", 2)
    assert put(core, "a", "two", 1) == 2
    assert blobs(core) == 2


def test_a_deleted_file_is_gone_and_its_history_is_not(core: Core) -> None:
    put(core, "sql/a.sql", "one")
    put(core, "sql/b.sql", "two")
    put(core, "sqlite", "three")

    assert verbs.delete(core, "shop", "sql") == 2
    assert paths(core) == ["sqlite"]
    assert read(core, "sql/a.sql", 1) == "one"
    assert put(core, "sql/a.sql", "one") == 3
    with pytest.raises(UnknownFile):
        verbs.delete(core, "shop", "sql/b.sql")


def test_a_folder_moves_with_all_that_is_in_it(core: Core) -> None:
    put(core, "a/one", "1")
    put(core, "a/b/two", "2")
    verbs.make_folder(core, "shop", "a/empty")

    moved = verbs.move(core, "shop", "a", "/c/d")

    assert paths(core) == ["c/d/b/two", "c/d/empty/", "c/d/one"]
    assert [each.target.path for each in moved] == ["c/d/b/two", "c/d/empty/", "c/d/one"]
    assert read(core, "c/d/one") == read(core, "a/one", 1) == "1"
    put(core, "a/one", "new")
    for source, target in (("c", "c/d/e"), ("c/d/one", "a/one"), ("c/d/one", "c/d/one")):
        with pytest.raises(BadFileName):
            verbs.move(core, "shop", source, target)
    with pytest.raises(UnknownFile):
        verbs.move(core, "shop", "none", "x")


@pytest.mark.parametrize(
    "path",
    ["", "/", "../x", "a/../b", "a//b", "./a", ".git/config", ".penstock/x", "a\\b", "a\nb", "x" * 201, "\ud800"],
)
def test_no_path_leads_elsewhere(core: Core, path: str) -> None:
    with pytest.raises(BadFileName):
        put(core, path, "x")
    assert blobs(core) == 0


def test_a_file_is_no_folder(core: Core) -> None:
    put(core, "a/b", "x")

    for path in ("a", "a/b/c"):
        with pytest.raises(BadFileName):
            put(core, path, "x")
    with pytest.raises(BadFileName):
        verbs.make_folder(core, "shop", "a/b")
    assert blobs(core) == 1


def test_old_revisions_go_with_their_bytes(core: Core) -> None:
    for number in range(verbs.KEPT + 5):
        put(core, "a", str(number))

    assert blobs(core) == verbs.KEPT
    with pytest.raises(UnknownFile):
        read(core, "a", 5)
    assert read(core, "a", 6) == "5"

    verbs.delete(core, "shop", "a")
    assert verbs.forget(core, core.clock.now() + 1) == 1
    assert (blobs(core), verbs.history(core, "shop", "a", 10)) == (0, [])


def test_bytes_of_a_change_that_never_came_are_removed_after_a_day(core: Core, office: Office) -> None:
    files = core.blobs
    assert isinstance(files, Stored)
    put(core, "a", "x")
    stray = files.put(f"{verbs.PREFIX}shop/stray", b"y")
    day = 86_400_000_000

    def pruned_in(days: float) -> int:
        office.clock.set_wall(round(time.time() * 1e6 + days * day) - office.clock.steady())
        return prune(dataclasses.replace(core, actor=SYSTEM), files, Keep()).files

    assert (pruned_in(0.5), blobs(core)) == (0, 2)
    assert (pruned_in(1.5), blobs(core)) == (1, 1)
    assert not files.delete(stray)
    assert read(core, "a") == "x"


def test_who_has_no_right_keeps_nothing_and_each_act_is_told(core: Core) -> None:
    with pytest.raises(MayNot):
        put(core, "a", "x", namespace="other")
    assert blobs(core) == 0

    put(core, "a", "x")
    verbs.move(core, "shop", "a", "b")
    verbs.delete(core, "shop", "b")
    audit.seal(core)

    told = audit.page(core, EVERYWHERE, Filter())
    assert [each.verb for each in told] == ["files.delete", "files.move", "files.put"]


def test_all_files_go_out_and_come_in_as_one(core: Core) -> None:
    put(core, "sql/a.sql", "one")
    put(core, "b", "two")
    verbs.make_folder(core, "shop", "empty")

    with namespace_archives.pack(core, "shop") as packed:
        kept = namespace_archives.unpack(core, "shop", packed, "copy")

    assert [each.path for each in kept] == ["copy/b", "copy/sql/a.sql"]
    assert read(core, "copy/sql/a.sql") == "one"


@pytest.mark.parametrize("name", ["../x", "/../x", "a/.git/../../x", ".git/x"])
def test_a_zip_is_looked_at_before_anything_of_it_is_kept(core: Core, name: str) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("good", "x")
        archive.writestr(name, "x")

    with pytest.raises(BadFileName):
        namespace_archives.unpack(core, "shop", made)
    with pytest.raises(BadFileName):
        namespace_archives.unpack(core, "shop", io.BytesIO(b"PK no zip"))
    assert paths(core) == []


def test_flows_see_what_is_kept_before_what_lies_in_the_project(core: Core, tmp_path: Path) -> None:
    for name in ("both", "behind", ".penstock/x"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text("project's")
    core = dataclasses.replace(core, project=ProjectFolder(tmp_path / "project"))
    put(core, "both", "kept")
    put(core, "deep/one", "kept")
    shop, other = SeenFiles(core, ("shop",)), SeenFiles(core, ("other",))

    assert sorted(shop.names()) == ["behind", "both", "deep/one"]
    assert sorted(other.names()) == ["behind", "both"]
    assert (shop.read("both"), other.read("both"), shop.read("behind")) == (b"kept", b"project's", b"project's")
    assert (shop.size("both"), shop.size("none"), other.size("both")) == (4, None, 9)
    assert shop.fetch("deep/one", tmp_path / "copy")
    assert not other.fetch("deep/one", tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "kept"


def test_who_takes_many_files_asks_the_store_once(core: Core, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for number in range(30):
        (project / f"p{number}").write_text("x")
        put(core, f"k{number}", str(number))
    asked = Counted(core.store)
    shop = SeenFiles(dataclasses.replace(core, store=asked, project=ProjectFolder(project)), ("shop",))

    names = list(shop.names())
    before = asked.count
    assert all(shop.fetch(name, tmp_path / "copy") for name in names)

    assert (len(names), asked.count) == (60, before)


class Counted(Wrapped):
    """A store that counts what it is asked at a glance."""

    count = 0

    def glance(self, work: Callable[[Tx], T]) -> T:
        """Count, and ask."""
        self.count += 1
        return self._store.glance(work)


def test_an_address_names_a_path_and_maybe_a_namespace() -> None:
    assert named("a.sql") == named("nsfile:///a.sql") == named("/a.sql")
    assert (named("nsfile://shop.deep/sql/a").namespace, named("nsfile://shop.deep/sql/a").path) == (
        "shop.deep",
        "sql/a",
    )
    assert named("kestra:///shop/deep/_files/sql/a") == named("nsfile://shop.deep/sql/a")
    for address in ("nsfile:///../x", "..", ""):
        with pytest.raises(BadFileName):
            named(address)


def test_a_folder_that_was_made_is_told_as_one(core: Core) -> None:
    made = verbs.make_folder(core, "shop", "empty")

    assert (made.path, made.kind) == ("empty/", Kind.FOLDER)
    assert verbs.make_folder(core, "shop", "/empty/") == made
    with pytest.raises(UnknownFile):
        verbs.find(core, "shop", "empty")
    put(core, "empty/a", "x")
    assert verbs.delete(core, "shop", "empty") == 1
    assert paths(core) == []


class Unheard(Wrapped):
    """A store whose first COMMIT takes effect without an answer, and which is gone when it is asked for again."""

    asked = 0

    def write(self, work: Callable[[Tx], T]) -> T:
        self.asked += 1
        if self.asked > 1:
            raise StoreGone("The database is gone.")
        self._store.write(work)
        raise CommitUnknown("The answer to COMMIT was lost.")


def test_bytes_stay_where_nobody_knows_whether_their_commit_took_effect(core: Core) -> None:
    with pytest.raises(StoreGone):
        put(core.through(Unheard(core.store)), "a.sql", "one")

    assert read(core, "a.sql") == "one"
