"""What do units of systemd say of a server and of a worker? Their text, hardened; `deploy/systemd` has the same."""

from __future__ import annotations

import re
from typing import Final

import msgspec

# What a stopping server needs besides the seconds that calls have: the scheduler's turn, git, the store.
BESIDES: Final = 10
SAFE: Final = re.compile(r"[A-Za-z0-9_./:@=,+-]+")
COMMON: Final = (
    "NoNewPrivileges=yes",
    "UMask=0077",
    "LockPersonality=yes",
    "RestrictSUIDSGID=yes",
    "RestrictRealtime=yes",
    "SystemCallArchitectures=native",
)
# What only the manager of the whole system can do.
WALLS: Final = (
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "PrivateTmp=yes",
)


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One service: its name without the ending, and how it is run.

    `folder` is the project's, the one that it may write besides the system's own places for that; `environment` a file
    with what it must not be told by arguments; `user` is empty in the units of one user. `wait` are the seconds after
    which systemd ends all that is left. A `strict` one may write nowhere else.
    """

    name: str
    about: str
    command: tuple[str, ...]
    folder: str
    environment: str
    wait: int
    user: str = ""
    strict: bool = True


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service lives: its folder, the file of its environment, and who runs it (none: whose manager it is)."""

    folder: str
    environment: str
    user: str = ""


def server(program: tuple[str, ...], host: str, port: int, grace: int, home: Home) -> Unit:
    """The unit of a server: it writes below its folder, and nowhere else."""
    listens = ("--host", host, "--port", str(port), "--grace", str(grace), "--json")
    return Unit(
        name="penstock-serve",
        about="Penstock: API and schedules",
        command=(*program, "serve", *listens),
        wait=grace + BESIDES,
        folder=home.folder,
        environment=home.environment,
        user=home.user,
    )


def worker(program: tuple[str, ...], slots: int, grace: int, home: Home) -> Unit:
    """The unit of a worker: people's tasks run in it, so only what belongs to the system is closed to them.

    Asked to stop, it lets work go on for the grace, and then gives each process the same time after SIGTERM.
    """
    many = ("--slots", str(slots)) if slots else ()
    return Unit(
        name="penstock-worker",
        about="Penstock: worker",
        command=(*program, "worker", *many, "--json"),
        wait=2 * grace + BESIDES,
        strict=False,
        folder=home.folder,
        environment=home.environment,
        user=home.user,
    )


def text(unit: Unit) -> str:
    """The file of a unit."""
    system = bool(unit.user)
    walls = [f"ProtectSystem={'strict' if unit.strict else 'full'}", *_home(unit), *WALLS] if system else []
    lines = [
        "[Unit]",
        f"Description={unit.about}",
        "Wants=network-online.target",
        "After=network-online.target postgresql.service",
        # it comes back however often it goes: a database may be away for hours
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=exec",
        *([f"User={unit.user}"] if system else []),
        f"WorkingDirectory={_path(unit.folder)}",
        f"EnvironmentFile={_path(unit.environment)}",
        f"ExecStart={' '.join(map(quoted, unit.command))}",
        "Restart=always",
        "RestartSec=2",
        # a wrong call or wrong settings do not heal by themselves
        "RestartPreventExitStatus=2 3",
        # only the process itself hears SIGTERM: what it started ends as it decides, and with the time at the latest
        "KillMode=mixed",
        f"TimeoutStopSec={unit.wait}",
        *COMMON,
        *walls,
        *([f"ReadWritePaths={_path(unit.folder)}"] if system else []),
        "",
        "[Install]",
        f"WantedBy={'multi-user' if system else 'default'}.target",
    ]
    return "\n".join(lines) + "\n"


def environment(store: str) -> str:
    """The file of what no argument may say."""
    shown = (
        f"PENSTOCK_STORE={_value(store)}" if store else "# PENSTOCK_STORE=postgresql://penstock:PASSWORD@db/penstock"
    )
    return f"# Read by the units of Penstock; mode 0600.\n{shown}\n"


def quoted(word: str) -> str:
    """A word of a command as systemd reads it."""
    escaped = word.replace("%", "%%").replace("$", "$$")
    if SAFE.fullmatch(word):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _value(text: str) -> str:
    return text if SAFE.fullmatch(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _path(path: str) -> str:
    """A path as systemd reads one alone on its line."""
    return path.replace("%", "%%")


def _home(unit: Unit) -> list[str]:
    """Homes are closed, unless the service itself lives in one."""
    inside = [unit.folder, unit.command[0]]
    lives_there = any(path.startswith(("/home/", "/root/")) for path in inside)
    return [f"ProtectHome={'read-only' if lives_there else 'yes'}"]
