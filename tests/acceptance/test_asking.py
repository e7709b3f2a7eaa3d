"""Do commands ask a real server of this machine without a login, follow what its workers do, and end it by Ctrl-C?"""

from __future__ import annotations

import signal

from tests.acceptance.project import Project
from tests.acceptance.test_serving import address


def test_a_flow_is_run_by_a_server_and_shown_here(light: Project) -> None:
    light.flow("steps", light.step("first"), light.step("second"))
    url = address(light.begin("dev", "--port", "0"))

    done = light.call("run", "flows/steps.yml", "--server", url)
    logs = light.call("runs", "list", "--server", url, "--json")

    assert done.code == 0, done.err
    assert "first  started" in done.err and "second  success" in done.err
    assert light.lines() == ["begin first 1", "end first 1", "begin second 1", "end second 1"]
    assert '"started_by":"' in logs.out and '"status":"success"' in logs.out


def test_ctrl_c_kills_the_run_where_it_goes(light: Project) -> None:
    light.flow("long", light.step("waits", gate="never"))
    url = address(light.begin("dev", "--port", "0"))

    asked = light.begin("run", "flows/long.yml", "--server", url)
    light.told("begin waits")
    asked.send(signal.SIGINT)

    assert asked.ended() == 1
    assert "Killing the run" in asked.said
    (run,) = light.runs()
    assert run.status == "killed"
    assert light.lines("end") == []


def test_a_server_that_begins_anew_is_followed_on(light: Project) -> None:
    light.flow("gated", light.step("waits", gate="open"))
    server = light.begin("serve", "--port", "0")
    url = address(server)
    light.worker("bee")

    asked = light.begin("run", "flows/gated.yml", "--server", url)
    light.told("begin waits")
    server.kill()
    address(light.begin("serve", "--port", url.rpartition(":")[2]))
    light.open("open")

    assert asked.ended(40) == 0, asked.said
    assert "waits  success" in asked.said
