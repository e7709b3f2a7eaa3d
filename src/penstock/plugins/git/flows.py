"""How do flows come here from a repository, and go there from here?"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final, cast

import msgspec
from msgspec import Meta

from penstock.errors.task import NotOffered, Refused
from penstock.plugins.git.repository import URL, GitTask, inside, pushed
from penstock.sdk.context import Ask, Context, Level
from penstock.sdk.task import TaskFailed

NAMESPACE: Final = re.compile(r"^namespace[ \t]*:.*$", re.MULTILINE)
ENDINGS: Final = (".yaml", ".yml")
DRY: Final = "Whether only what would happen is told."
FOLDER: Final = "Folder of the repository that holds flows; folders in it are namespaces below."
BELOW: Final = "Whether namespaces below count."
DIFFERENCE: Final = "Address of a file of JSON lines, one per flow: gitPath, syncState, namespace, flowId, revision."


class SyncFlows(GitTask, frozen=True, kw_only=True):
    """Bring the flows of a repository's folder here, as newest revisions of a namespace's flows."""

    type_name: ClassVar[str] = "git.sync_flows"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.git.SyncFlows",)
    outputs: ClassVar[dict[str, str]] = {"flows": DIFFERENCE}
    example: ClassVar[dict[str, object]] = {"url": URL, "branch": "main", "targetNamespace": "shop"}

    target_namespace: Annotated[str, Meta(description="The namespace that they get, whatever their texts say.")]
    git_directory: Annotated[str, Meta(description=FOLDER)] = "_flows"
    include_child_namespaces: Annotated[bool, Meta(description=BELOW)] = False
    delete: Annotated[bool, Meta(description="Whether flows here that the repository has not are deleted.")] = False
    ignore_invalid_flows: Annotated[bool, Meta(description="Whether texts that are no flows are passed by.")] = False
    dry_run: Annotated[bool, Meta(description=DRY)] = False

    def run(self, context: Context) -> dict[str, object]:
        """Bring them."""
        with self.copy(context) as git:
            told = list(self.brought(context, git.folder))
        return {"flows": difference(context, told)}

    def brought(self, context: Context, folder: Path) -> Iterator[dict[str, object]]:
        """Bring the flows of a copy of the repository; tells of each what happened."""
        texts = list(flow_texts(inside(folder, self.git_directory), self.target_namespace))
        texts = [each for each in texts if self.include_child_namespaces or each[1] == self.target_namespace]
        meant: set[tuple[str, str]] = set()
        # All are looked at before the first is changed.
        for dry in (True, False) if not self.dry_run else (True,):
            for path, namespace, text in texts:
                source = placed(text, namespace)
                try:
                    done = cast("dict[str, object]", context.ask(Ask.FLOW_PUT, source=source, dry=dry))
                except Refused as refused:
                    if not self.ignore_invalid_flows:
                        raise TaskFailed(f'"{path.relative_to(folder)}": {refused.sentence}') from None
                    if dry:
                        context.log(f'"{path.relative_to(folder)}" is passed by: {refused.sentence}', Level.WARN)
                    continue
                meant.add((str(done["namespace"]), str(done["flow"])))
                if not dry or self.dry_run:
                    yield _told(str(path.relative_to(folder)), done)
        if self.delete:
            yield from self._deleted(context, meant)

    def _deleted(self, context: Context, meant: set[tuple[str, str]]) -> Iterator[dict[str, object]]:
        for each in here(context, self.target_namespace, self.include_child_namespaces):
            who = (str(each["namespace"]), str(each["flow"]))
            # The flow that does this stays: who deletes itself is not there to be told.
            if who in meant or who == (context.about.namespace, context.about.flow.rpartition(".")[2]):
                continue
            if not self.dry_run:
                context.ask(Ask.FLOW_DELETE, namespace=who[0], flow=who[1])
            yield _told(None, {**each, "state": "DELETED"})


class PushFlows(GitTask, frozen=True, kw_only=True):
    """Commit the flows of a namespace to a repository's folder, and push them."""

    type_name: ClassVar[str] = "git.push_flows"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.git.PushFlows",)
    outputs: ClassVar[dict[str, str]] = {
        "commitId": "The commit; nothing when nothing had changed.",
        "commitURL": "Its page, where the repository is reached by HTTP.",
        "flows": DIFFERENCE,
    }
    example: ClassVar[dict[str, object]] = {"url": URL, "branch": "from-production", "sourceNamespace": "shop"}

    source_namespace: Annotated[str, Meta(description="The namespace; the flow's own unless given.")] = ""
    target_namespace: Annotated[
        str, Meta(description="The namespace that their texts say then; the same unless given.")
    ] = ""
    flows: Annotated[str | list[str], Meta(description="Globs of ids of flows.", examples=["load_*"])] = "**"
    include_child_namespaces: Annotated[bool, Meta(description=BELOW)] = False
    git_directory: Annotated[str, Meta(description=FOLDER)] = "_flows"
    delete: Annotated[bool, Meta(description="Whether files of flows that are not here any more are deleted.")] = True
    commit_message: Annotated[str, Meta(description="What the commit says.")] = "Add flows"
    author_name: Annotated[str, Meta(description="Who commits.")] = ""
    author_email: Annotated[str, Meta(description="Their address.")] = ""
    dry_run: Annotated[bool, Meta(description=DRY)] = False

    def run(self, context: Context) -> dict[str, object]:
        """Push them."""
        source = self.source_namespace or context.about.namespace
        target = self.target_namespace or source
        globs = [self.flows] if isinstance(self.flows, str) else self.flows
        with self.copy(context, new_branch=True) as git:
            folder = inside(git.folder, self.git_directory)
            folder.mkdir(parents=True, exist_ok=True)
            told, written = [], set[Path]()
            for each in here(context, source, self.include_child_namespaces):
                if not any(fnmatch.fnmatch(str(each["flow"]), glob) for glob in globs):
                    continue
                below = str(each["namespace"])[len(source) :].strip(".").replace(".", "/")
                path = _file_of(inside(folder, f"{below}/{each['flow']}" if below else str(each["flow"])))
                text = placed(str(each["source"]), target + str(each["namespace"])[len(source) :])
                state = "ADDED" if not path.exists() else "UNCHANGED" if path.read_text() == text else "UPDATED"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                written.add(path)
                told.append(_told(str(path.relative_to(git.folder)), {**each, "state": state}))
            for path, _, _ in list(flow_texts(folder, target)) if self.delete else ():
                if path not in written and any(fnmatch.fnmatch(path.stem, glob) for glob in globs):
                    path.unlink()
                    told.append({"gitPath": str(path.relative_to(git.folder)), "syncState": "DELETED"})
            done: dict[str, object] = {"commitId": None, "commitURL": None}
            if not self.dry_run:
                author = author_of(self.author_name or self.username, self.author_email)
                done = pushed(git, self, self.git_directory, self.commit_message, author)
        return {**done, "flows": difference(context, told)}


