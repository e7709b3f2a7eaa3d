"""Are a project's files found where they count, and is the project behind a test never touched?"""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors.work import BadFileName
from penstock.services.project_folder import ProjectFolder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two files, and what is none of it."""
    for name in ("a.sql", "sql/b.sql", ".penstock/penstock.db", ".git/config"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(f"behind {name}")
    return tmp_path / "project"


@pytest.fixture
def before(project: Path, tmp_path: Path) -> ProjectFolder:
    (tmp_path / "before").mkdir()
    return ProjectFolder(tmp_path / "before", behind=project)


def put(folder: ProjectFolder, name: str, text: str) -> None:
    (folder.root / name).parent.mkdir(parents=True, exist_ok=True)
    (folder.root / name).write_text(text)


def read(folder: ProjectFolder, name: str) -> str | None:
    found = folder.find(name)
    return None if found is None else found.read_text()


def test_what_is_written_counts_and_what_lies_behind_stays(before: ProjectFolder, project: Path) -> None:
    put(before, "a.sql", "new")
    put(before, "more/c.sql", "new, too")

    assert read(before, "a.sql") == "new"
    assert read(before, "sql/b.sql") == "behind sql/b.sql"
    assert sorted(before.names()) == ["a.sql", "more/c.sql", "sql/b.sql"]
    assert read(ProjectFolder(project), "a.sql") == "behind a.sql"
    assert sorted(ProjectFolder(project).names()) == ["a.sql", "sql/b.sql"]


def test_what_was_deleted_is_found_no_more_until_it_is_written_again(before: ProjectFolder, project: Path) -> None:
    assert before.delete("./a.sql")

    assert read(before, "a.sql") is None
    assert list(before.names()) == ["sql/b.sql"]
    assert not before.delete("a.sql")
    assert (project / "a.sql").exists()

    put(before, "a.sql", "again")
    assert read(before, "a.sql") == "again"
    assert before.delete("a.sql")
    assert read(before, "a.sql") is None


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/hostname", "", "link"])
def test_no_name_leads_out(before: ProjectFolder, project: Path, name: str) -> None:
    (project / "link").symlink_to("/etc/hostname")

    with pytest.raises(BadFileName):
        before.find(name)


def test_a_file_of_secrets_is_found_by_no_name(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("KEY=text")
    (tmp_path / "other.sql").write_text("select 1")
    (tmp_path / "link.env").symlink_to(tmp_path / "secrets.env")
    own = ProjectFolder(tmp_path, closed=(tmp_path / "secrets.env",))

    assert list(own.names()) == ["other.sql"]
    assert [own.find(name) for name in ("secrets.env", "./secrets.env", "link.env")] == [None, None, None]
