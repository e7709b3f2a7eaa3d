"""What may a script task say of the container that it wants? The options of task runners, old and new."""

from __future__ import annotations

import enum
import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from penstock.errors.task import BadAddress
from penstock.sdk.container import Bounds, Container, Device, Pull, Registry

# Engines count in steps of 1024, whichever way a unit is written.
SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class Runner(enum.StrEnum):
    """Where a script's process may live, by every name that versions have for it."""

    PROCESS = "process"
    DOCKER = "docker"
    PODMAN = "podman"
    CONTAINER = "container"
    PROCESS_1 = "io.kestra.plugin.core.runner.Process"
    PROCESS_0_18 = "io.kestra.core.models.tasks.runners.Process"
    PROCESS_0_17 = "io.kestra.core.models.tasks.runners.types.ProcessTaskRunner"
    PROCESS_0_16 = "io.kestra.core.models.script.types.ProcessScriptRunner"
    DOCKER_1 = "io.kestra.plugin.scripts.runner.docker.Docker"
    DOCKER_0_17 = "io.kestra.plugin.scripts.runner.docker.DockerTaskRunner"
    DOCKER_0_16 = "io.kestra.plugin.scripts.runner.docker.DockerScriptRunner"

    @property
    def contained(self) -> bool:
        """Whether it is a container."""
        return not self.name.startswith("PROCESS")


class Strategy(enum.StrEnum):
    """How files come into the container and out of it."""

    VOLUME = "VOLUME"
    MOUNT = "MOUNT"


class Cpu(msgspec.Struct, frozen=True, rename="camel"):
    """Processors."""

    cpus: Annotated[float | None, Meta(description="How many; 0.5 is half of one.")] = None


