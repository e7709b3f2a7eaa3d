"""When is a branch looked at? Once in a while and when somebody wants it, by the server that leads, in nobody's way."""

from __future__ import annotations

import hmac
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from penstock.errors import PenstockError
from penstock.errors.api import BadSignature, NoSuchAddress
from penstock.errors.project import UnknownBranch
from penstock.model.access import Action
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.git.source import Source
from penstock.services.git.sync import sync
from penstock.services.project import Manner
from penstock.store import git as table
from penstock.store.git import State
from penstock.telemetry import Level

BEAT: Final = 1.0
GITHUB: Final = "x-hub-signature-256"
GITEA: Final = "x-gitea-signature"
GITLAB: Final = "x-gitlab-token"


class Pulling:
    """Looks at branches in a thread of its own while its server leads; opens with `start`, closes with `close`."""

    def __init__(
        self, core: Core, led: threading.Event, sources: Sequence[Source], manner: Manner, folder: Path
    ) -> None:
        self._core = core
        self._led = led
        self._sources = tuple(sources)
        self._manner = manner
        self._folder = folder
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penstock-git", daemon=True)

    def start(self) -> None:
        """Begin, where there is any branch to look at; safe to call twice."""
        if self._sources and not self._thread.is_alive() and not self._stopping.is_set():
            self._thread.start()

    def close(self) -> None:
        """Stop, and end a git that is under way; safe to call twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def turn(self) -> None:
        """Look at every branch whose time has come."""
        known = self._core.store.read(table.every)
        for source in self._sources:
            state = known.get(source.name, State(name=source.name))
            wanted = state.wanted_at > state.looked_at
            if self._stopping.is_set() or not self._led.is_set():
                return
            if wanted or self._core.clock.now() - state.looked_at >= source.every:
                stopped = self._stopping.is_set
                sync(self._core, source, self._manner, self._folder, again=wanted, stopped=stopped)

    def _run(self) -> None:
        while not self._stopping.wait(BEAT):
            if not self._led.is_set():
                continue
            try:
                self.turn()
            except PenstockError as error:
                self._say("git.failed", Level.WARNING, why=str(error))
            except Exception as fault:  # whatever is wrong with one branch must not end the looking for good
                where = traceback.format_exc(limit=-3)
                self._say("git.fault", Level.ERROR, why=repr(fault), where=where)

    def _say(self, name: str, level: Level, **fields: object) -> None:
        self._core.notices.say(name, self._core.clock.now(), level, **fields)


def found(sources: Mapping[str, Source], name: str) -> Source:
    """A branch by its name. Raises UnknownBranch."""
    if name not in sources:
        known = ", ".join(sources) or "none"
        raise UnknownBranch(f'There is no branch "{name[:100]}" that flows come from; there are: {known}.')
    return sources[name]


@audited(Action.FLOWS_EDIT, "git.pull", "{source.name}", namespace="{source.within}")
def want(core: Core, source: Source) -> None:
    """Have a branch looked at soon, by whichever server leads."""
    now = core.clock.now()
    core.store.write(lambda tx: table.want(tx, source.name, now))


def knock(core: Core, sources: Mapping[str, Source], name: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Have a branch looked at because its repository says so. Raises NoSuchAddress, BadSignature.

    Signed as GitHub and Gitea do it, by an HMAC of the body with SHA-256, or with GitLab's token, which is the secret.
    """
    source = sources.get(name)
    secret = source.webhook_by(core) if source is not None else ""
    if source is None or not secret:
        raise NoSuchAddress("Nothing is served at this address.")
    made = hmac.digest(secret.encode(), body, "sha256").hex()
    given = {each: headers.get(each, "") for each in (GITHUB, GITEA, GITLAB)}
    fits = (
        hmac.compare_digest(f"sha256={made}".encode(), given[GITHUB].encode()),
        hmac.compare_digest(made.encode(), given[GITEA].encode()),
        hmac.compare_digest(secret.encode(), given[GITLAB].encode()),
    )
    if not any(fits):
        raise BadSignature("The request is not signed by who knows the secret of this branch.")
    want(core, source)
