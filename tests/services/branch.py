"""What does a test of branches begin with? A repository with a branch, and a store that it is the source of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from penstock.services import namespace_files
from penstock.services.core import Core
from penstock.services.git.source import Source
from penstock.services.git.sync import Synced, sync
from penstock.services.project import Manner
from penstock.services.stored import Stored
from penstock.store import flows
from penstock.store import git as table
from penstock.store.blobs.local import open_folder
from penstock.store.git import State
from tests.plugins.git.hosting import commit, git, repository
from tests.services.office import Office

FLOW = "id: {id}\nnamespace: {namespace}\ntasks:\n  - id: say\n    type: log\n    message: {text}\n"


def flow(flow_id: str, text: str = "hello", namespace: str = "shop") -> str:
    """The text of a flow."""
    return FLOW.format(id=flow_id, text=text, namespace=namespace)


class Place:
    """A branch and a store; what is told meanwhile comes into `notices`."""

    def __init__(self, folder: Path, office: Office) -> None:
        self.root = folder / "copies"
        self.notices: list[tuple[str, str]] = []
        self.bare = repository(folder / "repositories", {"flows/a.yml": flow("a"), "code/sql/a.sql": "select 1"})
        self.core: Core = dataclasses.replace(office.core, blobs=Stored(open_folder(folder / "blobs")))
        self.core.notices.subscribe(lambda each: self.notices.append((each.name, str(each.fields.get("why", "")))))
        self.source = Source(
            name="main", url=f"file://{self.bare}", branch="main", files={"shop": "code"}, within="shop"
        )

    @property
    def work(self) -> Path:
        """The working copy from which things are pushed."""
        return self.bare.parent / "work"

    def push(self, files: dict[str, str], gone: tuple[str, ...] = ()) -> str:
        """Commit to the branch, and give the commit."""
        if gone:
            git(self.work, "rm", "--quiet", "-r", *gone)
        made = commit(self.work, files)
        git(self.work, "push", "--quiet", "origin", "main")
        return made

    def sync(self, *, dry_run: bool = False, stopped: Callable[[], bool] = lambda: False, **changed: Any) -> Synced:
        """Let it stand here, with other settings where some are given."""
        source = replace(self.source, **changed)
        done = sync(self.core, source, Manner(), self.root, dry_run=dry_run, stopped=stopped)
        assert done is not None
        return done

    def flows(self) -> dict[str, int]:
        """The flows that stand here, with their revisions."""
        return {f"{each.namespace}.{each.id}": each.revision for each in self.core.store.read(flows.list_flows)}

    def files(self, namespace: str = "shop") -> list[str]:
        """The files of a namespace."""
        return [each.path for each in namespace_files.every(self.core, namespace)]

    def state(self) -> State:
        """What is known of the branch."""
        return self.core.store.read(lambda tx: table.get(tx, "main"))
