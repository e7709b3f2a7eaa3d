"""Do commands do with a server what they do with a store, and tell it in the same words?"""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.client import Client
from tests.acceptance.observe import eventually
from tests.api.house import HELLO, WAITS
from tests.client.conftest import Installation, Penstock

FAILS = "id: fails\nnamespace: shop\ntasks:\n  - {id: first, type: log, message: a}\n  - {id: wrong, type: fail}\n"
BAD = "id: bad\nnamespace: shop\ntasks:\n  - id: say\n    type: lgo\n"
TIMED = HELLO.replace("id: hello", "id: timed") + "triggers:\n  - {id: nightly, type: Schedule, cron: '0 3 * * *'}\n"
OUTPUTS = "outputs:\n  - {id: said, type: STRING, value: '{{ outputs.give.value }}'}\n"


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    """A project with flows."""
    folder = tmp_path / "flows"
    folder.mkdir()
    (tmp_path / "penstock.yaml").write_text("namespace: shop\n")
    for name, text in (("hello", HELLO + OUTPUTS), ("waits", WAITS), ("fails", FAILS), ("timed", TIMED)):
        (folder / f"{name}.yml").write_text(text)
    return folder


def test_flows_are_planned_pushed_listed_shown_and_deleted(penstock: Penstock, flows: Path) -> None:
    planned = penstock("flows", "plan")
    pushed = penstock("flows", "push", "--json")
    (flows / "timed.yml").write_text(TIMED.replace("0 3", "0 4"))
    later = penstock("flows", "plan")

    assert (planned.code, pushed.code) == (0, 0), planned.err + pushed.err
    assert "+ shop.hello  new, revision 1" in planned.out
    assert "+ shop.timed/nightly  new: " in planned.out
    assert [each["changed"] for each in pushed.json()] == [True] * 4
    assert "~ shop.timed  revision 1 → 2" in later.out
    assert "T04:00:00.000Z" in later.out and "before: " in later.out
    assert [each["flow"] for each in penstock("flows", "list", "--json").json()] == ["fails", "hello", "timed", "waits"]
    shown = penstock("flows", "show", "timed")
    assert "shop.timed  revision 1 of " in shown.out and "who: STRING = you" in shown.out
    assert penstock("flows", "show", "shop.timed", "--source").out == TIMED
    assert penstock("flows", "delete", "timed").code == 0
    gone = penstock("flows", "show", "timed")
    assert (gone.code, "PS-30" in gone.err) == (2, True)


def test_a_push_is_all_or_nothing_and_its_problems_have_file_and_line(penstock: Penstock, flows: Path) -> None:
    (flows / "bad.yml").write_text(BAD)
    (flows / "new.yml").write_text(HELLO.replace("id: hello", "id: brandnew"))

    done = penstock("flows", "push")

    assert done.code == 3
    assert "flows/bad.yml:5:11: error PS-2" in done.err
    assert "brandnew" not in penstock("flows", "list").out


def test_what_is_gone_is_removed_only_by_prune(penstock: Penstock, flows: Path) -> None:
    penstock("flows", "push")
    (flows / "timed.yml").unlink()

    left = penstock("flows", "push")
    dry = penstock("flows", "push", "--prune", "--dry-run")
    pruned = penstock("flows", "push", "--prune")

    assert "shop.timed stands in no file here: --prune removes it." in left.err
    assert "- shop.timed  removed" in dry.out
    assert "shop.timed  removed" in pruned.out


def test_pull_writes_files_and_never_over_others(penstock: Penstock, flows: Path, tmp_path: Path) -> None:
    penstock("flows", "push")
    (flows / "hello.yml").write_text(HELLO.replace("hello {{", "mine {{"))

    refused = penstock("flows", "pull")
    kept = (flows / "hello.yml").read_text()
    forced = penstock("flows", "pull", "--force")
    elsewhere = penstock("flows", "pull", str(tmp_path / "there"), "--json")

    assert (refused.code, forced.code) == (2, 0)
    assert "flows/hello.yml" in refused.err
    assert "mine {{" in kept
    assert (flows / "hello.yml").read_text() == HELLO + OUTPUTS
    assert "there/shop/hello.yml" in elsewhere.json()
    assert (tmp_path / "there" / "shop" / "waits.yml").read_text() == WAITS


