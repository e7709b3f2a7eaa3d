"""On which ports do the servers listen? Those that `.env` names, else those of last time, else free ones."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from projects.servers.child import ServerFailed, free_port


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """One for everything that listens; each can be set by a variable of its name: KAFKA_PORT, S3_PORT …"""

    kafka: int
    kafka_controller: int
    registry: int
    registry_management: int
    s3: int
    postgres: int
    catalog: int
    flink: int
    flink_rpc: int
    gateway: int


def ports(folder: Path, env_file: Path) -> Ports:
    """Choose them, and keep them in the folder: who was told of them finds them again. Raises ServerFailed."""
    kept = folder / "ports.json"
    given = given_ports(env_file, Ports.__struct_fields__)
    before = msgspec.json.decode(kept.read_bytes(), type=dict[str, int]) if kept.exists() else {}
    chosen: dict[str, int] = {}
    for name in Ports.__struct_fields__:
        port = given.get(name) or before.get(name) or free_port()
        while port in chosen.values() and name not in given:
            port = free_port()
        chosen[name] = port
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(msgspec.json.encode(chosen))
    return msgspec.convert(chosen, Ports)


def given_ports(env_file: Path, names: Collection[str]) -> dict[str, int]:
    """Those of these names that a file sets; raises ServerFailed where one is none."""
    found = {}
    for number, line in enumerate(env_file.read_text().splitlines() if env_file.exists() else [], 1):
        name, sign, value = line.partition("=")
        field = name.strip().removesuffix("_PORT").lower()
        if sign and name.strip().endswith("_PORT") and field in names:
            if not value.strip().isdigit() or not 0 < int(value) < 65_536:
                raise ServerFailed(f"{env_file}, line {number}: {value.strip()!r} is no port.")
            found[field] = int(value)
    return found
