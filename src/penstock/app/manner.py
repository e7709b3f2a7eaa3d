"""How does a project want its flows read? As its settings say."""

from __future__ import annotations

import msgspec

from penstock.services.project import Manner
from penstock.settings.read import Project


def manner_of(project: Project, *, allow_unknown: bool = False) -> Manner:
    """How a project wants its flows read; `allow_unknown` lets them name task types that are not installed."""
    settings = project.settings
    return Manner(
        namespace=settings.namespace,
        version=settings.kestra.version,
        defaults=tuple(msgspec.to_builtins(default) for default in settings.plugin_defaults),
        globals=settings.variables,
        allow_unknown=allow_unknown or settings.kestra.allow_unknown,
    )
