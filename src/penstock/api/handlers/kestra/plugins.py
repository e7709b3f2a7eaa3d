"""Which task types are there, and what is this server, as Kestra's clients ask it?"""

from __future__ import annotations

from msgspec import Raw

from penstock import __version__
from penstock.api.handlers.types import get_flow_schema, get_type, list_types
from penstock.api.route import Call
from penstock.api.shapes.kestra.asked import Asked
from penstock.api.shapes.types import TypeDetail

SCHEMAS = ("flow", "template", "task", "trigger", "plugindefault", "apps")


def list_plugins(call: Call[Asked, None]) -> dict[str, object]:
    """All task types, as one plugin."""
    names = [{"cls": each.name} for each in list_types(_bare(call)).items]
    return {"results": [{"name": "penstock", "title": "Penstock", "tasks": names}], "total": 1}


def get_plugin(call: Call[Asked, None]) -> TypeDetail:
    """One task type, by any of its names."""
    return get_type(_bare(call))


def get_plugin_schema(call: Call[Asked, None]) -> object:
    """The JSON Schema of flows, or of one task type."""
    if call.path["name"].lower() in SCHEMAS:
        schema = get_flow_schema(_bare(call)).value
        assert isinstance(schema, Raw)
        return schema
    return get_type(_bare(call)).schema


def get_configs(call: Call[Asked, None]) -> dict[str, object]:
    """What this server is."""
    return {"version": __version__, "edition": "OSS", "isAnonymousUsageEnabled": False, "isBasicAuthInitialized": True}


def _bare(call: Call[Asked, None]) -> Call[None, None]:
    return Call(call.app, call.hub, call.core, call.actor, call.scope, call.path, None, None)