def test_a_flow_is_run_there_and_followed_here(penstock: Penstock, flows: Path) -> None:
    penstock("flows", "push")

    by_name = penstock("run", "hello", "-i", "who=ann", "--label", "team=core")
    by_file = penstock("run", "flows/hello.yml", "-i", "who=bob", "--json")
    failed = penstock("run", "fails")
    last = penstock("runs", "list", "--flow", "hello", "--limit", "1", "--json").json()

    assert (by_name.code, by_name.out) == (0, "said=ann\n"), by_name.err
    assert "say  │ hello ann" in by_name.err and "success after" in by_name.err
    assert by_file.json()["outputs"] == {"said": "bob"}
    assert failed.code == 1 and "failed" in failed.err
    assert (last[0]["id"], last[0]["inputs"]) == (by_file.json()["id"], {"who": "bob"})


def test_runs_are_told_as_those_of_a_store_are(installation: Installation, penstock: Penstock, flows: Path) -> None:
    penstock("flows", "push")
    penstock("run", "hello", "-q")
    here = ("--store", str(installation.folder / "penstock.db"))
    # a worker keeps what was printed a moment after it has told the end
    eventually(lambda: penstock("runs", "logs", "last", *here).out, "the log of the run")

    for asked in (("runs", "show", "last", "--json"), ("runs", "show", "last"), ("runs", "logs", "last", "--raw"),
                  ("runs", "list", "--flow", "hello"), ("runs", "list", "--limit", "2", "--json"),
                  ("runs", "why", "last"), ("runs", "explain", "last"), ("flows", "list"), ("flows", "show", "hello"),
                  ("maintenance", "show"), ("pools", "list"), ("users", "list"), ("roles", "list", "--json"),
                  ("backfills", "list"), ("audit", "list"), ("tokens", "list"), ("lineage",),
                  ("lineage", "last", "--json")):  # fmt: skip
        there = penstock(*asked)
        assert there.code == 0, there.err
        assert there == penstock(*asked, *here), asked


def test_runs_are_meddled_with_killed_and_done_again(penstock: Penstock, flows: Path, client: Client) -> None:
    penstock("flows", "push")
    waiting = penstock("run", "waits", "--no-wait").out.strip()
    while client.runs.get(waiting).status != "paused":
        pass

    resumed = penstock("runs", "resume", waiting[-8:], "ask")
    assert (resumed.code, waiting in resumed.out) == (0, True), resumed.err
    assert penstock("run", waiting, "-q").code == 0

    many = [penstock("run", "waits", "--no-wait").out.strip() for _ in range(2)]
    killed = penstock("runs", "kill", "--flow", "waits", "-y")
    assert sorted(killed.out.split()[::2]) == sorted(many)
    assert set(killed.out.split()[1::2]) == {"killed"}

    failed = penstock("run", "fails", "--json").json()["id"]
    assert penstock("runs", "restart", failed).code == 1
    assert penstock("runs", "skip", failed, "wrong").code == 0
    assert penstock("run", failed, "-q").code == 0
    assert penstock("runs", "mark", failed, "-", "failed").out.split() == [failed, "failed"]
    again = penstock("runs", "replay", failed, "--from", "wrong", "--no-wait", "-q").out.strip()
    assert client.runs.get(again).origin == failed


def test_a_store_that_is_named_is_asked_though_a_server_is_known(penstock: Penstock, flows: Path) -> None:
    local = penstock("run", "hello", "--store", "own.db", "-i", "who=me")

    assert (local.code, local.out) == (0, "said=me\n"), local.err
    assert Path("own.db").exists()
    both = penstock("runs", "list", "--store", "own.db", "--server", "http://x")
    assert (both.code, "name one" in both.err) == (2, True)


def test_nobody_there_and_strangers_are_told_what_helps(
    installation: Installation, penstock: Penstock, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = penstock("runs", "list", "--server", "http://127.0.0.1:9")
    monkeypatch.delenv("PENSTOCK_TOKEN")
    stranger = penstock("runs", "list")

    assert (nobody.code, "PS-841" in nobody.err) == (4, True)
    assert (stranger.code, f"penstock client login {installation.server.url}" in stranger.err) == (2, True)

    monkeypatch.setenv("PENSTOCK_STORE", str(installation.folder / "penstock.db"))
    assert penstock("runs", "list").code == 0, "the key of this machine lets its owner in"
