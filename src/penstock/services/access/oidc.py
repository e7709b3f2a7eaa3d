"""How do people come in who have proved elsewhere who they are? By OpenID Connect: its code flow, PKCE and a nonce.

Who they are to the provider is its `sub`, which never changes; a name or an address of mail links nobody.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

import msgspec

from penstock.errors.access import NotKnownHere, PersonExists, ProviderFailed, UnknownPerson
from penstock.errors.task import MissingExtra
from penstock.model.access import Action, Actor, ActorKind
from penstock.model.policy import SECOND
from penstock.services import pinned
from penstock.services.access import keys, sessions
from penstock.services.access.audited import audited
from penstock.services.access.people import NAME, check_over, person
from penstock.services.core import Core
from penstock.store import credentials, people
from penstock.store.credentials import Sent
from penstock.store.port import Tx

if TYPE_CHECKING:
    from joserfc.jwk import KeySetSerialization

AWAY: Final = 600 * SECOND
TIMEOUT: Final = 10.0
LEEWAY: Final = 60
OK: Final = 200
# No algorithm by which whoever knows the client's secret could vouch for anybody.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
P = ParamSpec("P")
R = TypeVar("R")


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """Who vouches for people, and what we are to it."""

    issuer: str
    client_id: str
    client_secret: str
    callback: str
    scopes: tuple[str, ...]
    create: bool = False


class Begun(msgspec.Struct, frozen=True):
    """Where a browser goes to prove who is there, and what it keeps meanwhile."""

    url: str
    secret: str


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser brings back: what it kept, and what the provider sent along."""

    secret: str
    state: str
    code: str
    error: str = ""
    issuer: str = ""


