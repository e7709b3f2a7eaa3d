"""Can runs be started, followed, read, meddled with and done again by the client?"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from penstock.client import Client, Wanted, Which
from penstock.client.shapes.parts import LogRow
from penstock.client.shapes.runs import RunRow
from penstock.errors.client import NotInTime
from penstock.errors.run import InvalidInput, UnknownRun
from penstock.model.status import RunStatus, StepStatus
from tests.api.house import HELLO, WAITS

FILE = """
id: takes
namespace: shop
inputs:
  - {id: note, type: FILE}
tasks:
  - id: say
    type: log
    message: "{{ read(inputs.note) }}"
"""
FAILS = """
id: fails
namespace: shop
tasks:
  - {id: first, type: log, message: first}
  - {id: wrong, type: fail}
"""


@pytest.fixture(autouse=True)
def flows(client: Client) -> None:
    """The flows that runs are of."""
    client.flows.push({"a.yml": HELLO, "b.yml": WAITS, "c.yml": FILE, "d.yml": FAILS})


def test_a_run_is_started_once_by_its_key_followed_and_read(client: Client) -> None:
    wanted = Wanted(labels={"team": "core"}, priority=3, logical_date="2016-01-02T00:00:00Z")
    started = client.runs.start("shop", "hello", {"who": "ann"}, wanted=wanted, key="once")
    again = client.runs.start("shop", "hello", {"who": "ann"}, wanted=wanted, key="once")
    told = list(client.runs.follow(started.id))
    ended = client.runs.wait(started.id, timeout=20)

    assert (started.id, started.labels["team"], started.priority) == (again.id, "core", 3)
    assert "hello ann" in [each.text for each in told if isinstance(each, LogRow)]
    assert [each.status for each in told if isinstance(each, RunRow)][-1] == "success"
    assert (ended.status, ended.inputs) == ("success", {"who": "ann"})
    assert [step.key for step in client.runs.document(ended.id).steps] == ["say", "give"]
    assert [step.status for step in client.runs.steps(ended.id, status=[StepStatus.SUCCESS])] == ["success"] * 2
    assert [each.status for each in client.runs.attempts(ended.id, "say")] == ["success"]
    assert client.runs.outputs(ended.id, "give")[0].values["value"] == "ann"
    assert [each.text for each in client.runs.logs(ended.id, text="HELLO")] == ["hello ann"]
    assert b"hello ann" in b"".join(client.runs.log_text(ended.id))
    assert client.runs.why(ended.id) == ()
    assert client.runs.explain(ended.id).chapters
    assert [each.name for each in client.runs.metrics(ended.id)] == ["length"]


def test_lists_come_page_by_page_and_are_counted(client: Client) -> None:
    made = [client.runs.wait(client.runs.start("shop", "hello", {"who": str(each)}).id).id for each in range(5)]

    newest = [each.id for each in client.runs.list(Which(flow="hello", status=[RunStatus.SUCCESS]), limit=2)]
    oldest = [each.id for each in client.runs.list(Which(namespace="shop"), oldest_first=True)]

    assert newest[:5] == made[::-1]
    assert oldest[-5:] == made
    assert client.runs.count(Which(flow="hello")).total == len(newest)
    assert [each.id for each in client.runs.search("hello").flows] == ["hello"]


def test_files_go_in_and_come_out(client: Client, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("good morning")
    kept = client.upload(note)
    assert (kept.size, client.upload(io.BytesIO(b"good morning"), "note.txt").uri) == (12, kept.uri)

    run = client.runs.wait(client.runs.start("shop", "takes", {"note": kept.uri}).id)

    # logs are kept a moment after their task has ended; who follows hears them
    assert [each.text for each in client.runs.follow(run.id) if isinstance(each, LogRow)] == ["good morning"]
    assert client.runs.download(run.id, kept.uri, tmp_path / "back.txt") == 12
    assert (tmp_path / "back.txt").read_text() == "good morning"
    assert client.runs.preview(run.id, kept.uri).text == "good morning"
    assert list(client.runs.files(run.id)) == []


def test_a_pause_is_waited_for_and_goes_on(client: Client) -> None:
    run = client.runs.start("shop", "waits").id
    assert _until(client, run, "paused") == "paused"
    with pytest.raises(NotInTime):
        client.runs.wait(run, timeout=0.1)

    client.runs.resume(run, "ask")

    assert client.runs.wait(run).status == "success"


def test_runs_are_ended_marked_skipped_and_done_again(client: Client) -> None:
    paused = client.runs.start("shop", "waits").id
    _until(client, paused, "paused")
    assert client.runs.pause(paused).status == "paused"
    client.runs.kill(paused)
    assert client.runs.wait(paused).status == "killed"

    failed = client.runs.wait(client.runs.start("shop", "fails").id)
    assert failed.status == "failed"
    client.runs.restart(failed.id)
    assert client.runs.wait(failed.id).status == "failed"
    client.runs.skip(failed.id, "wrong")
    assert client.runs.wait(failed.id).status == "success"
    assert client.runs.mark(failed.id, "failed", reason="it was not").status == "failed"

    replayed = client.runs.replay(failed.id, "wrong", labels={"again": "yes"}, key="again")
    assert client.runs.replay(failed.id, "wrong", labels={"again": "yes"}, key="again").id == replayed.id
    assert client.runs.wait(replayed.id).origin == failed.id


def test_many_are_dealt_with_at_once(client: Client) -> None:
    waiting = [client.runs.start("shop", "waits", wanted=Wanted(labels={"lot": "7"})).id for _ in range(3)]

    dry = client.runs.bulk("kill", which=Which(label=["lot=7"]), dry_run=True)
    done = client.runs.bulk("kill", [*waiting, "01m7y2w5c5aqtb9975bds3hjzz"])

    assert {each.run for each in dry.done} == set(waiting)
    assert {each.run for each in done.done} == set(waiting)
    assert [each.code for each in done.refused] == [UnknownRun.code]


def test_what_is_wrong_with_a_call_is_raised_as_the_verb_raises_it(client: Client) -> None:
    with pytest.raises(UnknownRun):
        client.runs.get("01m7y2w5c5aqtb9975bds3hjzz")
    with pytest.raises(InvalidInput):
        client.runs.start("shop", "takes")


def _until(client: Client, run: str, status: str) -> str:
    """Listen until a run stands so."""
    for each in client.runs.follow(run):
        if isinstance(each, RunRow) and each.status == status:
            break
    return client.runs.get(run).status
