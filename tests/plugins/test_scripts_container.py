"""Does every way of asking for a container, of every version, describe the same one?"""

from __future__ import annotations

import pytest

from penstock.errors.task import BadAddress, NotOffered
from penstock.sdk.container import Bounds, Container, Device, Pull, Registry
from penstock.sdk.local import LocalContext

DOCKER = "io.kestra.plugin.scripts.runner.docker.Docker"


def asked(local: LocalContext, said: dict[str, object], kind: str = "shell.commands") -> Container:
    """The container that a task asks for."""
    found = local.launch(
        kind, said | {"script": "x"} if kind.lower().endswith("script") else said | {"commands": ["x"]}
    ).container
    assert found is not None
    return found


@pytest.mark.parametrize(
    "said",
    [
        {"taskRunner": {"type": DOCKER}, "containerImage": "a:1"},
        {"taskRunner": {"type": f"{DOCKER}TaskRunner"}, "containerImage": "a:1"},
        {"taskRunner": {"type": "docker", "image": "a:1"}},
        {"taskRunner": {"type": "podman"}, "containerImage": "a:1"},
        {"runner": "DOCKER", "docker": {"image": "a:1"}},
        {"runner": "DOCKER", "docker": {"image": "b", "dockerHost": "", "dockerConfig": ""}, "containerImage": "a:1"},
    ],
)
def test_every_name_of_the_runner_is_known(local: LocalContext, said: dict[str, object]) -> None:
    assert asked(local, said) == Container(image="a:1")


@pytest.mark.parametrize(
    ("kind", "image"),
    [
        ("shell.script", "ubuntu"),
        ("io.kestra.plugin.scripts.python.Script", "python:3.13-slim"),
        ("io.kestra.plugin.scripts.node.Commands", "node"),
        ("io.kestra.core.tasks.scripts.Python", "python:3.13-slim"),
    ],
)
def test_the_language_has_an_image_where_the_flow_names_none(local: LocalContext, kind: str, image: str) -> None:
    assert asked(local, {"taskRunner": {"type": "docker"}}, kind).image == image


def test_an_image_alone_is_no_container(local: LocalContext) -> None:
    launch = local.launch("shell.script", {"script": "x", "docker": {"image": "a:1"}})

    assert launch.container is None
    assert launch.notices == ('Runs as a process on the worker; the image "a:1" is not used.',)


def test_every_option_reaches_the_container(local: LocalContext) -> None:
    runner = {
        "type": DOCKER,
        "host": "tcp://there:2375",
        "config": {"auths": {}},
        "credentials": {"registry": "r.io", "username": "me", "password": "w", "registryToken": "t"},
        "user": 1000,
        "entryPoint": ["", "tini"],
        "extraHosts": ["db:10.0.0.1"],
        "networkMode": "host",
        "portBindings": ["8080:80"],
        "volumes": ["/a:/b"],
        "pullPolicy": "ALWAYS",
        "deviceRequests": [{"driver": "nvidia", "deviceIds": ["0"], "capabilities": [["gpu"]]}],
        "gpus": "all",
        "cpu": {"cpus": 2},
        "memory": {"memory": "512MB", "memorySwap": -1, "kernelMemory": "1g", "memorySwappiness": "10"},
        "shmSize": "64m",
        "privileged": True,
        "labels": {"team": "data"},
        "fileHandlingStrategy": "MOUNT",
        "delete": False,
        "wait": False,
        "resume": False,
        "killGracePeriod": "PT1S",
    }

    assert asked(local, {"taskRunner": runner, "containerImage": "a:1", "resources": {"openFiles": 9}}) == Container(
        image="a:1",
        engine="tcp://there:2375",
        pull=Pull.ALWAYS,
        registry=Registry(address="r.io", username="me", password="w", registry_token="t", config='{"auths":{}}'),
        user="1000",
        entry_point=("tini",),
        network="host",
        hosts=("db:10.0.0.1",),
        volumes=("/a:/b",),
        ports=("8080:80",),
        bounds=Bounds(
            cpus=2.0,
            memory=512 * 1024**2,
            memory_and_swap=-1,
            swappiness=10,
            shared_memory=64 * 1024**2,
            open_files=9,
        ),
        devices=(
            Device(driver="nvidia", ids=("0",), capabilities=(("gpu",),)),
            Device(count=-1, capabilities=(("gpu",),)),
        ),
        labels={"team": "data"},
        privileged=True,
        mounted=True,
        delete=False,
        wait=False,
        resume=False,
    )


def test_the_bounds_of_a_process_count_where_the_container_names_none(local: LocalContext) -> None:
    said: dict[str, object] = {"taskRunner": {"type": "docker"}, "resources": {"memory": 1000, "cpuSeconds": 5}}

    assert asked(local, said).bounds == Bounds(memory=1000, cpu_seconds=5)


@pytest.mark.parametrize("runner", [{"shmSize": "much"}, {"gpus": "some"}])
def test_what_is_no_size_and_no_number_is_refused(local: LocalContext, runner: dict[str, object]) -> None:
    with pytest.raises(BadAddress):
        asked(local, {"taskRunner": {"type": "docker", **runner}})


def test_a_function_of_the_project_has_no_container(local: LocalContext) -> None:
    with pytest.raises(NotOffered, match="in a process, not in a container"):
        local.launch("python.function", {"module": "json", "function": "loads", "taskRunner": {"type": "docker"}})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("io.kestra.core.tasks.scripts.Python", {"requirements": ["one", "two>1"]}),
        ("io.kestra.plugin.scripts.python.Commands", {"commands": ["x"], "dependencies": ["one", "two>1"]}),
    ],
)
def test_packages_are_installed_in_the_container_itself(
    local: LocalContext, kind: str, said: dict[str, object]
) -> None:
    launch = local.launch(kind, {"taskRunner": {"type": "docker"}, **said})

    assert "--target .penstock-packages one 'two>1'" in launch.argv[-1]
    assert (launch.environment, launch.env["PYTHONPATH"]) == (None, ".penstock-packages")
