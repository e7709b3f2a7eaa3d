"""What becomes of a container when kill -9 ends its worker?"""

from __future__ import annotations

import signal

import pytest

from penstock.store.chunks import cut
from tests.acceptance.checks import check_settled, lost
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project
from tools.podman import Podman

FLOW = """  - id: one
    type: io.kestra.plugin.scripts.shell.Commands
    taskRunner:
      type: io.kestra.plugin.scripts.runner.docker.Docker
      networkMode: none
      resume: {resume}
    containerImage: python:3.12-slim
    outputFiles: [made.txt]
    commands:
      - echo "began in $(cat /proc/sys/kernel/random/uuid)" > made.txt; cat made.txt
      - while [ ! -e /tmp/go ]; do sleep 0.02; done
      - echo over
"""


@pytest.fixture
def docked(light: Project, podman: Podman) -> Project:
    """A project beside a container engine."""
    light.environment["CONTAINER_HOST"] = f"unix://{podman.socket}"
    light.settings(grace="PT1S")
    return light


def containers(podman: Podman) -> list[str]:
    """The names of all containers."""
    return podman.ask("ps", "--all", "--format", "{{.Names}}").split()


def began(project: Project, run_id: str) -> list[str]:
    """What each attempt's log says of where its container began."""
    lines = b"".join(piece.text for piece in cut(project.store.logs.read(run_id))).decode().splitlines()
    return [line for line in lines if line.startswith("began in")]


@pytest.mark.parametrize("resumed", [True, False])
def test_the_next_attempt_goes_on_with_it_or_ends_it(docked: Project, podman: Podman, resumed: bool) -> None:
    run_flow = docked.flow("stays", FLOW.format(resume=str(resumed).lower()))
    killed = docked.worker("first")
    run_id = docked.start(run_flow)
    first = eventually(lambda: began(docked, run_id), "the container has begun")
    (before,) = containers(podman)

    killed.kill()
    second = docked.worker("second")
    eventually(lambda: before not in containers(podman), "the container is the second attempt's, or gone")
    eventually(lambda: len(containers(podman)) == 1, "one container is there")
    (after,) = containers(podman)
    eventually(lambda: podman.ask("inspect", "--format", "{{.State.Running}}", after).strip() == "true", "it runs")
    podman.ask("exec", after, "touch", "/tmp/go")
    run = docked.finished(run_id)

    assert run.status == "success"
    assert lost(docked, run_id) == [("one", 1)]
    assert (set(began(docked, run_id)) == set(first)) is resumed
    assert containers(podman) == []
    check_settled(docked, [run_id], second)


def test_of_a_run_that_was_killed_meanwhile_nothing_is_left(docked: Project, podman: Podman) -> None:
    killed = docked.worker("first")
    run_id = docked.start(docked.flow("stays", FLOW.format(resume="true")))
    eventually(lambda: began(docked, run_id), "the container has begun")

    killed.kill()
    docked.call("runs", "kill", run_id, "--force")
    second = docked.worker("second")

    eventually(lambda: not containers(podman), "the container is gone")
    assert docked.finished(run_id).status == "killed"
    assert not list((docked.folder / ".penstock/containers").iterdir())
    check_settled(docked, [run_id], second)


def test_a_worker_that_stands_still_does_not_end_what_another_has_taken_up(docked: Project, podman: Podman) -> None:
    docked.settings(grace="PT1S", lease="PT2S")
    still = docked.worker("first")
    run_id = docked.start(docked.flow("stays", FLOW.format(resume="true")))
    first = eventually(lambda: began(docked, run_id), "the container has begun")
    (before,) = containers(podman)

    still.send(signal.SIGSTOP)
    second = docked.worker("second")
    eventually(lambda: before not in containers(podman), "the container is the second attempt's", 30)
    (after,) = containers(podman)
    still.send(signal.SIGCONT)
    podman.ask("exec", after, "touch", "/tmp/go")

    assert docked.finished(run_id).status == "success"
    assert set(began(docked, run_id)) == set(first)
    eventually(lambda: not containers(podman), "the container is gone")
    check_settled(docked, [run_id], still, second)
