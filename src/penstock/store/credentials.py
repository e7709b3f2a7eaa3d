"""By what do people prove who they are? Sessions, tokens, invitations: kept as hashes; and logins that failed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from penstock.model.access import Action, ActorKind, Grant, Narrowed
from penstock.store import codec, people
from penstock.store.port import Row, Tx


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it can be shown: its prefix tells which one it is, its secret is known to its bearer alone."""

    prefix: str
    person: str
    label: str
    narrowed: Narrowed
    created_at: int
    created_by: str
    expires_at: int | None
    used_at: int | None


class Session(msgspec.Struct, frozen=True):
    """A login that is still good."""

    created_at: int
    seen_at: int
    expires_at: int
    origin: str


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes by a token or a session, and when that was last noted as used (0: never)."""

    name: str
    kind: ActorKind
    prefix: str
    narrowed: Narrowed
    noted_at: int
    grants: tuple[Grant, ...]


class Wrong(msgspec.Struct, frozen=True):
    """How often a user's, or an address's, logins have failed, and until when none is tried."""

    what: str
    count: int
    last_at: int
    until: int


class Sent(msgspec.Struct, frozen=True):
    """A login that was sent to a provider: what has to come back with it, and what proves that we had sent it."""

    nonce: str
    verifier: str


class Link(msgspec.Struct, frozen=True):
    """What a session or an invitation is kept as: the hash of its secret, whose it is, and until when."""

    hash: str
    person: str
    expires_at: int


def open_session(tx: Tx, link: Link, now: int, origin: str) -> None:
    """Keep a new session."""
    tx.run("credentials.open_session", now=now, origin=origin, **msgspec.structs.asdict(link))


def session(tx: Tx, hashed: str, now: int, idle: int) -> Bearer | None:
    """Tell who comes by a session that has not expired and was seen after `idle`."""
    return _bearer(tx.all("credentials.session", hash=hashed, now=now, idle=idle))


def see_session(tx: Tx, hashed: str, now: int) -> None:
    """Note that a session is in use."""
    tx.run("credentials.see_session", hash=hashed, now=now)


def close_session(tx: Tx, hashed: str) -> bool:
    """End a session; False when there was none."""
    return tx.run("credentials.close_session", hash=hashed) == 1


def close_sessions(tx: Tx, person: str, but: str = "") -> int:
    """End somebody's sessions, but for one by its hash, and tell how many that were."""
    return tx.run("credentials.close_sessions", person=person, but=but)


def sessions(tx: Tx, person: str, now: int) -> list[Session]:
    """Give somebody's sessions, newest first."""
    return [codec.value(row, Session) for row in tx.all("credentials.sessions", person=person, now=now)]


def add_token(tx: Tx, hashed: str, token: Token) -> None:
    """Keep a new token. A prefix that is taken is an error of the database: it is drawn at random."""
    tx.run(
        "credentials.add_token", hash=hashed, prefix=token.prefix, person=token.person, label=token.label,
        narrowed=_narrowed_text(token.narrowed), now=token.created_at, by=token.created_by, expires_at=token.expires_at,
    )  # fmt: skip


def token(tx: Tx, hashed: str, now: int) -> Bearer | None:
    """Tell who comes by a token that has not expired."""
    return _bearer(tx.all("credentials.token", hash=hashed, now=now))


def use_token(tx: Tx, hashed: str, now: int) -> None:
    """Note that a token is in use."""
    tx.run("credentials.use_token", hash=hashed, now=now)


def tokens(tx: Tx, person: str = "") -> list[Token]:
    """Give somebody's tokens, or everybody's."""
    found = []
    for prefix, owner, label, narrowed, created_at, by, expires_at, used_at in tx.all(
        "credentials.tokens", person=person
    ):
        found.append(
            Token(
                prefix=str(prefix), person=str(owner), label=str(label), narrowed=_narrowed(narrowed),
                created_at=codec.number(created_at), created_by=str(by),
                expires_at=codec.maybe(expires_at), used_at=codec.maybe(used_at),
            )
        )  # fmt: skip
    return found


