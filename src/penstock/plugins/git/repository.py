"""What have the tasks that work with git in common? The repository, who asks, a copy of it; and to clone one."""

from __future__ import annotations

import contextlib
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Final

from msgspec import Meta, field

from penstock.errors.task import BadAddress
from penstock.plugins.git import program
from penstock.plugins.git.program import Git, Login
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Secret

URL: Final = "https://git.example.org/shop/flows.git"
PLACE: Final = re.compile(r"https?://[^/]+/(?:.*)")


class GitTask(TaskType, frozen=True, kw_only=True):
    """What every task with git declares."""

    mode: ClassVar[Mode] = Mode.WARM

    url: Annotated[str, Meta(description="Address of the repository.", examples=[URL])]
    branch: Annotated[str, Meta(description="The branch; the repository's own first one unless given.")] = ""
    username: Annotated[str, Meta(description="Who asks.")] = ""
    password: Annotated[Secret, Meta(description="The password, or a token.")] = Secret("")
    private_key: Annotated[Secret, Meta(description="The private key of SSH, as text.")] = Secret("")
    passphrase: Annotated[Secret, Meta(description="What the key is locked with.")] = Secret("")
    known_hosts: Annotated[
        str, Meta(description="Lines as in `known_hosts`: the keys that the machine may have; none means any.")
    ] = ""
    git_config: Annotated[
        dict[str, str], Meta(description="Settings of git.", examples=[{"http.postBuffer": "524288000"}])
    ] = field(default_factory=dict)
    trusted_ca_pem_path: Annotated[str, Meta(description="File of certificates that are trusted besides.")] = ""
    connect_timeout: Annotated[int, Meta(description="Read and not used: `timeout` bounds the task.")] = 0

    @contextlib.contextmanager
    def git(self, context: Context) -> Iterator[tuple[Git, str]]:
        """git, logged in, and the repository's address without a login in it."""
        url, user, password = program.address(self.url)
        login = Login(
            user=self.username or user,
            password=str(self.password) or password,
            key=str(self.private_key),
            passphrase=str(self.passphrase),
            known_hosts=self.known_hosts,
        )
        settings = dict(self.git_config)
        if self.trusted_ca_pem_path:
            settings["http.sslCAInfo"] = self.trusted_ca_pem_path
        with program.opened(context, login, settings) as git:
            yield git, url

    @contextlib.contextmanager
    def copy(self, context: Context, *, new_branch: bool = False) -> Iterator[Git]:
        """A copy of the branch; with `new_branch` it is begun from the repository's first one when it is not there."""
        with self.git(context) as (git, url):
            folder = context.workdir / f"repository-{uuid.uuid4().hex[:8]}"
            branch = program.ref(self.branch) if self.branch else ""
            there = bool(branch) and bool(git.run("ls-remote", "--heads", "--", url, f"refs/heads/{branch}").strip())
            if branch and not there and not new_branch:
                raise TaskFailed(f'The repository has no branch "{branch}".')
            chosen = ["--branch", branch] if there else []
            try:
                git.run("clone", "--quiet", "--depth", "1", *chosen, "--", url, str(folder))
                cloned = git.at(folder)
                if branch and not there:
                    cloned.run("checkout", "--quiet", "-B", branch)
                yield cloned
            finally:
                shutil.rmtree(folder, ignore_errors=True)


class Clone(GitTask, frozen=True, kw_only=True):
    """Clone a repository into the working directory."""

    type_name: ClassVar[str] = "git.clone"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.git.Clone",)
    outputs: ClassVar[dict[str, str]] = {
        "directory": "Path of the folder.",
        "commitId": "The commit that lies there now.",
    }
    example: ClassVar[dict[str, object]] = {"url": URL, "branch": "main"}

    directory: Annotated[str, Meta(description="Folder in the working directory; that itself unless given.")] = ""
    depth: Annotated[int, Meta(description="How many commits of history come along; 0 means all.")] = 1
    tag: Annotated[str, Meta(description="A tag instead of a branch.")] = ""
    commit: Annotated[str, Meta(description="A commit instead of a branch.")] = ""
    clone_submodules: Annotated[bool, Meta(description="Whether the repositories inside come along.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Clone it."""
        folder = inside(context.workdir, self.directory) if self.directory else context.workdir
        name = program.ref(self.tag, "tag") if self.tag else program.ref(self.branch) if self.branch else ""
        chosen = program.commit(self.commit) if self.commit else ""
        with self.git(context) as (git, url):
            arguments = ["clone", "--quiet"]
            # A commit may lie deeper than the history that comes along.
            arguments += ["--depth", str(self.depth)] if self.depth > 0 and not chosen else []
            arguments += ["--branch", name] if name and not chosen else []
            arguments += ["--recurse-submodules"] if self.clone_submodules else []
            folder.parent.mkdir(parents=True, exist_ok=True)
            git.run(*arguments, "--", url, str(folder))
            cloned = git.at(folder)
            if chosen:
                cloned.run("checkout", "--quiet", "--detach", chosen, "--")
            head = cloned.run("rev-parse", "HEAD").strip() if cloned.holds("rev-parse", "--verify", "HEAD") else ""
        context.log(f"{url} is at {head[:12] or 'no commit'}.")
        return {"directory": str(folder), "commitId": head}


def inside(folder: Path, name: str) -> Path:
    """The path of a name in a folder; BadAddress when it would lie elsewhere, by `..` or by a link."""
    pure = PurePosixPath(name)
    path = folder / pure
    if pure.is_absolute() or ".." in pure.parts or not path.resolve().is_relative_to(folder.resolve()):
        raise BadAddress(f'"{name}" would lie outside of its folder.')
    if ".git" in (part.lower() for part in pure.parts):
        raise BadAddress(f'"{name}" would lie in what git keeps for itself.')
    return path


def pushed(git: Git, task: GitTask, folder: str, message: str, author: tuple[str, str]) -> dict[str, object]:
    """Commit what has changed in a folder of a copy and push it; without a change, nothing happens."""
    git.run("add", "--all", "--", folder)
    if git.holds("diff", "--cached", "--quiet"):
        return {"commitId": None, "commitURL": None}
    name, email = author
    who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in
           (("NAME", name), ("EMAIL", email))}  # fmt: skip
    git.run("commit", "--quiet", "--file", "-", given=message, env=who)
    branch = task.branch or git.run("symbolic-ref", "--short", "HEAD").strip()
    git.run("push", "--quiet", "origin", f"HEAD:refs/heads/{program.ref(branch)}")
    head = git.run("rev-parse", "HEAD").strip()
    url, _, _ = program.address(task.url)
    page = f"{url.removesuffix('.git')}/commit/{head}" if PLACE.fullmatch(url) else None
    return {"commitId": head, "commitURL": page}
