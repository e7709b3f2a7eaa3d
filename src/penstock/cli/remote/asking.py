"""How does a twin come by its client? By an address, and the first token that there is for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from penstock.app.places import locate
from penstock.cli.options import project_of
from penstock.cli.remote import logins
from penstock.client import Client
from penstock.errors import PenstockError
from penstock.errors.api import NotSignedIn
from penstock.errors.client import NotForServers
from penstock.services.access import local_key

LOGIN: Final = "`penstock client login {url}` lets you in, or PENSTOCK_TOKEN does."


@contextmanager
def asked(url: str, given: dict[str, Any]) -> Iterator[Client]:
    """Open a client for a server; a stranger is told how to come in."""
    url = url.rstrip("/")
    with Client(url, token_for(url, given)) as client:
        try:
            yield client
        except NotSignedIn as error:
            raise NotSignedIn(error.sentence, hint=LOGIN.format(url=url)) from None


def token_for(url: str, given: dict[str, Any]) -> str:
    """The token of the environment, of a login, or on this very machine the key of the project here."""
    return os.environ.get(logins.TOKEN, "") or logins.token_of(url) or _key(url, given)


def refuse(given: dict[str, Any], *names: str) -> None:
    """Refuse options that a server cannot be asked for. Raises NotForServers."""
    for name in names:
        if given.get(name):
            said = f"`--{name.replace('_', '-')}` works on a store, and cannot be asked of a server."
            raise NotForServers(said, hint="Leave it out, or name a store by `--store`.")


def _key(url: str, given: dict[str, Any]) -> str:
    """The key of the installation in the project's folder, which lets its owner in from the same machine."""
    if not local_key.is_loopback(urlsplit(url).hostname or ""):
        return ""
    try:
        state = locate(project_of(given.get("project", "")), os.environ).state
        return local_key.read(state) if (state / local_key.NAME).exists() else ""
    except (PenstockError, OSError):
        return ""  # a folder that is no project has no key
