"""Which secrets does a project find, and in which order? Its settings say it; the store's are among them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from penstock.clock import Clock
from penstock.errors.project import WrongSetting
from penstock.services.core import Secrets
from penstock.services.secrets import aws, azure, google
from penstock.services.secrets.aws import OfAws
from penstock.services.secrets.azure import OfAzure
from penstock.services.secrets.google import OfGoogle
from penstock.services.secrets.local import InOrder, OfEnvironment, OfFile
from penstock.services.secrets.master import Ring
from penstock.services.secrets.remembered import Remembered
from penstock.services.secrets.sealed import OfStore
from penstock.services.secrets.vault import OfVault, Place
from penstock.settings.keys import Azure, Vault
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
            case _:
                sources.append(_of_cloud(name, project, environ, clock))
    return InOrder(*sources)


def _of_cloud(
    name: Literal["aws", "ssm", "gcp", "azure"], project: Project, environ: Mapping[str, str], clock: Clock
) -> Secrets:
    """A manager of secrets in a cloud, that is asked for each of them once in a while. Raises WrongSetting."""
    settings = project.settings
    source: Secrets
    match name:
        case "aws" | "ssm":
            told = settings.aws
            service: Literal["secretsmanager", "ssm"] = "secretsmanager" if name == "aws" else "ssm"
            endpoint = expanded(told.endpoint, environ)
            source = OfAws(aws.Place(service=service, region=told.region, prefix=told.prefix, endpoint=endpoint))
            keep = told.keep
        case "gcp":
            if settings.gcp is None:
                raise _not_said(name)
            file = expanded(settings.gcp.credentials, environ)
            source = OfGoogle(
                google.Place(
                    project=settings.gcp.project,
                    prefix=settings.gcp.prefix,
                    credentials=str(project.path(file)) if file else "",
                    endpoint=settings.gcp.endpoint,
                )
            )
            keep = settings.gcp.keep
        case "azure":
            if settings.azure is None:
                raise _not_said(name)
            source = OfAzure(_azure(settings.azure, environ), clock.steady)
            keep = settings.azure.keep
    return Remembered(source, keep, clock.steady)


def _not_said(name: str) -> WrongSetting:
    return WrongSetting(f"`secretSources` names {name}, and `{name}` does not say where that is.")


def _azure(said: Azure, environ: Mapping[str, str]) -> azure.Place:
    return azure.Place(
        vault=expanded(said.vault, environ),
        tenant=expanded(said.tenant, environ),
        client=expanded(said.client_id, environ),
        secret=expanded(said.client_secret, environ),
        prefix=said.prefix,
        login=said.login,
    )


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
