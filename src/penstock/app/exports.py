"""What is told to others, and where? The settings name collectors; calls of alerts are made in any case."""

from __future__ import annotations

import importlib.util
import ipaddress
from collections.abc import Mapping
from pathlib import Path

from penstock.app.open import App
from penstock.errors.project import WrongSetting
from penstock.errors.task import MissingExtra
from penstock.errors.work import AddressRefused
from penstock.services.exporting.calls import Calls
from penstock.services.exporting.lineage import Lineage, ToAddress, ToFile, Transport
from penstock.services.exporting.thread import Export
from penstock.services.exporting.traces import Collector, Traces
from penstock.services.outward import Guard, check
from penstock.settings.keys import Lineage as LineageSaid
from penstock.settings.keys import Traces as TracesSaid
from penstock.settings.read import Project, expanded


def exports_of(app: App, environ: Mapping[str, str]) -> list[Export]:
    """What a server of this project tells to others while it leads. Raises MissingExtra, WrongSetting."""
    settings = app.project.settings
    found: list[Export] = [Calls(app.core, _guard(settings.alerts.allow))]
    if settings.traces is not None:
        found.append(Traces(app.core, _collector(settings.traces, environ)))
    if (lineage := lineage_of(app, environ)) is not None:
        found.append(lineage)
    return found


def lineage_of(app: App, environ: Mapping[str, str]) -> Lineage | None:
    """What tells lineage; None where it is told nowhere, but for what is kept with runs. Raises WrongSetting."""
    said = app.project.settings.lineage
    transports = _transports(app.project, said, environ) if said is not None else []
    return Lineage(app.core, transports, said.namespace) if said is not None and transports else None


def lineage_into(app: App, file: Path) -> Lineage:
    """What tells lineage into a file, and nowhere else."""
    said = app.project.settings.lineage
    return Lineage(app.core, [ToFile(file.absolute())], said.namespace if said is not None else "penstock")


def _collector(said: TracesSaid, environ: Mapping[str, str]) -> Collector:
    if not _installed("opentelemetry.proto"):
        raise MissingExtra("Traces need OpenTelemetry's protocol.", hint='pip install "penstock[otel]"')
    return Collector(
        url=_address("traces", expanded(said.url, environ)),
        headers=_expanded(said.headers, environ),
        service=said.service,
        resource=_expanded(said.resource, environ),
    )


def _transports(project: Project, said: LineageSaid, environ: Mapping[str, str]) -> list[Transport]:
    found: list[Transport] = []
    if said.url:
        url = _address("lineage", expanded(said.url, environ))
        found.append(ToAddress(url=url, headers=_expanded(said.headers, environ)))
    if said.file:
        found.append(ToFile(project.path(said.file)))
    return found


def _guard(allow: tuple[str, ...]) -> Guard:
    for each in allow:
        try:
            ipaddress.ip_network(each, strict=False)
        except ValueError as error:
            raise WrongSetting(f"`alerts.allow`: {error}.", hint="Networks read as `10.0.0.0/8`.") from None
    return Guard(allow, "alerts.allow")


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _address(key: str, url: str) -> str:
    try:
        check(url)
    except AddressRefused as error:
        raise WrongSetting(f"`{key}.url`: {error.sentence}", hint=error.hint) from None
    return url


def _expanded(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    return {name: expanded(value, environ) for name, value in given.items()}
