"""What does Google's Secret Manager tell of a secret? Its newest version, with the credentials of this machine.

A secret NAME of the namespace `shop.daily` is PREFIX--shop--daily--NAME, else PREFIX--shop--NAME, else PREFIX--NAME.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import threading
from typing import Any, Final
from urllib.parse import quote

import msgspec

from penstock.errors.project import WrongSetting
from penstock.errors.secrets import SecretsUnreachable
from penstock.errors.task import MissingExtra
from penstock.services.secrets import flat
from penstock.services.secrets.vault import check_address

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
PATIENCE: Final = (5.0, 10.0)
OK: Final = 200
NOT_FOUND: Final = 404
FORBIDDEN: Final = 403
NAME: Final = "Google Secret Manager"
AGAIN: Final = "The attempt may be tried again."


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Whose secrets they are; `credentials` is the file of a service account's key, where the machine has no own."""

    project: str
    prefix: str = "penstock"
    credentials: str = ""
    endpoint: str = "https://secretmanager.googleapis.com"


class Told(msgspec.Struct, frozen=True):
    """The part of an answer that is wanted."""

    payload: dict[str, str] = {}


class OfGoogle:
    """Secrets of Google Cloud. Raises WrongSetting for a place that cannot be."""

    def __init__(self, place: Place) -> None:
        check_address(place.endpoint)
        if not flat.WORD.fullmatch(place.prefix):
            raise WrongSetting(f'"{place.prefix}" cannot begin the names of secrets.')
        self._place = place
        self._lock = threading.Lock()
        self._opened: Any = None

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text, of the nearest namespace around that has it. Raises SecretsUnreachable, MissingExtra."""
        refused = ""
        for called in flat.names(self._place.prefix, namespace, name):
            status, body = self._ask(called)
            if status == FORBIDDEN:
                refused = refused or called
            elif status != NOT_FOUND:
                return _text(called, body)
        if refused:
            hint = "See the roles of the account that is used."
            raise SecretsUnreachable(f"{NAME} does not let us read {refused}.", hint=hint)
        return None

    def _ask(self, called: str) -> tuple[int, bytes]:
        place = self._place
        path = f"/v1/projects/{quote(place.project, safe='')}/secrets/{called}/versions/latest:access"
        with self._lock:  # a session is not for several threads at once
            session = self._session()
            fault = _part("google.auth.exceptions").GoogleAuthError
            try:
                answer = session.get(place.endpoint.rstrip("/") + path, timeout=PATIENCE, allow_redirects=False)
                status, body = int(answer.status_code), bytes(answer.content)
            except (fault, OSError, ValueError) as error:
                # what it says in full may hold parts of a key
                raise SecretsUnreachable(f"{NAME} does not answer: {type(error).__name__}.", hint=AGAIN) from None
        if status not in (OK, NOT_FOUND, FORBIDDEN):
            raise SecretsUnreachable(f"{NAME} answers {status} for {called}.", hint=AGAIN)
        return status, body

    def _session(self) -> Any:
        if self._opened is None:
            file = self._place.credentials
            try:
                transport = _part("google.auth.transport.requests")
                if file:
                    account = _part("google.oauth2.service_account").Credentials
                    found = account.from_service_account_file(file, scopes=SCOPES)
                else:
                    found, _ = _part("google.auth").default(scopes=SCOPES)
            except ImportError:
                raise MissingExtra(f"{NAME} needs google-auth.", hint='pip install "penstock[gcp]"') from None
            except Exception as error:  # of its own kinds, some without a common ancestor
                sentence = f"{NAME} cannot be asked: there are no credentials ({type(error).__name__})."
                raise SecretsUnreachable(sentence) from None
            self._opened = transport.AuthorizedSession(found)
        return self._opened


def _part(name: str) -> Any:
    return importlib.import_module(name)


def _text(called: str, body: bytes) -> str:
    try:
        told = msgspec.json.decode(body, type=Told)
        return base64.b64decode(told.payload["data"]).decode()
    except (msgspec.MsgspecError, KeyError, binascii.Error, UnicodeDecodeError):
        raise SecretsUnreachable(f"{NAME} answers for {called} with what is no text.") from None
