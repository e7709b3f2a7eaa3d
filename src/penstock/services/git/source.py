"""What is a branch that flows and files come from? Its address, its folders, where they go, and who asks."""

from __future__ import annotations

import msgspec

from penstock.errors.git import GitFailed
from penstock.model.access import Actor, ActorKind, Grant
from penstock.plugins.git.program import Login
from penstock.services.core import Core


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Names of secrets, in the namespace of the source; empty: none is asked for."""

    password: str = ""
    private_key: str = ""
    passphrase: str = ""
    webhook: str = ""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A branch. `folder` is where the project lies in it, `flows` are folders in that; `files`: namespace → folder.

    `namespaces`: namespace as the texts say → as it is here. `within` is where it may write, and below; `every` in
    microseconds. `prune`: what it brought and has no more is removed. The key and the known hosts are texts.
    """

    name: str
    url: str
    branch: str
    folder: str = ""
    flows: tuple[str, ...] = ("flows",)
    files: dict[str, str] = {}
    namespaces: dict[str, str] = {}
    within: str = ""
    every: int = 60_000_000
    prune: bool = True
    login: Login = Login()
    webhook: str = ""
    secrets: Named = Named()

    @property
    def actor(self) -> Actor:
        """Who the audit says has brought it: it may edit where it is to write, and nowhere else."""
        return Actor(name=f"git {self.name}", kind=ActorKind.SERVICE, grants=(Grant("editor", self.within),), via="git")

    def login_by(self, core: Core) -> Login:
        """Who asks the repository, secrets unsealed. Raises GitFailed."""
        return Login(
            user=self.login.user,
            password=_secret(core, self, self.secrets.password) or self.login.password,
            key=_secret(core, self, self.secrets.private_key) or self.login.key,
            passphrase=_secret(core, self, self.secrets.passphrase) or self.login.passphrase,
            known_hosts=self.login.known_hosts,
        )

    def webhook_by(self, core: Core) -> str:
        """What proves that a request comes from the repository; empty: nothing does. Raises GitFailed."""
        return _secret(core, self, self.secrets.webhook) or self.webhook


def _secret(core: Core, source: Source, name: str) -> str:
    if not name:
        return ""
    found = core.secrets.get(source.within, name)
    if found is None:
        raise GitFailed(f'There is no secret "{name}", which the branch "{source.name}" needs.')
    return found
