"""Can files of a namespace be kept, read and moved from the command line?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Penstock


def test_files_are_kept_listed_read_moved_and_deleted(
    penstock: Penstock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sql" / "deep").mkdir(parents=True)
    for name in ("sql/a.sql", "sql/deep/b.sql"):
        (tmp_path / name).write_text(name)
    project = Path.cwd()
    monkeypatch.chdir(tmp_path)
    there = ("--store", str(project / "penstock.db"))

    done = [
        penstock("files", "put", "shop", "sql", *there),
        penstock("files", "put", "shop", "sql/a.sql", "top.sql", *there, "--json"),
        penstock("files", "list", "shop", *there),
        penstock("files", "move", "shop", "sql", "queries", *there),
        penstock("files", "history", "shop", "sql/a.sql", *there),
        penstock("files", "export", "shop", "all.zip", *there),
        penstock("files", "delete", "shop", "queries", *there),
        penstock("files", "import", "shop", "all.zip", "--into", "back", *there),
        penstock("files", "list", "shop", "back/", "--json", *there),
    ]
    gone = penstock("files", "get", "shop", "sql/a.sql", *there)

    assert [each.code for each in done] == [0] * len(done), [each.err for each in done]
    assert "sql/deep/b.sql" in done[2].out
    assert "gone" in done[4].out
    assert [each["path"] for each in done[8].json()] == [
        "back/queries/a.sql",
        "back/queries/deep/b.sql",
        "back/top.sql",
    ]
    assert (gone.code, "PS-322" in gone.err) == (2, True)
