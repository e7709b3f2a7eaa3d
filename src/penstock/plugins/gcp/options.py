"""How does a flow prove to Google who asks? By a key of a service account, or by what the worker's machine is given."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.errors.task import MissingExtra
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Secret

PLATFORM: Final = "https://www.googleapis.com/auth/cloud-platform"
# Where an emulator listens, as Google's own client knows it: who asks does not matter there.
EMULATOR: Final = "BIGQUERY_EMULATOR_HOST"


class GcpTask(TaskType, frozen=True, kw_only=True):
    """What every task of Google's cloud declares."""

    mode: ClassVar[Mode] = Mode.WARM

    project_id: Annotated[str, Meta(description="The project that pays; the key's own unless given.")] = ""
    service_account: Annotated[
        Secret, Meta(description="Key of a service account, JSON; without it Google's application default credentials.")
    ] = Secret("")
    impersonated_service_account: Annotated[Secret, Meta(description="Service account to act as, by its address.")] = (
        Secret("")
    )
    scopes: Annotated[list[str], Meta(description="What is asked to be allowed.")] = field(
        default_factory=lambda: [PLATFORM]
    )

    def credentials(self) -> tuple[Any, str]:
        """Who asks, and the project that is known by it."""
        if os.environ.get(EMULATOR):
            return part("google.auth.credentials").AnonymousCredentials(), self.project_id
        if self.service_account:
            found, project = self._key()
        else:
            found, project = part("google.auth").default(scopes=self.scopes)
        if self.impersonated_service_account:
            found = part("google.auth.impersonated_credentials").Credentials(
                source_credentials=found,
                target_principal=str(self.impersonated_service_account),
                target_scopes=self.scopes,
            )
        return found, self.project_id or project or ""

    def _key(self) -> tuple[Any, str]:
        try:
            key = msgspec.json.decode(str(self.service_account), type=dict[str, str])
            found = part("google.oauth2.service_account").Credentials.from_service_account_info(key, scopes=self.scopes)
        except ValueError:
            # What it says of the key may be part of it: it is not told.
            raise TaskFailed("serviceAccount is no key of a service account.") from None
        return found, key.get("project_id", "")


@contextlib.contextmanager
def telling(what: str) -> Iterator[None]:
    """What fails at Google, or on the way there, is a TaskFailed with Google's words."""
    errors = part("google.api_core.exceptions").GoogleAPIError, part("google.auth.exceptions").GoogleAuthError
    try:
        yield
    except (*errors, OSError) as error:
        raise TaskFailed(f"{what}: {_told(error)}") from error


def part(name: str) -> Any:
    """A module of Google's library; MissingExtra when it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(
            "BigQuery needs the package google-cloud-bigquery.",
            hint="Install it with `pip install 'penstock[bigquery]'`.",
        ) from None


def _told(error: Exception) -> str:
    match getattr(error, "errors", None):
        case [{"message": str(message), "reason": str(reason)}, *_]:
            return f"{message} ({reason})"
        case _:
            return str(getattr(error, "message", "") or error).strip() or type(error).__name__
