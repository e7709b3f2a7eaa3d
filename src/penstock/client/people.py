"""What can be asked of a server about people, their tokens and roles, and what they did; and done with them?"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock.client.paging import Everything, Page, paged, whole
from penstock.client.shapes.people import (
    ActRow,
    ChainRow,
    Invited,
    Me,
    PersonRow,
    RoleRow,
    SessionsEnded,
    TokenMade,
    TokenRow,
)
from penstock.client.wire import Ask, Wire, path


@dataclass(frozen=True, slots=True)
class People:
    """Users and service accounts of a server."""

    wire: Wire

    def me(self) -> Me:
        """Who asks, and what they may do."""
        return self.wire.ask(Ask(method="GET", path=path("me"), safe=True), Me)

    def add(self, name: str, *, service: bool = False, password: str = "") -> PersonRow:
        """Add a user or a service account, who may do nothing yet. Raises PersonExists."""
        body = {"name": name, "service": service, "password": password}
        return self.wire.ask(Ask(method="POST", path=path("people"), body=body), PersonRow)

    def invite(self, name: str) -> str:
        """Draw an invitation by which a user chooses a password; told this once. Raises UnknownPerson."""
        return self.wire.ask(Ask(method="POST", path=path("people", name, "invite")), Invited).invitation

    def set_password(self, name: str, password: str) -> None:
        """Give a user a new password; their sessions end."""
        asked = Ask(method="PUT", path=path("people", name, "password"), body={"password": password})
        self.wire.ask(asked, type(None))

    def disable(self, name: str) -> PersonRow:
        """Keep somebody out, now."""
        return self.wire.ask(Ask(method="POST", path=path("people", name, "disable"), safe=True), PersonRow)

    def enable(self, name: str) -> PersonRow:
        """Let somebody in again."""
        return self.wire.ask(Ask(method="POST", path=path("people", name, "enable"), safe=True), PersonRow)

    def log_out(self, name: str) -> int:
        """End all sessions of somebody; gives how many those were."""
        return self.wire.ask(Ask(method="POST", path=path("people", name, "logout")), SessionsEnded).sessions

    def grant(self, name: str, role: str, namespace: str = "") -> None:
        """Grant a role in a namespace, or everywhere."""
        body = {"role": role, "namespace": namespace}
        self.wire.ask(Ask(method="POST", path=path("people", name, "grant"), body=body, safe=True), type(None))

    def revoke(self, name: str, role: str, namespace: str = "") -> None:
        """Take a role away."""
        body = {"role": role, "namespace": namespace}
        self.wire.ask(Ask(method="POST", path=path("people", name, "revoke"), body=body), type(None))

    def list(self) -> tuple[PersonRow, ...]:
        """Users and service accounts by name."""
        return whole(self.wire, path("people"), {}, Everything[PersonRow])


@dataclass(frozen=True, slots=True)
class Tokens:
    """By what programs come in."""

    wire: Wire

    def add(
        self,
        person: str = "",
        *,
        label: str = "",
        actions: Sequence[str] | None = None,
        namespaces: Sequence[str] | None = None,
        days: int | None = 90,
    ) -> TokenMade:
        """Make a token of somebody, or one's own; its secret is told this once."""
        body = {"label": label, "actions": actions, "namespaces": namespaces, "days": days}
        place = path("tokens") if person else path("me", "tokens")
        told = body | ({"person": person} if person else {})
        return self.wire.ask(Ask(method="POST", path=place, body=told), TokenMade)

    def revoke(self, begins: str, *, own: bool = False) -> None:
        """Make a token worthless, by what it begins with."""
        place = path("me", "tokens", begins) if own else path("tokens", begins)
        self.wire.ask(Ask(method="DELETE", path=place), type(None))

    def own(self) -> tuple[TokenRow, ...]:
        """One's own tokens."""
        return whole(self.wire, path("me", "tokens"), {}, Everything[TokenRow])

    def list(self, person: str = "") -> tuple[TokenRow, ...]:
        """Everybody's tokens, or somebody's; never their secrets."""
        return whole(self.wire, path("tokens"), {"person": person}, Everything[TokenRow])


@dataclass(frozen=True, slots=True)
class Roles:
    """What may be granted."""

    wire: Wire

    def put(self, name: str, actions: Sequence[str]) -> RoleRow:
        """Keep a role of one's own, new or changed: actions by name, or all of a kind (`runs.*`)."""
        asked = Ask(method="PUT", path=path("roles", name), body={"actions": actions}, safe=True)
        return self.wire.ask(asked, RoleRow)

    def delete(self, name: str) -> None:
        """Remove a role that nobody has."""
        self.wire.ask(Ask(method="DELETE", path=path("roles", name)), type(None))

    def list(self) -> tuple[RoleRow, ...]:
        """Roles and what they allow."""
        return whole(self.wire, path("roles"), {}, Everything[RoleRow])


@dataclass(frozen=True, slots=True)
class Audit:
    """What was done on a server."""

    wire: Wire

    def verify(self, head: str = "") -> ChainRow:
        """Whether what was done is still told as it was, and whether a head known from before is still there."""
        query = {"head": head}
        return self.wire.ask(Ask(method="GET", path=path("audit", "verify"), query=query, safe=True), ChainRow)

    def export(self) -> Iterator[bytes]:
        """All that was done as lines of JSON, with the seals; piece by piece."""
        with self.wire.given(Ask(method="GET", path=path("audit", "export"), safe=True)) as answer:
            yield from answer.pieces()

    def list(
        self,
        *,
        namespace: str = "",
        who: str = "",
        verb: str = "",
        since: datetime.datetime | str = "",
        until: datetime.datetime | str = "",
    ) -> Iterator[ActRow]:
        """What was done, newest first."""
        query = {"namespace": namespace, "who": who, "verb": verb, "since": since, "until": until, "limit": 500}
        return paged(self.wire, path("audit"), query, Page[ActRow])