def vouched(work: Callable[P, R]) -> Callable[P, R]:
    """Let what goes wrong with a provider be told as such."""

    @functools.wraps(work)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            library = _library()
            from authlib.common.errors import AuthlibBaseError
            from joserfc.errors import JoseError
        except ImportError:
            raise MissingExtra("Logins by a provider need Authlib.", hint='pip install "penstock[oidc]"') from None
        try:
            return work(*args, **kwargs)
        except (library.HTTPError, AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderFailed(f"The provider of logins failed: {type(error).__name__}.") from error

    return told


@vouched
def begin(core: Core, provider: Provider) -> Begun:
    """Send somebody to the provider. Raises ProviderFailed, MissingExtra."""
    secret, now = keys.draw(), core.clock.now()
    sent = Sent(keys.draw(), keys.draw(64))
    about = _about(provider, now)
    with _client(provider) as client:
        url, _ = client.create_authorization_url(
            about["authorization_endpoint"], state=keys.kept(secret), nonce=sent.nonce, code_verifier=sent.verifier
        )
    core.store.write(lambda tx: credentials.send_login(tx, keys.kept(secret), sent, now + AWAY, now))
    return Begun(str(url), secret)


def finish(core: Core, provider: Provider, back: Back, origin: str = "") -> sessions.Opened:
    """Open a session for who comes back. Raises ProviderFailed, NotKnownHere, PersonExists."""
    now = core.clock.now()
    sent = core.store.write(lambda tx: credentials.take_login(tx, keys.kept(back.secret), now))
    if sent is None or keys.kept(back.secret) != back.state:
        raise ProviderFailed("This login was not begun here, or too long ago.", hint="Begin anew.")
    if back.error or (back.issuer and back.issuer != provider.issuer):
        raise ProviderFailed("The provider of logins did not vouch for anybody.", hint="Begin anew.")
    claims = _claims(provider, sent, back.code, now)
    name = core.store.read(lambda tx: people.linked(tx, provider.issuer, claims["sub"]))
    if name is None:
        name = _create(core.asked_by(Actor(name=_name(claims), via="provider", origin=origin)), provider, claims["sub"])
    return sessions.open_session(core, name, origin)


@audited(Action.PEOPLE_EDIT, "people.link", "{name}", keeps=("subject",))
def link(core: Core, provider: Provider, name: str, subject: str) -> None:
    """Let a user come in as whom the provider knows by a subject. Raises UnknownPerson, PersonExists, MayNot."""

    def work(tx: Tx) -> None:
        found = person(tx, name)
        if found.kind is not ActorKind.USER:
            raise UnknownPerson(f"{name} is a service account, which does not log in.")
        check_over(core.actor, found)
        if not people.link(tx, provider.issuer, subject, name) and people.linked(tx, provider.issuer, subject) != name:
            raise PersonExists("Somebody else is linked to this subject.")

    core.store.write(work)


@audited(None, "people.create", "{core.actor.name}", keeps=("subject",))
def _create(core: Core, provider: Provider, subject: str) -> str:
    """Make a user of whom the provider vouches for; one who has the name already is not the same."""
    name, now = core.actor.name, core.clock.now()
    if not provider.create or not name:
        raise NotKnownHere(f'The provider knows you as "{subject[:200]}", and nobody here is linked to that.')

    def work(tx: Tx) -> None:
        if not people.add(tx, name, ActorKind.USER, now):
            raise PersonExists(f"There is somebody named {name} already, who is not linked to the provider.")
        people.link(tx, provider.issuer, subject, name)

    core.store.write(work)
    return name


def _name(claims: Mapping[str, Any]) -> str:
    """A name that is fit for a user, of what the provider tells; nothing where it tells none."""
    for told in (claims.get("preferred_username"), claims.get("email")):
        if isinstance(told, str) and NAME.fullmatch(told.strip().lower()):
            return told.strip().lower()
    return ""


@vouched
def _claims(provider: Provider, sent: Sent, code: str, now: int) -> dict[str, Any]:
    """What the provider says of who is there, once it is known to be its word, new, and meant for us."""
    from joserfc import jwt
    from joserfc.jwk import KeySet

    about = _about(provider, now)
    with _client(provider) as client:
        token = client.fetch_token(about["token_endpoint"], code=code, code_verifier=sent.verifier)
    ring = KeySet.import_key_set(cast("KeySetSerialization", _json(about["jwks_uri"])))
    said = jwt.decode(str(token["id_token"]), ring, algorithms=list(ALGORITHMS))
    wanted = jwt.JWTClaimsRegistry(
        now=now // SECOND,
        leeway=LEEWAY,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": sent.nonce},
    )
    wanted.validate(said.claims)
    if said.claims.get("azp", provider.client_id) != provider.client_id or not isinstance(said.claims["sub"], str):
        raise ValueError("the token was made for somebody else")
    return dict(said.claims)


def _about(provider: Provider, now: int) -> dict[str, Any]:
    """What the provider tells of itself, asked anew every ten minutes."""
    return _told(provider.issuer, now // AWAY)


@functools.lru_cache(4)
def _told(issuer: str, _lately: int) -> dict[str, Any]:
    about = _json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if about["issuer"] != issuer:
        raise ValueError("another issuer answers")
    return about


def _json(url: str) -> dict[str, Any]:
    library = _library()
    with library.Client(transport=pinned.transport(library=library), timeout=TIMEOUT) as client:
        answer = client.get(url, follow_redirects=False)
    answer.raise_for_status()
    if answer.status_code != OK:
        raise ValueError("no answer but a way elsewhere")
    found: dict[str, Any] = answer.json()
    return found


def _library() -> Any:
    """The httpx that Authlib calls by: it has taken another one of the same kind where that is there."""
    from authlib.integrations.httpx_client import OAuth2Client

    (base,) = (each for each in OAuth2Client.__mro__ if each.__name__ == "Client")
    return importlib.import_module(base.__module__.partition(".")[0])


def _client(provider: Provider) -> Any:
    from authlib.integrations.httpx_client import OAuth2Client

    return OAuth2Client(
        provider.client_id,
        provider.client_secret or None,
        scope=" ".join(provider.scopes),
        redirect_uri=provider.callback,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if provider.client_secret else "none",
        timeout=TIMEOUT,
        transport=pinned.transport(library=_library()),
    )
