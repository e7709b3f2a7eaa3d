"""What do programs have to know of the servers? Two files: for shells and flows, and what no log may show."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

SECRET: Final = ("AWS_SECRET_ACCESS_KEY", "ICEBERG_JDBC_PASSWORD", "ICEBERG_DATABASE_URL", "GOLD_DATABASE_URL")


def env_file(folder: Path) -> Path:
    """The file that a shell reads."""
    return folder / "env"


def secrets_file(folder: Path) -> Path:
    """The file that the project's settings name."""
    return folder / "secrets"


def tell(folder: Path, environment: Mapping[str, str]) -> None:
    """Write both files; flows see what begins with ENV_ as `envs.name`."""
    known = dict(environment)
    private = {name: known.pop(name) for name in SECRET}
    lines = [f"{name}={shlex.quote(value)}" for name, value in (known | private).items()]
    lines += [f"ENV_{name}={shlex.quote(value)}" for name, value in known.items()]
    write_private(env_file(folder), (f"export {line}" for line in lines))
    write_private(secrets_file(folder), (f"{name}={value}" for name, value in private.items()))


def forget(folder: Path) -> None:
    """Remove both."""
    for file in (env_file(folder), secrets_file(folder)):
        file.unlink(missing_ok=True)


def read(folder: Path) -> dict[str, str]:
    """What the file for shells says; nothing where there is none."""
    file = env_file(folder)
    words = shlex.split(file.read_text()) if file.exists() else []
    return dict(word.split("=", 1) for word in words if "=" in word)


def write_private(file: Path, lines: Iterable[str]) -> None:
    """Write a file for nobody else's eyes."""
    file.touch(mode=0o600)
    file.write_text("".join(f"{line}\n" for line in lines))
