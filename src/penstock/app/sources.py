"""Which secrets does a project find, and in which order? Its settings say it; the store's are among them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.clock import Clock
from penstock.errors.project import WrongSetting
from penstock.services.core import Secrets
from penstock.services.secrets.local import InOrder, OfEnvironment, OfFile
from penstock.services.secrets.master import Ring
from penstock.services.secrets.sealed import OfStore
from penstock.services.secrets.vault import OfVault, Place
from penstock.settings.keys import Vault
from penstock.settings.read import Project, expanded
from penstock.store.port import Store


def secrets_of(project: Project, environ: Mapping[str, str], store: Store, state: Path, clock: Clock) -> Secrets:
    """The sources of secrets that the settings name, in their order. Raises WrongSetting, LooseSecrets."""
    settings = project.settings
    sources: list[Secrets] = []
    for name in settings.secret_sources:
        match name:
            case "env":
                sources.append(OfEnvironment(environ))
            case "file":
                if settings.secrets:
                    sources.append(OfFile(project.path(settings.secrets)))
            case "store":
                sources.append(OfStore(store, Ring(environ, state)))
            case "vault":
                if settings.vault is not None:
                    sources.append(OfVault(_place(project, settings.vault, environ), clock.steady))
    return InOrder(*sources)


def _place(project: Project, said: Vault, environ: Mapping[str, str]) -> Place:
    token, role = expanded(said.token, environ), expanded(said.role_id, environ)
    if bool(token) == bool(role):
        raise WrongSetting("`vault` is entered by a `token`, or by `roleId` and `secretId`: say one of them.")
    return Place(
        address=expanded(said.address, environ),
        token=token,
        role=role,
        secret=expanded(said.secret_id, environ),
        mount=said.mount,
        path=said.path,
        namespace=said.namespace,
        field=said.field,
        ca=str(project.path(said.ca)) if said.ca else "",
    )
