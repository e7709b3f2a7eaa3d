"""What do the POMs resolve to today? The locks, written again from what Maven brings."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import msgspec

from projects.lakehouse.services.jars import HERE, SETS, Artifact, resolve
from projects.servers.child import ServerFailed


def lock(name: str, repository: Path) -> list[Artifact]:
    """Resolve the POM of a set, and write its lock; `repository` is Maven's local one, by which files are named."""
    named = _named(repository)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        resolve((HERE / "poms" / f"{name}.xml").read_text(), folder)
        found = sorted(_artifact(path, named) for path in folder.iterdir())
    lines = ",\n".join(msgspec.json.encode(each).decode() for each in found)
    (HERE / "locks" / f"{name}.json").write_text(f"[\n{lines}\n]\n")
    return found


def lock_all(repository: Path) -> None:
    """Write all locks again."""
    for name in SETS:
        found = lock(name, repository)
        print(f"{name}: {len(found)} files, {sum(each.bytes for each in found) / 1e6:.0f} MB")


def _named(repository: Path) -> dict[str, tuple[str, str, str]]:
    """The coordinates of every file of a repository, by the file's name."""
    found = [path for pattern in ("*.jar", "*.tar.gz") for path in repository.rglob(pattern)]
    return {path.name: (_group(path.parents[2], repository), path.parents[1].name, path.parent.name) for path in found}


def _group(folder: Path, repository: Path) -> str:
    return ".".join(folder.relative_to(repository).parts)


def _artifact(path: Path, named: dict[str, tuple[str, str, str]]) -> Artifact:
    if path.name not in named:
        raise ServerFailed(f"{path.name} is not in Maven's local repository.")
    group, name, version = named[path.name]
    rest = path.name.removeprefix(f"{name}-{version}")
    kind = "tar.gz" if rest.endswith(".tar.gz") else path.suffix.removeprefix(".")
    classifier = rest.removesuffix(f".{kind}").removeprefix("-")
    body = path.read_bytes()
    return Artifact(group, name, version, hashlib.sha256(body).hexdigest(), len(body), kind, classifier)
