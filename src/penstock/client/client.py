"""How does a Python program speak to a server? By a client: an address, a token, and a part for each kind of thing."""

from __future__ import annotations

import io
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from penstock.client.alerts import Alerts
from penstock.client.events import listen
from penstock.client.files import Files
from penstock.client.flows import Branches, Flows
from penstock.client.kept import Installation, Kv, Maintenance, Secrets
from penstock.client.people import Audit, People, Roles, Tokens
from penstock.client.runs import Runs
from penstock.client.shapes.parts import ChangeRow, Uploaded
from penstock.client.shapes.people import LoggedIn
from penstock.client.times import Backfills, Triggers
from penstock.client.wire import TIMEOUT, Ask, Wire, path


class Client:
    """A server, asked with the rights of a token; any thread may ask. Opens connections as needed, closes them.

    What a server refuses is raised as the error that the verb itself raises, with the same code. Calls that may be sent
    twice without being done twice are sent again where the server is away for a moment.
    """

    def __init__(
        self, url: str, token: str = "", *, timeout: float = TIMEOUT, tls: ssl.SSLContext | None = None
    ) -> None:
        self.wire = Wire(url, token, timeout, tls)
        self.flows = Flows(self.wire)
        self.runs = Runs(self.wire)
        self.files = Files(self.wire)
        self.branches = Branches(self.wire)
        self.triggers = Triggers(self.wire)
        self.backfills = Backfills(self.wire)
        self.kv = Kv(self.wire)
        self.secrets = Secrets(self.wire)
        self.alerts = Alerts(self.wire)
        self.maintenance = Maintenance(self.wire)
        self.installation = Installation(self.wire)
        self.people = People(self.wire)
        self.tokens = Tokens(self.wire)
        self.roles = Roles(self.wire)
        self.audit = Audit(self.wire)

    @property
    def url(self) -> str:
        """The address of the server."""
        return self.wire.url

    def upload(self, source: Path | BinaryIO | bytes, name: str = "") -> Uploaded:
        """Keep a file on the server, for an input of type FILE, which takes its address. Raises BadFileName."""
        if isinstance(source, Path):
            with source.open("rb") as file:
                return self.upload(file, name or source.name)
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        asked = Ask(method="POST", path=path("uploads", name or "file"), file=stream, safe=True)
        return self.wire.ask(asked, Uploaded)

    def changes(self, what: Sequence[str] = (), *, namespace: str = "") -> Iterator[ChangeRow]:
        """What changes from now on (runs, claims, flows …), for as long as somebody listens.

        A row of the kind `reload` says that some were missed: anything may have changed.
        """
        for heard in listen(self.wire, path("changes"), {"what": what, "namespace": namespace}):
            match heard.name:
                case "changes":
                    yield from msgspec.json.decode(heard.data, type=tuple[ChangeRow, ...])
                case "reload":
                    yield ChangeRow(what="reload", key="", version=0, at="")
                case _:
                    pass

    def close(self) -> None:
        """Close its connections; safe to call twice."""
        self.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def log_in(url: str, name: str, password: str, *, label: str = "", days: int | None = 90) -> str:
    """Make a token of one's own by name and password; the session that this needs is ended. Raises WrongLogin."""
    wire = Wire(url)
    try:
        asked = Ask(method="POST", path=path("login"), body={"name": name, "password": password})
        with wire.given(asked) as answer:
            session = msgspec.json.decode(answer.read(), type=LoggedIn)
            cookie = (answer.response.headers.get("Set-Cookie") or "").partition(";")[0]
        known = {"Cookie": cookie, "X-CSRF-Token": session.csrf}
        body = {"label": label, "days": days}
        made = wire.ask(Ask(method="POST", path=path("me", "tokens"), body=body, headers=known), Made)
        wire.ask(Ask(method="POST", path=path("logout"), headers=known), type(None))
        return made.secret
    finally:
        wire.close()


class Made(msgspec.Struct, frozen=True):
    """A token that was made, as far as a login needs it."""

    secret: str
