"""What does AWS tell of a secret? What its Secrets Manager keeps, or its parameters (SSM), under our prefix.

A secret NAME of the namespace `shop.daily` is PREFIX/shop/daily/NAME, else PREFIX/shop/NAME, else PREFIX/NAME.
"""

from __future__ import annotations

import base64
import threading
from typing import Any, Final, Literal

import msgspec

from penstock.errors.secrets import SecretsUnreachable
from penstock.errors.task import MissingExtra
from penstock.services.secrets.local import above

MISSING: Final = frozenset({"ResourceNotFoundException", "ParameterNotFound"})
# What is answered for what one may not see, which may not be there either, or is about to be gone.
REFUSED: Final = frozenset({"AccessDeniedException", "AccessDenied", "InvalidRequestException"})
NAMED: Final = {"secretsmanager": "AWS Secrets Manager", "ssm": "AWS Systems Manager"}
AGAIN: Final = "The attempt may be tried again."


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the two services in which region; its credentials are found as boto3 finds them."""

    service: Literal["secretsmanager", "ssm"]
    region: str = ""
    prefix: str = "penstock"
    endpoint: str = ""


class OfAws:
    """Secrets of AWS; asks with the rights of this machine."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._opened: Any = None

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text, of the nearest namespace around that has it. Raises SecretsUnreachable, MissingExtra."""
        if "/" in name:
            return None
        refused = ""
        for around in [*above(namespace), ""]:
            path = "/".join(word for word in (*self._place.prefix.split("/"), *around.split("."), name) if word)
            found, code = self._ask(path)
            if found is not None:
                return found
            refused = refused or (path if code in REFUSED else "")
        if refused:
            hint = "See the policies of the role that this machine has."
            raise SecretsUnreachable(f"{self._name} does not let us read {refused}.", hint=hint)
        return None

    @property
    def _name(self) -> str:
        return f"{NAMED[self._place.service]} in {self._place.region or 'the region of this machine'}"

    def _ask(self, path: str) -> tuple[str | None, str]:
        """A text, or why there is none, in AWS's word for it."""
        client = self._client()
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._place.service == "ssm":
                return str(client.get_parameter(Name=f"/{path}", WithDecryption=True)["Parameter"]["Value"]), ""
            told = client.get_secret_value(SecretId=path)
            binary = told.get("SecretBinary")
            return base64.b64encode(binary).decode() if binary is not None else str(told["SecretString"]), ""
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in MISSING or code in REFUSED:
                return None, code
            raise SecretsUnreachable(f"{self._name} answers {code or 'nothing that is known'}.", hint=AGAIN) from None
        except BotoCoreError as error:
            raise SecretsUnreachable(f"{self._name} does not answer: {type(error).__name__}.", hint=AGAIN) from error

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = _client(self._place, self._name)
            return self._opened


def _client(place: Place, name: str) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise MissingExtra(f"{name} needs boto3.", hint='pip install "penstock[s3]"') from None
    patience = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
    try:
        return boto3.session.Session().client(
            place.service,
            region_name=place.region or None,
            endpoint_url=place.endpoint or None,
            config=patience,
        )
    except (BotoCoreError, ValueError) as error:
        raise SecretsUnreachable(f"{name} cannot be asked: {error}.") from error
