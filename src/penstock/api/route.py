"""What is a route? A row of the table: method, address, shapes, the right it needs, and the function that answers."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Generic, TypeVar

from penstock.api.live.hub import Hub
from penstock.app import App
from penstock.model.access import Action, Actor, Scope
from penstock.model.backfill import Backfill
from penstock.model.run import Run
from penstock.services.core import Core

Q_co = TypeVar("Q_co", covariant=True)
B_co = TypeVar("B_co", covariant=True)
JSON = "application/json"
MEGABYTE = 1024 * 1024


class Kind(enum.StrEnum):
    """How a route answers: with one value, with the bytes of a file, or with events for as long as somebody listens."""

    PLAIN = "plain"
    FILE = "file"
    STREAM = "stream"


class Where(enum.StrEnum):
    """How the namespace is found that a route is about, and in which its action is needed.

    PUBLIC asks nobody, SIGNED_IN only who asks; WHOLE needs the action everywhere. Of PATH it stands in the address, of
    BODY in the body, of RUN and BACKFILL it is theirs; a LIST shows what lies in the scope of who asks.
    """

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    WHOLE = "whole"
    PATH = "path"
    BODY = "body"
    RUN = "run"
    BACKFILL = "backfill"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Call(Generic[Q_co, B_co]):
    """One call as a handler gets it: who asks, where they may do what the route does, and what was sent, as values.

    `hub` tells those who listen; `core` is what services need, asked by whoever calls; `about` is the run or
    the backfill in the address, where there is one. `secure`: who calls does so by HTTPS.
    """

    app: App
    hub: Hub
    core: Core
    actor: Actor
    scope: Scope
    path: Mapping[str, str]
    query: Q_co
    body: B_co
    headers: Mapping[str, str] = field(default_factory=dict)
    about: Run | Backfill | None = None
    secure: bool = False

    @property
    def by(self) -> str:
        """Who asks, as histories name them."""
        return self.actor.name

    @property
    def run(self) -> Run:
        """The run in the address, as it was when the call came."""
        assert isinstance(self.about, Run)
        return self.about

    @property
    def backfill(self) -> Backfill:
        """The backfill in the address, likewise."""
        assert isinstance(self.about, Backfill)
        return self.about


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler gives where a value alone does not say it: another status, an ETag, further headers."""

    value: object = None
    status: int | None = None
    etag: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes as they are, piece by piece; `media` says what they are. `file` is closed when they have been sent, or when
    nobody wants them any more.
    """

    pieces: Iterable[bytes]
    media: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    file: BinaryIO | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """An answer that is given once a run has ended, or nobody can be expected to wait any longer: what `then` says."""

    run: str
    then: Callable[[], object]


Handler = Callable[[Call[Any, Any]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the table. `takes` and `gives` are media types, `limit` the bytes that a body may have.

    `answer` is the shape of what it gives (None: nothing, 204), `status` what a good answer says, `also` what it may
    say as well. A `query` that is `dict` takes whatever parameters there are, each with its values.
    """

    method: str
    path: str
    summary: str
    handler: Handler
    where: Where
    action: Action | None = None
    query: type | None = None
    body: type | None = None
    answer: Any = None
    status: int = 200
    also: tuple[int, ...] = ()
    kind: Kind = Kind.PLAIN
    takes: str = JSON
    gives: str = JSON
    limit: int = MEGABYTE
    idempotent_key: bool = False

    @property
    def name(self) -> str:
        """What programs call it: the handler's name."""
        return self.handler.__name__

    @property
    def tag(self) -> str:
        """What it is about: the first word of its address behind the version."""
        words = self.path.strip("/").split("/")
        return words[1] if words[0] == "v1" and len(words) > 1 else "server"
