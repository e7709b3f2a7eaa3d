"""What is told to others, and where? The settings name collectors; calls of alerts are made in any case."""

from __future__ import annotations

import importlib.util
import ipaddress
from collections.abc import Mapping

from penstock.app.lineage import address, all_expanded, lineage_of
from penstock.app.open import App
from penstock.errors.project import WrongSetting
from penstock.errors.task import MissingExtra
from penstock.services.exporting.calls import Calls
from penstock.services.exporting.thread import Export
from penstock.services.exporting.traces import Collector, Traces
from penstock.services.outward import Guard
from penstock.settings.keys import Traces as TracesSaid
from penstock.settings.read import expanded


def exports_of(app: App, environ: Mapping[str, str]) -> list[Export]:
    """What a server of this project tells to others while it leads. Raises MissingExtra, WrongSetting."""
    settings = app.project.settings
    found: list[Export] = [Calls(app.core, _guard(settings.alerts.allow))]
    if settings.traces is not None:
        found.append(Traces(app.core, _collector(settings.traces, environ)))
    if (lineage := lineage_of(app, environ)) is not None:
        found.append(lineage)
    return found


def _collector(said: TracesSaid, environ: Mapping[str, str]) -> Collector:
    if not _installed("opentelemetry.proto"):
        raise MissingExtra("Traces need OpenTelemetry's protocol.", hint='pip install "penstock[otel]"')
    return Collector(
        url=address("traces", expanded(said.url, environ)),
        headers=all_expanded(said.headers, environ),
        service=said.service,
        resource=all_expanded(said.resource, environ),
    )


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