class TenantSync(GitTask, frozen=True, kw_only=True):
    """Bring all of a tenant here; not offered, for here are no tenants."""

    type_name: ClassVar[str] = "git.tenant_sync"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.git.TenantSync",)
    example: ClassVar[dict[str, object]] = {"url": URL}

    def run(self, context: Context) -> None:
        """Say that it cannot be done."""
        raise NotOffered("There are no tenants here.", hint="`git.sync_flows` brings the flows of a namespace.")


def flow_texts(folder: Path, namespace: str) -> Iterator[tuple[Path, str, str]]:
    """The files of flows below a folder: path, namespace by their folder, text."""
    if not folder.is_dir():
        raise TaskFailed(f'The repository has no folder "{folder.name}".')
    for path in sorted(folder.rglob("*")):
        if path.suffix in ENDINGS and path.is_file() and not path.is_symlink():
            below = path.parent.relative_to(folder).parts
            yield path, ".".join((namespace, *below)), path.read_text()


def placed(text: str, namespace: str) -> str:
    """The text of a flow with another namespace."""
    return NAMESPACE.sub(lambda _: f"namespace: {namespace}", text, count=1)


def here(context: Context, namespace: str, below: bool) -> list[dict[str, object]]:
    """The flows of a namespace that are here."""
    return cast("list[dict[str, object]]", context.ask(Ask.FLOWS_LIST, namespace=namespace, below=below))


def difference(context: Context, told: list[dict[str, object]], what: str = "flows") -> str:
    """Store what happened to each; gives the file's address."""
    path = context.workdir / f"difference-of-{what}.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in told))
    return context.store(path)


def author_of(name: str, email: str) -> tuple[str, str]:
    """Who commits: a name and an address."""
    return name or "Penstock", email or "penstock@localhost"


def _file_of(path: Path) -> Path:
    """The file of a flow: as it is there, else with our ending."""
    return next((each for ending in ENDINGS if (each := path.with_name(path.name + ending)).is_file()),
                path.with_name(path.name + ENDINGS[0]))  # fmt: skip


def _told(path: str | None, each: dict[str, object]) -> dict[str, object]:
    return {
        "gitPath": path,
        "syncState": each["state"],
        "namespace": each["namespace"],
        "flowId": each["flow"],
        "revision": each["revision"],
    }
