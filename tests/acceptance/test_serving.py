"""Do servers and `penstock dev` stand, answer, fire every date once, and leave nothing behind, however they end?"""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

import pytest

from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, Running

EVERY_SECOND = """triggers:
  - id: tick
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "* * * * * *"
    withSeconds: true
    allowConcurrent: true
"""
LOG = "  - id: say\n    type: log\n    message: hello\n"


def address(running: Running) -> str:
    """Where a server says that it answers."""

    def said() -> str:
        assert running.process.poll() is None, running.said
        found = re.search(r"answers at (http://\S+),", running.said)
        return found[1] if found else ""

    return eventually(said, "a server answers")


def ask(project: Project, url: str, *, key: bool = True) -> tuple[int, Any]:
    """Call the API as the owner of this machine."""
    request = urllib.request.Request(url)
    if key:
        bearer = (project.folder / ".penstock" / "key").read_text().strip()
        request.add_header("Authorization", f"Bearer {bearer}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def dates(project: Project) -> list[int]:
    """For which seconds runs were started."""
    return [run.logical_date // 1_000_000 for run in project.runs() if run.logical_date is not None]


def check_ticks(project: Project) -> None:
    """Every second from the first to the last has one run."""
    found = sorted(dates(project))
    wanted = list(range(found[0], found[-1] + 1))
    missed, doubled = set(wanted) - set(found), [date for date, count in Counter(found).items() if count > 1]
    assert not missed, f"missed {sorted(missed)}"
    assert not doubled, f"doubled {doubled}"


def test_dev_stores_what_is_saved_runs_it_on_time_and_ends_with_nothing_left(light: Project) -> None:
    dev = light.begin("dev", "--port", "0")
    url = address(dev)
    assert ask(light, f"{url}/v1/flows", key=False)[0] == 401

    light.flow("ticking", LOG, more=EVERY_SECOND)
    eventually(lambda: len([run for run in light.runs() if run.status == "success"]) > 2, "it runs by itself")
    listed = ask(light, f"{url}/v1/flows")
    (light.folder / "flows" / "ticking.yml").write_text("id: ticking\nnamespace: acc\ntasks: 7\n")
    eventually(lambda: "tasks" in dev.said, "what is wrong is told")
    (light.folder / "flows" / "ticking.yml").unlink()
    eventually(lambda: "- acc.ticking" in dev.said, "its flow is gone")

    dev.send(signal.SIGINT)
    assert dev.ended() == 0
    assert [flow["id"] for flow in listed[1]["items"]] == ["ticking"]
    assert not light.alive()
    check_ticks(light)


def test_dev_takes_the_next_port_where_one_is_taken(light: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        dev = light.begin("dev", "--port", str(port))

        assert address(dev) != f"http://127.0.0.1:{port}"
        assert f"Port {port} is taken" in dev.said


def test_two_devs_in_one_folder_stand_beside_each_other_and_say_so(light: Project) -> None:
    first = light.begin("dev", "--port", "0")
    eventually(lambda: "scheduler.leads" in first.said, "the first one leads")
    second = light.begin("dev", "--port", "0")
    address(second)
    first.kill()
    eventually(lambda: "scheduler.leads" in second.said, "the second one leads", 8)

    light.flow("one", LOG)
    eventually(lambda: "+ acc.one" in second.said, "it watches")
    second.send(signal.SIGINT)
    assert second.ended() == 0
    assert "Another server stands on this store" in second.said
    assert "Another server" not in first.said


@pytest.mark.long
def test_dev_says_that_its_folder_was_deleted_and_stops_when_asked(light: Project) -> None:
    dev = light.begin("dev", "--port", "0")
    url = address(dev)
    key = {"Authorization": f"Bearer {(light.folder / '.penstock' / 'key').read_text().strip()}"}
    eventually(lambda: "worker.started" in dev.said, "the worker stands")

    (light.folder / ".penstock").rename(light.folder / "gone")
    eventually(lambda: "was deleted or replaced" in dev.said, "it says so")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{url}/v1/flows", headers=key), timeout=10)
    dev.send(signal.SIGINT)
    code = dev.ended()
    (light.folder / "gone").rename(light.folder / ".penstock")

    assert (refused.value.code, json.load(refused.value)["code"]) == (503, "PS-403")
    assert code == 0
    assert "Traceback" not in dev.said


def test_an_address_that_others_reach_wants_an_owner_first(light: Project) -> None:
    said = light.call("serve", "--host", "0.0.0.0", "--port", "0")

    assert said.code == 2
    assert "Nobody could log in" in said.err


def test_a_server_that_is_asked_to_stop_lets_another_lead_at_once(project: Project) -> None:
    first, second = (project.begin("serve", "--port", "0") for _ in range(2))
    for each in (first, second):
        address(each)
    leader, other = (first, second) if "scheduler.leads" in first.said else (second, first)
    eventually(lambda: "scheduler.leads" in leader.said, "one leads")

    leader.send(signal.SIGTERM)

    assert leader.ended() == 0
    eventually(lambda: "scheduler.leads" in other.said, "the other leads", 3)


@pytest.mark.parametrize("end", ["kill -9", "stand still"])
def test_every_date_is_one_run_whatever_becomes_of_the_leader(project: Project, end: str) -> None:
    project.flow("ticking", LOG, more=EVERY_SECOND)
    assert project.call("flows", "push", "flows").code == 0
    servers = [project.begin("serve", "--port", "0") for _ in range(2)]
    project.worker("one")
    eventually(lambda: len(dates(project)) > 2, "it ticks")
    (leader,) = [each for each in servers if "scheduler.leads" in each.said]
    (other,) = [each for each in servers if each is not leader]

    before, began = len(dates(project)), time.monotonic()
    leader.send(signal.SIGKILL if end == "kill -9" else signal.SIGSTOP)
    eventually(lambda: len(dates(project)) > before + 2, "the other goes on", 12)
    took = time.monotonic() - began
    leader.send(signal.SIGCONT)
    count = len(dates(project))
    eventually(lambda: len(dates(project)) > count + 2, "and on")

    assert "scheduler.leads" in other.said
    assert took < 8, "5 s for the lease, and three ticks"
    check_ticks(project)


def test_a_backfill_starts_each_day_once_though_its_server_dies(project: Project) -> None:
    project.flow("daily", LOG, more="inputs:\n  - id: day\n    type: DATE\n")
    asked = ("--from", "2016-01-01", "--to", "2016-03-31", "-i", "day={{ date }}", "--at-once", "5")
    said = project.call("backfill", "flows/daily.yml", *asked)
    assert said.code == 0, said.err
    first = project.begin("serve", "--port", "0")
    project.worker("one")
    eventually(lambda: len(project.runs()) > 10, "days run")

    first.kill()
    second = project.begin("serve", "--port", "0")
    backfill = said.out.strip()

    def done() -> bool:
        shown = json.loads(project.call("backfills", "show", backfill, "--json").out)
        return bool(shown["status"] == "done")

    eventually(done, "all days have run", 40)
    days = [run.inputs["day"] for run in project.runs()]
    assert second.process.poll() is None
    assert len(days) == len(set(days)) == 91