def revoke_token(tx: Tx, prefix: str) -> bool:
    """Remove a token; False when there is none."""
    return tx.run("credentials.revoke_token", prefix=prefix) == 1


def invite(tx: Tx, link: Link, now: int) -> None:
    """Keep an invitation in the place of earlier ones for the same person; those for nobody yet stand side by side."""
    tx.run("credentials.withdraw", person=link.person or "-", now=now)
    tx.run("credentials.invite", **msgspec.structs.asdict(link))


def invited(tx: Tx, hashed: str, now: int) -> str | None:
    """Tell for whom an invitation is (nobody yet: empty); None when there is none that is good."""
    row = tx.one("credentials.invitation", hash=hashed, now=now)
    return str(row[0]) if row else None


def take_invitation(tx: Tx, hashed: str) -> bool:
    """Use an invitation up; False when somebody has used it."""
    return tx.run("credentials.take_invitation", hash=hashed) == 1


def send_login(tx: Tx, hashed: str, sent: Sent, expires_at: int, now: int) -> None:
    """Keep a login until it comes back, and forget those that never did."""
    tx.run("credentials.expire_logins", now=now)
    tx.run("credentials.send_login", hash=hashed, nonce=sent.nonce, verifier=sent.verifier, expires_at=expires_at)


def take_login(tx: Tx, hashed: str, now: int) -> Sent | None:
    """Take a login that comes back, once; None when none was sent."""
    row = tx.one("credentials.sent_login", hash=hashed, now=now)
    return codec.value(row, Sent) if row and tx.run("credentials.take_login", hash=hashed) == 1 else None


def wrong(tx: Tx, whats: Iterable[str]) -> dict[str, Wrong]:
    """Tell how often logins by these have failed."""
    rows = tx.all("credentials.wrong", whats=list(whats))
    return {str(row[0]): codec.value(row, Wrong) for row in rows}


def try_login(tx: Tx, what: str, now: int, forgotten: int) -> int | None:
    """Count a try, which is wrong until it is known to be right, and give how many there were of late; None while
    nothing is to be tried. Others who try the same wait for this transaction.
    """
    row = tx.one("credentials.try_login", what=what, now=now, forgotten=forgotten)
    return codec.number(row[0]) if row else None


def wait(tx: Tx, what: str, until: int) -> None:
    """Let nothing be tried before an instant."""
    tx.run("credentials.wait", what=what, until=until)


def forgive_one(tx: Tx, what: str) -> None:
    """Take one failure back."""
    tx.run("credentials.forgive_one", what=what)


def forgive(tx: Tx, what: str) -> None:
    """Forget the failures of one."""
    tx.run("credentials.forgive", what=what)


def expire(tx: Tx, now: int, idle: int, before: int) -> int:
    """Remove sessions past their time and failures before an instant, and tell how many sessions that were."""
    tx.run("credentials.forget_wrong", before=before)
    return tx.run("credentials.expire_sessions", now=now, idle=idle)


def _bearer(rows: list[Row]) -> Bearer | None:
    if not rows:
        return None
    name, kind, prefix, narrowed, noted_at = rows[0][:5]
    granted = [people.grant_of(*row[5:]) for row in rows if row[5] is not None]
    return Bearer(
        name=str(name),
        kind=ActorKind(str(kind)),
        prefix=str(prefix),
        narrowed=_narrowed(narrowed) if narrowed else Narrowed(),
        noted_at=codec.number(noted_at),
        grants=tuple(granted),
    )


def _narrowed_text(kept: Narrowed) -> str:
    return codec.text(
        {
            "actions": None if kept.actions is None else sorted(kept.actions),
            "namespaces": None if kept.namespaces is None else list(kept.namespaces),
        }
    )


def _narrowed(body: object) -> Narrowed:
    """Read what a token keeps; actions that this Penstock does not know (any more) are kept out."""
    said = codec.data(body)
    known = {str(action): action for action in Action}
    words, spaces = said["actions"], said["namespaces"]
    return Narrowed(
        actions=frozenset(known[word] for word in words if word in known) if isinstance(words, list) else None,
        namespaces=tuple(str(each) for each in spaces) if isinstance(spaces, list) else None,
    )