class Memory(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Memory; sizes are bytes, or with a unit: `512MB`."""

    memory: Annotated[str | int | None, Meta(description="At most.")] = None
    memory_swap: Annotated[str | int | None, Meta(description="At most with what is swapped out; -1: no bound.")] = None
    memory_reservation: Annotated[str | int | None, Meta(description="At most while the machine is short of it.")] = (
        None
    )
    kernel_memory: Annotated[str | int | None, Meta(description="Read and not used: engines have given it up.")] = None
    memory_swappiness: Annotated[str | int | None, Meta(description="How gladly it is swapped out: 0 to 100.")] = None
    oom_kill_disable: Annotated[bool, Meta(description="Whether it waits for memory instead of being ended.")] = False


class Credentials(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who asks a registry for the image."""

    registry: Annotated[str, Meta(description="Its address; none: as the image says.")] = ""
    username: Annotated[str, Meta(description="A name.")] = ""
    password: Annotated[str, Meta(description="The password.")] = ""
    auth: Annotated[str, Meta(description="Both of them, as config.json has them.")] = ""
    registry_token: Annotated[str, Meta(description="A token of the registry's.")] = ""
    identity_token: Annotated[str, Meta(description="A token that stands for a person.")] = ""


class DeviceRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Devices of the machine."""

    driver: Annotated[str, Meta(description="Who gives them.", examples=["nvidia"])] = ""
    count: Annotated[int | None, Meta(description="How many; -1: all.")] = None
    device_ids: Annotated[list[str], Meta(description="Which ones.")] = []
    capabilities: Annotated[list[list[str]], Meta(description="What they can do.", examples=[[["gpu"]]])] = []
    options: Annotated[dict[str, str], Meta(description="Options of the driver.")] = {}


class ContainerOptions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A container; a process reads over all of it."""

    image: Annotated[str, Meta(description="The image; containerImage says it, too.")] = ""
    host: Annotated[
        str,
        Meta(
            description="The engine's address; none: DOCKER_HOST, CONTAINER_HOST, or a usual socket.",
            examples=["unix:///run/podman/podman.sock"],
        ),
    ] = ""
    config: Annotated[
        dict[str, object] | str | None, Meta(description="What a config.json would say of registries.")
    ] = None
    credentials: Annotated[Credentials | None, Meta(description="Who asks the registry.")] = None
    user: Annotated[str | int, Meta(description="Who runs it: a name or number, or `user:group`.")] = ""
    entry_point: Annotated[list[str] | None, Meta(description="What comes before the commands.")] = None
    extra_hosts: Annotated[list[str], Meta(description="Names of hosts.", examples=[["db:10.0.0.7"]])] = []
    network_mode: Annotated[str, Meta(description="The network.", examples=["none", "host"])] = ""
    volumes: Annotated[list[str], Meta(description="Folders of the machine.", examples=[["/data:/data:ro"]])] = []
    port_bindings: Annotated[list[str], Meta(description="Ports.", examples=[["8080:80"]])] = []
    pull_policy: Annotated[Pull, Meta(description="When the image is fetched.")] = Pull.IF_NOT_PRESENT
    device_requests: Annotated[list[DeviceRequest], Meta(description="Devices.")] = []
    gpus: Annotated[str | int | None, Meta(description="GPUs: `all`, or how many.")] = None
    cpu: Annotated[Cpu | None, Meta(description="Processors at most.")] = None
    memory: Annotated[Memory | None, Meta(description="Memory at most.")] = None
    shm_size: Annotated[str | int | None, Meta(description="The size of /dev/shm.")] = None
    privileged: Annotated[bool, Meta(description="Whether it may do all that the machine can.")] = False
    labels: Annotated[dict[str, str], Meta(description="Labels besides those that every container gets.")] = {}
    file_handling_strategy: Annotated[
        Strategy, Meta(description="VOLUME copies files in and out; MOUNT lets it work in the worker's own folder.")
    ] = Strategy.VOLUME
    delete: Annotated[bool, Meta(description="Whether it is removed when it has ended.")] = True
    wait: Annotated[bool, Meta(description="Whether the task ends with it; else when it has begun.")] = True
    resume: Annotated[
        bool, Meta(description="Whether the container of an attempt whose worker died is gone on with.")
    ] = True


class TaskRunner(ContainerOptions, frozen=True, kw_only=True):
    """Where the process lives: on the worker, or in a container."""

    type: Annotated[Runner, Meta(description="`process` or `docker`.")]


class Docker(ContainerOptions, frozen=True, kw_only=True):
    """The container, as the first releases said it."""

    docker_host: Annotated[str, Meta(description="The engine's address.", extra={"deprecated": "host says it"})] = ""
    docker_config: Annotated[
        dict[str, object] | str | None,
        Meta(description="What a config.json would say.", extra={"deprecated": "config says it"}),
    ] = None


def container_of(said: ContainerOptions, image: str, least: Bounds) -> Container:
    """The container that options describe; `least` counts where they bound nothing. Raises BadAddress."""
    old = said if isinstance(said, Docker) else Docker()
    config = said.config or old.docker_config or ""
    who = said.credentials or Credentials()
    gpus = [] if said.gpus is None else [_gpus(said.gpus)]
    return Container(
        image=image,
        engine=said.host or old.docker_host,
        pull=said.pull_policy,
        registry=Registry(
            address=who.registry,
            username=who.username,
            password=who.password,
            auth=who.auth,
            registry_token=who.registry_token,
            identity_token=who.identity_token,
            config=config if isinstance(config, str) else msgspec.json.encode(config).decode(),
        ),
        user=str(said.user),
        entry_point=tuple(part for part in said.entry_point or () if part),
        network=said.network_mode,
        hosts=tuple(said.extra_hosts),
        volumes=tuple(said.volumes),
        ports=tuple(said.port_bindings),
        bounds=_bounds(said, least),
        devices=(*(_device(one) for one in said.device_requests), *gpus),
        labels=said.labels,
        privileged=said.privileged,
        mounted=said.file_handling_strategy is Strategy.MOUNT,
        delete=said.delete,
        wait=said.wait,
        resume=said.resume,
    )


def bytes_of(written: str | int | None) -> int | None:
    """A size in bytes. Raises BadAddress for what is none."""
    if written is None or written == "":
        return None
    text = str(written).strip()
    if text == "-1":
        return -1
    match = SIZE.fullmatch(text)
    if match is None:
        raise BadAddress(f'"{written}" is no size: write a number of bytes, or 64m, 512MB, 1g.')
    unit: int = 1024 ** POWERS[match[2].lower()]
    return round(float(match[1]) * unit)


def _bounds(said: ContainerOptions, least: Bounds) -> Bounds:
    memory = said.memory or Memory()
    swappiness = memory.memory_swappiness
    return msgspec.structs.replace(
        least,
        cpus=said.cpu.cpus if said.cpu else None,
        memory=bytes_of(memory.memory) or least.memory,
        memory_and_swap=bytes_of(memory.memory_swap),
        memory_reservation=bytes_of(memory.memory_reservation),
        swappiness=None if swappiness in (None, "") else bytes_of(swappiness),
        never_for_memory=memory.oom_kill_disable,
        shared_memory=bytes_of(said.shm_size),
    )


def _device(one: DeviceRequest) -> Device:
    return Device(
        driver=one.driver,
        count=one.count,
        ids=tuple(one.device_ids),
        capabilities=tuple(tuple(group) for group in one.capabilities),
        options=one.options,
    )


def _gpus(asked: str | int) -> Device:
    if str(asked).lower() != "all" and not str(asked).isdigit():
        raise BadAddress(f'"{asked}" is no number of GPUs: write `all` or a number.')
    return Device(count=-1 if str(asked).lower() == "all" else int(asked), capabilities=(("gpu",),))
