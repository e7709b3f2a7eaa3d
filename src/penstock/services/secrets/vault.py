"""What does a Vault tell of a secret? The newest version in its KV engine (version 2), when an attempt needs it.

A secret NAME of the namespace `shop.daily` is looked for at PATH/shop/daily/NAME, then at PATH/shop/NAME and PATH/NAME.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

from penstock.errors.project import WrongSetting
from penstock.errors.secrets import SecretsUnreachable
from penstock.model.policy import SECOND
from penstock.services.outward import line_to
from penstock.services.secrets.local import above

LARGEST: Final = 4 * 1024 * 1024
PATIENCE: Final = 10.0
OK: Final = 200
NOT_FOUND: Final = 404
FORBIDDEN: Final = 403
AGAIN: Final = "The attempt may be tried again."
LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Vault is, and how it is entered: by a token, or as a role (`role` and `secret`) of its AppRole method.

    `field` names the entry of a secret that is its text; one that has no such entry is told whole, as JSON.
    """

    address: str
    token: str = ""
    role: str = ""
    secret: str = ""
    mount: str = "secret"
    path: str = "penstock"
    namespace: str = ""
    field: str = "value"
    ca: str = ""


class Answer(msgspec.Struct, frozen=True):
    """An answer of the server: its status, and its body where it is JSON."""

    status: int
    body: dict[str, object] = {}


class OfVault:
    """Secrets of a Vault, or of a server that speaks as one."""

    def __init__(self, place: Place, steady: Callable[[], int]) -> None:
        check_address(place.address)
        self._place = place
        self._steady = steady
        self._lock = threading.Lock()
        self._token = place.token
        self._until: int | None = None

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text, of the nearest namespace around that has it. Raises SecretsUnreachable."""
        if name in (".", "..") or "/" in name:
            return None
        refused = ""
        for around in [*above(namespace), ""]:
            words = [*self._place.path.split("/"), *around.split("."), name]
            path = "/".join(quote(word, safe="") for word in words if word)
            answer = self._ask(path)
            if answer.status == FORBIDDEN:
                refused = refused or path
            elif answer.status != NOT_FOUND:
                return self._text(path, answer)
        if refused:
            raise SecretsUnreachable(f"{self._place.address} does not let us read {refused}.", hint="See its policies.")
        return None

    def _ask(self, path: str) -> Answer:
        address = f"/v1/{quote(self._place.mount)}/data/{path}"
        used = self._entered()
        answer = self._call("GET", address, used)
        if answer.status == FORBIDDEN and self._place.role:
            # the token may have been revoked before its time
            fresh = self._entered(instead_of=used)
            answer = self._call("GET", address, fresh) if fresh != used else answer
        return answer

    def _text(self, path: str, answer: Answer) -> str:
        outer = answer.body.get("data")
        data = outer.get("data") if isinstance(outer, dict) else None
        if not isinstance(data, dict):
            raise SecretsUnreachable(f"{self._place.address} answers {answer.status} for {path}, which is no secret.")
        found = data.get(self._place.field)
        return found if isinstance(found, str) else json.dumps(data)

    def _entered(self, instead_of: str = "") -> str:
        """A token that is good, or a new one where the last has come to its end or is not good any more."""
        place = self._place
        if not place.role:
            return place.token
        with self._lock:
            over = self._until is None or self._steady() >= self._until
            if over or (instead_of and instead_of == self._token):
                told = self._call(
                    "POST", "/v1/auth/approle/login", "", {"role_id": place.role, "secret_id": place.secret}
                )
                entered = told.body.get("auth")
                token = entered.get("client_token") if isinstance(entered, dict) else None
                if not isinstance(entered, dict) or not isinstance(token, str):
                    raise SecretsUnreachable(f"{place.address} does not let us in as this role: {told.status}.")
                life = entered.get("lease_duration")
                seconds = life if isinstance(life, int) and life > 0 else 3600
                self._token, self._until = token, self._steady() + seconds * SECOND * 4 // 5
            return self._token

    def _call(self, method: str, path: str, token: str, body: dict[str, str] | None = None) -> Answer:
        import http.client
        import ssl

        place = self._place
        headers = {"X-Vault-Request": "true", "Content-Type": "application/json"}
        headers |= {"X-Vault-Token": token} if token else {}
        headers |= {"X-Vault-Namespace": place.namespace} if place.namespace else {}
        line = None
        try:
            trusted = ssl.create_default_context(cafile=place.ca) if place.ca else None
            line = line_to(place.address, PATIENCE, trusted=trusted)
            # no proxy and no other address that an answer points to: the token is for this one alone
            line.request(
                method,
                urlsplit(place.address).path.rstrip("/") + path,
                None if body is None else msgspec.json.encode(body),
                headers,
            )
            answered = line.getresponse()
            told = Answer(answered.status, _json(answered.read(LARGEST)))
        except (OSError, http.client.HTTPException) as error:
            sentence = f"{place.address} does not answer: {str(error) or type(error).__name__}."
            raise SecretsUnreachable(sentence, hint=AGAIN) from error
        finally:
            if line is not None:
                line.close()
        if told.status not in (OK, NOT_FOUND, FORBIDDEN):
            raise SecretsUnreachable(f"{place.address} answers {told.status}.", hint=AGAIN)
        return told


def check_address(address: str) -> None:
    """Refuse an address to which a token would go in the clear, and what is none."""
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise WrongSetting(f'"{address}" is no https address.', hint="`http` is taken for this machine alone.")


def _json(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.MsgspecError:
        return {}
