"""What does an Azure Key Vault tell of a secret? Its newest version, by REST, as an application or as this machine.

A secret DB_KEY of the namespace `shop.daily` is PREFIX--shop--daily--DB-KEY, else PREFIX--shop--DB-KEY, else
PREFIX--DB-KEY, since names there have no underscores.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from penstock.errors.project import WrongSetting
from penstock.errors.secrets import SecretsUnreachable
from penstock.model.policy import SECOND
from penstock.services.outward import INSIDE, line_to
from penstock.services.secrets import flat
from penstock.services.secrets.vault import check_address

T = TypeVar("T")
VERSION: Final = "7.4"
SCOPE: Final = "https://vault.azure.net"
# Where a machine of Azure's is told who it is: an address of its link, which nothing that came from elsewhere names.
IDENTITY: Final = "http://169.254.169.254"
PATIENCE: Final = 10.0
LARGEST: Final = 1024 * 1024
OK: Final = 200
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
NAME: Final = "Azure Key Vault"
AGAIN: Final = "The attempt may be tried again."


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which vault, and as whom it is entered: an application by its secret, or without one this machine's identity."""

    vault: str
    tenant: str = ""
    client: str = ""
    secret: str = ""
    prefix: str = "penstock"
    login: str = "https://login.microsoftonline.com"
    identity: str = IDENTITY


class Entered(msgspec.Struct, frozen=True):
    """A token, and for how many seconds it is good; one of the two ways in writes the number as a text."""

    access_token: str
    expires_in: int | str = 3600


class Kept(msgspec.Struct, frozen=True):
    """The part of an answer that is wanted."""

    value: str


class OfAzure:
    """Secrets of one vault. Raises WrongSetting for a place that cannot be."""

    def __init__(self, place: Place, steady: Callable[[], int]) -> None:
        check_address(place.vault)
        check_address(place.login)
        if not flat.WORD.fullmatch(place.prefix) or "_" in place.prefix:
            raise WrongSetting(f'"{place.prefix}" cannot begin the names of secrets.')
        if bool(place.secret) != bool(place.tenant and place.client):
            raise WrongSetting("`azure` is entered by `tenant`, `clientId` and `clientSecret`, or by none of them.")
        self._place = place
        self._steady = steady
        self._lock = threading.Lock()
        self._token = ""
        self._until: int | None = None

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text, of the nearest namespace around that has it. Raises SecretsUnreachable."""
        refused = ""
        for called in flat.names(self._place.prefix, namespace, name, underscores=False):
            status, body = self._ask(called)
            if status == FORBIDDEN:
                refused = refused or called
            elif status != NOT_FOUND:
                return _read(body, Kept, f"for {called}").value
        if refused:
            hint = "See the access policies of the vault."
            raise SecretsUnreachable(f"{NAME} does not let us read {refused}.", hint=hint)
        return None

    def _ask(self, called: str) -> tuple[int, bytes]:
        path = f"/secrets/{called}?api-version={VERSION}"
        used = self._entered()
        status, body = _call(self._place.vault, "GET", path, {"Authorization": f"Bearer {used}"})
        if status == UNAUTHORIZED:
            # the token may have been revoked before its time
            fresh = self._entered(instead_of=used)
            status, body = _call(self._place.vault, "GET", path, {"Authorization": f"Bearer {fresh}"})
        if status not in (OK, NOT_FOUND, FORBIDDEN):
            raise SecretsUnreachable(f"{NAME} {self._place.vault} answers {status} for {called}.", hint=AGAIN)
        return status, body

    def _entered(self, instead_of: str = "") -> str:
        with self._lock:
            over = self._until is None or self._steady() >= self._until
            if over or instead_of == self._token:
                told = self._as_application() if self._place.secret else self._as_machine()
                self._token = told.access_token
                self._until = self._steady() + int(told.expires_in) * SECOND * 4 // 5
            return self._token

    def _as_application(self) -> Entered:
        place = self._place
        form = {
            "grant_type": "client_credentials",
            "client_id": place.client,
            "client_secret": place.secret,
            "scope": f"{SCOPE}/.default",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/{quote(place.tenant, safe='')}/oauth2/v2.0/token"
        status, body = _call(place.login, "POST", path, headers, urlencode(form).encode())
        if status != OK:
            raise SecretsUnreachable(f"{place.login} does not let us in as {place.client}: {status}.")
        return _read(body, Entered, "with a token")

    def _as_machine(self) -> Entered:
        query = {"api-version": "2018-02-01", "resource": SCOPE}
        if self._place.client:
            query["client_id"] = self._place.client
        path = f"/metadata/identity/oauth2/token?{urlencode(query)}"
        status, body = _call(self._place.identity, "GET", path, {"Metadata": "true"})
        if status != OK:
            raise SecretsUnreachable(f"This machine has no identity at Azure: {status}.")
        return _read(body, Entered, "with a token")


def _read(body: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        raise SecretsUnreachable(f"{NAME} answers {what}, and it cannot be read.") from None


def _call(
    address: str, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, bytes]:
    """What an address answers; no proxy and no other address that it points to is asked."""
    import http.client

    guard = None if address == IDENTITY else INSIDE
    line = None
    try:
        line = line_to(address, PATIENCE, guard=guard)
        line.request(method, urlsplit(address).path.rstrip("/") + path, body, headers)
        answered = line.getresponse()
        return answered.status, answered.read(LARGEST)
    except (OSError, http.client.HTTPException) as error:
        sentence = f"{NAME}: {address} does not answer: {str(error) or type(error).__name__}."
        raise SecretsUnreachable(sentence, hint=AGAIN) from error
    finally:
        if line is not None:
            line.close()
