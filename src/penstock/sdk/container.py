"""How is a container for people's code described? A frozen value that the runner of containers acts on."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

# Where an attempt's folder is in every container, whoever runs it there.
FOLDER: Final = "/penstock/work"


class Pull(enum.StrEnum):
    """When an image is fetched from its registry."""

    ALWAYS = "ALWAYS"
    IF_NOT_PRESENT = "IF_NOT_PRESENT"
    NEVER = "NEVER"


class Device(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Devices that a driver is asked for: `count` of them (-1: all), or those named, that can do one of these sets."""

    driver: str = ""
    count: int | None = None
    ids: tuple[str, ...] = ()
    capabilities: tuple[tuple[str, ...], ...] = ()
    options: dict[str, str] = {}


class Bounds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a container may use: processors (1.5 is one and a half), bytes, open files, seconds of CPU; nothing means
    the engine's own limits.
    """

    cpus: float | None = None
    memory: int | None = None
    memory_and_swap: int | None = None
    memory_reservation: int | None = None
    swappiness: int | None = None
    never_for_memory: bool = False
    shared_memory: int | None = None
    open_files: int | None = None
    cpu_seconds: int | None = None


class Registry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asks a registry for an image: a name and password, or a token; `config` is the text of a config.json that
    may know.
    """

    address: str = ""
    username: str = ""
    password: str = ""
    auth: str = ""
    registry_token: str = ""
    identity_token: str = ""
    config: str = ""


class Container(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a launch's program lives when not on the worker itself.

    `engine`: its address (none: where engines usually are). `entry_point` comes before the program. `volumes`:
    `/here:/there:ro`; `ports`: `8080:80`. `mounted`: the folder itself is in the container, else its files are copied
    in and out. `delete`: it is removed when it has ended. `wait`: the attempt ends with it, else when it has begun.
    `resume`: an attempt that follows a lost one goes on with its container.
    """

    image: str
    engine: str = ""
    pull: Pull = Pull.IF_NOT_PRESENT
    registry: Registry = Registry()
    user: str = ""
    entry_point: tuple[str, ...] = ()
    network: str = ""
    hosts: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    bounds: Bounds = Bounds()
    devices: tuple[Device, ...] = ()
    labels: dict[str, str] = {}
    privileged: bool = False
    mounted: bool = False
    delete: bool = True
    wait: bool = True
    resume: bool = True
