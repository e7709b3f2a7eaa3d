"""How do files of the project come here from a repository, and go there from here?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final, cast

import msgspec
from msgspec import Meta, field

from penstock.plugins.git.flows import BELOW, DRY, SyncFlows, author_of, difference
from penstock.plugins.git.repository import URL, GitTask, inside, pushed
from penstock.sdk.context import Ask, Context
from penstock.sdk.task import TaskFailed

FOLDER: Final = "Folder of the repository that holds files."
DIFFERENCE: Final = "Address of a file of JSON lines, one per file: gitPath, syncState, path."
NAMESPACE: Final = "Namespace whose files are meant; the flow's own unless given."


class SyncNamespaceFiles(GitTask, frozen=True, kw_only=True):
    """Bring the files of a repository's folder into a namespace."""

    type_name: ClassVar[str] = "git.sync_namespace_files"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.git.SyncNamespaceFiles",)
    outputs: ClassVar[dict[str, str]] = {"files": DIFFERENCE}
    example: ClassVar[dict[str, object]] = {"url": URL, "branch": "main"}

    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    git_directory: Annotated[str, Meta(description=FOLDER)] = "_files"
    delete: Annotated[bool, Meta(description="Not offered: files of the project that the repository has not stay.")] = (
        False
    )
    dry_run: Annotated[bool, Meta(description=DRY)] = False

    def run(self, context: Context) -> dict[str, object]:
        """Bring them."""
        if self.delete:
            raise TaskFailed("What else is in the project is not deleted (delete): its flows and code lie there too.")
        with self.copy(context) as git:
            told = list(brought(context, git.folder, self.git_directory, self.namespace, self.dry_run))
        return {"files": difference(context, told, "files")}


class PushNamespaceFiles(GitTask, frozen=True, kw_only=True):
    """Commit files of a namespace and of the project to a repository's folder, and push them."""

    type_name: ClassVar[str] = "git.push_namespace_files"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.git.PushNamespaceFiles",)
    outputs: ClassVar[dict[str, str]] = {
        "commitId": "The commit; nothing when nothing had changed.",
        "commitURL": "Its page, where the repository is reached by HTTP.",
        "files": DIFFERENCE,
    }
    example: ClassVar[dict[str, object]] = {"url": URL, "branch": "from-production", "files": ["sql/*.sql"]}

    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    files: Annotated[str | list[str], Meta(description="Globs of the files.", examples=["sql/*.sql"])] = "**"
    git_directory: Annotated[str, Meta(description=FOLDER)] = "_files"
    delete: Annotated[bool, Meta(description="Whether files there that are not here are deleted.")] = True
    commit_message: Annotated[str, Meta(description="What the commit says.")] = "Add namespace files"
    author_name: Annotated[str, Meta(description="Who commits.")] = ""
    author_email: Annotated[str, Meta(description="Their address.")] = ""
    dry_run: Annotated[bool, Meta(description=DRY)] = False
    error_on_missing: Annotated[bool, Meta(description="Whether no file that fits is a failure.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Push them."""
        globs = [self.files] if isinstance(self.files, str) else self.files
        asked = context.ask(Ask.PROJECT_LIST, include=globs, exclude=[], namespace=self.namespace)
        names = cast("list[str]", asked)
        if not names and self.error_on_missing:
            raise TaskFailed("No file of the project fits.")
        with self.copy(context, new_branch=True) as git:
            folder = inside(git.folder, self.git_directory)
            folder.mkdir(parents=True, exist_ok=True)
            told = [self._written(context, git.folder, folder, name) for name in names]
            if self.delete:
                told += _removed(git.folder, folder, set(names))
            done: dict[str, object] = {"commitId": None, "commitURL": None}
            if not self.dry_run:
                author = author_of(self.author_name or self.username, self.author_email)
                done = pushed(git, self, self.git_directory, self.commit_message, author)
        return {**done, "files": difference(context, told, "files")}

    def _written(self, context: Context, root: Path, folder: Path, name: str) -> dict[str, object]:
        path = inside(folder, name)
        copy = context.workdir / str(context.ask(Ask.PROJECT_GET, path=name, namespace=self.namespace))
        state = _state(path, copy.read_bytes())
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(copy, path)
        return {"gitPath": str(path.relative_to(root)), "syncState": state, "path": name}


class Sync(SyncFlows, frozen=True, kw_only=True):
    """Bring the flows and the files of a repository here; `git.sync_flows` and the other one have taken its place."""

    type_name: ClassVar[str] = "git.sync"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.git.Sync",)
    outputs: ClassVar[dict[str, str]] = {"flows": "As of `git.sync_flows`.", "files": DIFFERENCE}
    example: ClassVar[dict[str, object]] = {"url": URL, "branch": "main"}

    target_namespace: Annotated[str, Meta(description="The namespace that flows get; the flow's own unless given.")] = (
        ""
    )
    include_child_namespaces: Annotated[bool, Meta(description=BELOW)] = True
    namespace_files_directory: Annotated[str, Meta(description=FOLDER)] = field(
        default="_files", name="namespaceFilesDirectory"
    )

    def run(self, context: Context) -> dict[str, object]:
        """Bring them."""
        with self.copy(context) as git:
            flows: list[dict[str, object]] = []
            if (git.folder / self.git_directory).is_dir():
                named = msgspec.structs.replace(self, target_namespace=self.target_namespace or context.about.namespace)
                flows = list(named.brought(context, git.folder))
            files: list[dict[str, object]] = []
            if (git.folder / self.namespace_files_directory).is_dir():
                place = self.namespace_files_directory
                files = list(brought(context, git.folder, place, "", self.dry_run))
        return {"flows": difference(context, flows), "files": difference(context, files, "files")}


def brought(context: Context, root: Path, directory: str, namespace: str, dry: bool) -> Iterator[dict[str, object]]:
    """Bring the files of a folder of a copy into the project; tells of each what happened."""
    folder = inside(root, directory)
    if not folder.is_dir():
        raise TaskFailed(f'The repository has no folder "{directory}".')
    known = set(cast("list[str]", context.ask(Ask.PROJECT_LIST, include=["**"], exclude=[], namespace=namespace)))
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        name = path.relative_to(folder).as_posix()
        state = "ADDED"
        if name in known:
            copy = context.workdir / str(context.ask(Ask.PROJECT_GET, path=name, namespace=namespace))
            state = "UNCHANGED" if copy.read_bytes() == path.read_bytes() else "UPDATED"
        if not dry and state != "UNCHANGED":
            file = path.relative_to(context.workdir).as_posix()
            context.ask(Ask.PROJECT_PUT, path=name, file=file, conflict="OVERWRITE", namespace=namespace)
        yield {"gitPath": str(path.relative_to(root)), "syncState": state, "path": name}


def _removed(root: Path, folder: Path, kept: set[str]) -> Iterator[dict[str, object]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in kept:
            path.unlink()
            yield {"gitPath": str(path.relative_to(root)), "syncState": "DELETED", "path": path.name}


def _state(path: Path, content: bytes) -> str:
    return "ADDED" if not path.exists() else "UNCHANGED" if path.read_bytes() == content else "UPDATED"
