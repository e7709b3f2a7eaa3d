"""Can a store be moved, taken back, and restored from the command line, and do its runs go on there?"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.conftest import Penstock
from tests.servers import database, postgres, server_folder

__all__ = ["database", "postgres", "server_folder"]


def test_runs_go_on_in_the_database_that_the_store_has_moved_to(penstock: Penstock, database: str) -> None:
    penstock("run", "hello.yml", "-q")
    penstock("run", "hello.yml", "-q", "--no-wait")

    moved = penstock("db", "move", "--to", database)
    refused = penstock("runs", "list")
    worked = penstock("worker", "--until-idle", "--store", database)
    there: Any = penstock("runs", "list", "--json", "--store", database).json()
    verified = penstock("runs", "verify", "--all", "--store", database)
    again = penstock("db", "move", "--undo")
    here: Any = penstock("runs", "list", "--json").json()

    assert moved.code == 0 and "moved, and compared" in moved.out and "PENSTOCK_STORE" in moved.err
    assert "workers on other machines need them" in moved.err
    assert refused.code != 0 and "PS-412" in refused.err and "has moved to" in refused.err
    assert worked.code == 0 and verified.code == 0
    assert [run["status"] for run in there] == ["success", "success"]
    assert again.code == 0 and [run["status"] for run in here] == ["running", "success"]


def test_a_backup_takes_the_place_of_what_is_there_and_that_is_kept(penstock: Penstock, folder: Path) -> None:
    penstock("run", "hello.yml", "-q")
    penstock("db", "backup", "monday.db")
    penstock("run", "hello.yml", "-q")

    done: Any = penstock("db", "restore", "monday.db", "--json").json()
    after: Any = penstock("runs", "list", "--json").json()
    said = penstock("runs", "logs", "last")
    back = penstock("db", "restore", done["before"])
    before: Any = penstock("runs", "list", "--json").json()

    assert done["rows"]["runs"] == 1 and (folder / "monday.db").exists()
    assert (len(after), len(before)) == (1, 2)
    assert "Hello, world!" in said.out
    assert back.code == 0
    assert not (folder / ".penstock" / "restoring").exists()


def test_an_export_is_restored_into_an_empty_store_alone(penstock: Penstock, folder: Path, database: str) -> None:
    penstock("run", "hello.yml", "-q")
    penstock("run", "hello.yml", "-q", "--no-wait")
    penstock("db", "export", "--logs", "all.jsonl")

    full = penstock("db", "restore", "all.jsonl")
    file = penstock("db", "restore", "all.jsonl", "--store", "other/new.db")
    server: Any = penstock("db", "restore", "all.jsonl", "--store", database, "--json").json()
    penstock("db", "export", "--logs", "again.jsonl", "--store", database)

    assert full.code != 0 and "PS-414" in full.err
    assert file.code == 0 and "had not ended: 1 runs" in file.err
    assert len(server["left_out"]) == 1
    assert told(folder / "again.jsonl", but=server["left_out"]) == told(folder / "all.jsonl", but=server["left_out"])
    assert penstock("runs", "verify", "--all", "--store", "other/new.db").code == 0


def test_what_is_damaged_or_no_backup_at_all_changes_nothing(penstock: Penstock, folder: Path) -> None:
    penstock("run", "hello.yml", "-q")
    penstock("db", "backup", "good.db")
    body = bytearray((folder / "good.db").read_bytes())
    body[20_000:24_000] = bytes(4_000)
    (folder / "bad.db").write_bytes(body)
    (folder / "text.jsonl").write_text('{"what": "run"}\n')

    codes = [penstock("db", "restore", name).err for name in ("bad.db", "text.jsonl", "none.db")]

    assert "PS-409" in codes[0] and "PS-409" in codes[1] and "PS-602" in codes[2]
    assert len(penstock("runs", "list", "--json").json()) == 1


def test_a_restore_that_died_is_called_again(penstock: Penstock, folder: Path) -> None:
    penstock("run", "hello.yml", "-q")
    penstock("db", "backup", "monday.db")
    with closing(sqlite3.connect(folder / ".penstock" / "penstock.db")) as session:
        add = "INSERT INTO schema_migrations VALUES (1000000, 'restoring', 'kept.db monday.db', 1, NULL)"
        session.executescript(f"{add}; PRAGMA user_version = 1000000; DELETE FROM runs")

    shut = penstock("runs", "list")
    done: Any = penstock("db", "restore", "monday.db", "--json").json()

    assert "PS-412" in shut.err and "Call the same `penstock db restore` again" in shut.err
    assert done["before"] == "kept.db"
    assert len(penstock("runs", "list", "--json").json()) == 1


def told(file: Path, but: list[str]) -> list[str]:
    """The lines of an export without the numbers of its events, some runs left out."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if line["what"] == "event":
            del line["value"]["id"]
    return sorted(json.dumps(line, sort_keys=True) for line in lines if line["run"] not in but)
