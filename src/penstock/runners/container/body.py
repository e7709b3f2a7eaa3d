"""How is a wanted container told to an engine? As the body of the request that creates it."""

from __future__ import annotations

import re
from typing import Any, Final

from penstock.errors.work import EngineRefused
from penstock.runners.container.wanted import PRINT, Wanted
from penstock.sdk.container import FOLDER, Bounds, Device

PORT: Final = re.compile(
    r"(?:(?:(?P<ip>\[[^\]]+\]|[\d.]+):)?(?P<here>\d*):)?(?P<there>\d+)(?P<kind>/(?:tcp|udp|sctp))?"
)


def body_of(wanted: Wanted) -> dict[str, Any]:
    """The request's body. Raises EngineRefused for a port that is none."""
    asked = wanted.container
    # The program takes the place of the image's entry point: as its arguments it would mean something else.
    entry, rest = (list(asked.entry_point), wanted.argv) if asked.entry_point else (wanted.argv[:1], wanted.argv[1:])
    ports = [_port(port) for port in asked.ports]
    return {
        "Image": asked.image,
        "Entrypoint": list(entry),
        "Cmd": list(rest),
        "Env": [f"{name}={value}" for name, value in wanted.env.items()],
        "WorkingDir": FOLDER,
        "Labels": asked.labels | wanted.labels | {PRINT: wanted.fingerprint},
        "ExposedPorts": {there: {} for there, _ in ports},
        **({"User": asked.user} if asked.user else {}),
        "HostConfig": _host(wanted, ports),
    }


def _host(wanted: Wanted, ports: list[tuple[str, dict[str, str]]]) -> dict[str, object]:
    asked = wanted.container
    binds = list(asked.volumes)
    if asked.mounted:
        binds.append(f"{wanted.folder}:{FOLDER}:z")
    bound: dict[str, list[dict[str, str]]] = {}
    for there, here in ports:
        bound.setdefault(there, []).append(here)
    said: dict[str, object] = {
        "Binds": binds,
        "NetworkMode": asked.network,
        "ExtraHosts": list(asked.hosts),
        "PortBindings": bound,
        "Privileged": asked.privileged,
        "DeviceRequests": [_device(device) for device in asked.devices],
        **_bounds(asked.bounds),
    }
    return {name: value for name, value in said.items() if value}


def _bounds(bounds: Bounds) -> dict[str, object]:
    limits = {"nofile": bounds.open_files, "cpu": bounds.cpu_seconds}
    said: dict[str, object | None] = {
        "NanoCpus": None if bounds.cpus is None else round(bounds.cpus * 1e9),
        "Memory": bounds.memory,
        "MemorySwap": bounds.memory_and_swap,
        "MemoryReservation": bounds.memory_reservation,
        "MemorySwappiness": bounds.swappiness,
        "OomKillDisable": bounds.never_for_memory or None,
        "ShmSize": bounds.shared_memory,
        "Ulimits": [
            {"Name": name, "Soft": limit, "Hard": limit} for name, limit in limits.items() if limit is not None
        ],
    }
    return {name: value for name, value in said.items() if value is not None}


def _port(written: str) -> tuple[str, dict[str, str]]:
    match = PORT.fullmatch(written.strip())
    if match is None:
        raise EngineRefused(f'"{written}" is no port: write 8080:80, 127.0.0.1:8080:80 or 80/udp.')
    here = {"HostPort": match["here"] or ""} | ({"HostIp": match["ip"].strip("[]")} if match["ip"] else {})
    return f"{match['there']}{match['kind'] or '/tcp'}", here


def _device(device: Device) -> dict[str, object]:
    said: dict[str, object] = {
        "Driver": device.driver,
        "Count": device.count,
        "DeviceIDs": list(device.ids),
        "Capabilities": [list(group) for group in device.capabilities],
        "Options": device.options,
    }
    return {name: value for name, value in said.items() if value}
