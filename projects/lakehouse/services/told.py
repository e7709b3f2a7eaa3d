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
    write_private(env_file(folder), _exports(environment))
    private = (f"{name}={environment[name]}" for name in SECRET)
    write_private(secrets_file(folder), private)


def tell_apart(folder: Path, environment: Mapping[str, str], history: Path) -> None:
    """Write the file for shells alone, with secrets and a history: those that the settings name are others'.

    What runs have remembered of a job of Flink's, its folder of checkpoints above all, is of no use to another Flink.
    """
    own = {f"PENSTOCK_SECRET_{name}": environment[name] for name in SECRET} | {"PENSTOCK_STORE": str(history)}
    exports = [f"export {name}={shlex.quote(value)}" for name, value in own.items()]
    write_private(env_file(folder), [*_exports(environment), *exports])


def _exports(environment: Mapping[str, str]) -> list[str]:
    known = [name for name in environment if name not in SECRET]
    lines = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
    lines += [f"ENV_{name}={shlex.quote(environment[name])}" for name in known]
    return [f"export {line}" for line in lines]


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
    file.chmod(0o600)
    file.write_text("".join(f"{line}\n" for line in lines))
