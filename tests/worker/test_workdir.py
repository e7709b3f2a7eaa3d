"""Do files come into and out of a working directory, and nothing from or to beside it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors.work import BadFileName, FileMissing
from penstock.sdk.launch import FileChoice
from penstock.services.project_folder import ProjectFolder
from penstock.services.stored import Stored
from penstock.services.worker import workdir
from penstock.store.blobs.local import open_folder


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    return Stored(open_folder(tmp_path / "blobs"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return workdir.Folders(tmp_path / "work", "one").new()


def test_input_files_are_text_or_stored_files(folder: Path, stored: Stored) -> None:
    uri = stored.put("some/data.csv", b"a,b\n")

    workdir.lay_in(folder, {"in/data.csv": uri, "note.txt": "hello"}, stored)

    assert (folder / "in/data.csv").read_text() == "a,b\n"
    assert (folder / "note.txt").read_text() == "hello"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", ".."])
def test_a_name_outside_the_folder_is_refused(folder: Path, stored: Stored, name: str) -> None:
    with pytest.raises(BadFileName):
        workdir.lay_in(folder, {name: "text"}, stored)


def test_a_link_does_not_lead_out_of_the_folder(folder: Path, stored: Stored, tmp_path: Path) -> None:
    (folder / "out").symlink_to(tmp_path)
    (tmp_path / "secret.csv").write_text("s")
    (folder / "stolen.csv").symlink_to(tmp_path / "secret.csv")

    with pytest.raises(BadFileName):
        workdir.lay_in(folder, {"out/x": "text"}, stored)

    assert workdir.collect(folder, ["*.csv"], stored, "k") == {}


def test_output_files_are_found_by_globs_and_stored_by_name(folder: Path, stored: Stored) -> None:
    (folder / "out/deep").mkdir(parents=True)
    (folder / "out/a.csv").write_text("a")
    (folder / "out/deep/b.csv").write_text("b")

    found = workdir.collect(folder, ["out/**/*.csv"], stored, "runs/r/s/1")

    assert set(found) == {"out/a.csv", "out/deep/b.csv"}
    assert stored.get(found["out/deep/b.csv"]) == b"b"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("out/**", {"out/a.csv", "out/deep/b.csv", "out/deep/c.json"}),
        ("**.csv", {"out/a.csv", "out/deep/b.csv"}),
        ("out/*", {"out/a.csv"}),
        ("**/*.{csv,json}", {"out/a.csv", "out/deep/b.csv", "out/deep/c.json"}),
        ("glob:out/?.csv", {"out/a.csv"}),
        ("out/deep/[!b]*", {"out/deep/c.json"}),
        ("./out/deep/b.csv", {"out/deep/b.csv"}),
        ("out/[", set()),
    ],
)
def test_a_glob_means_what_it_means_in_java(folder: Path, stored: Stored, pattern: str, names: set[str]) -> None:
    (folder / "out/deep").mkdir(parents=True)
    for name in ("out/a.csv", "out/deep/b.csv", "out/deep/c.json"):
        (folder / name).write_text(name)

    assert set(workdir.collect(folder, [pattern], stored, "k")) == names


def test_an_output_file_named_plainly_must_be_there(folder: Path, stored: Stored) -> None:
    with pytest.raises(FileMissing, match="report\\.html"):
        workdir.collect(folder, ["report.html"], stored, "k")

    assert workdir.collect(folder, ["*.html"], stored, "k") == {}


def test_the_projects_files_come_by_choice_and_never_its_store(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    for name in ("a.sql", "sql/b.sql", "sql/old/c.sql", ".penstock/penstock.db", "x.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    project = ProjectFolder(root)

    workdir.lay_in_project(folder, project, FileChoice(("**.sql",), ("sql/old/*",)))
    everything = workdir.Folders(tmp_path / "work", "two").new()
    workdir.lay_in_project(everything, project, FileChoice())

    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")} == {"a.sql", "sql/b.sql"}
    assert not (everything / ".penstock").exists()
    assert (everything / "x.txt").exists()


def test_a_folder_is_given_out_again_only_when_it_is_empty(tmp_path: Path) -> None:
    folders = workdir.Folders(tmp_path / "work", "one")
    clean, used = folders.new(), folders.new()
    (used / "left").write_text("x")

    assert folders.back(clean)
    assert not folders.back(used)
    assert folders.new() == clean
    assert folders.new() not in (clean, used)


def test_a_folder_whose_rights_were_taken_away_is_removed_all_the_same(folder: Path) -> None:
    (folder / "locked").mkdir()
    (folder / "locked/file").write_text("x")
    (folder / "locked").chmod(0o000)

    workdir.remove(folder)

    assert not folder.exists()


def test_folders_of_dead_workers_are_removed(tmp_path: Path) -> None:
    dead = workdir.Folders(tmp_path / "work", "dead").new()
    alive = workdir.Folders(tmp_path / "work", "alive").new()

    workdir.sweep(tmp_path / "work", lambda name: name == "alive")

    assert not dead.exists()
    assert alive.exists()
