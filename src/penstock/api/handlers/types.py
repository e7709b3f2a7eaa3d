"""Which task types are there, and how may a flow be written? As installed where the server stands."""

from __future__ import annotations

import functools

import msgspec

from penstock.api.route import Answer, Call
from penstock.api.shapes.lists import Everything
from penstock.api.shapes.types import TypeDetail, TypeRow
from penstock.dialects.kestra.schema import schema
from penstock.errors import nearest
from penstock.errors.api import NoSuchAddress
from penstock.sdk import registry
from penstock.sdk.catalogue import json_schema


def list_types(call: Call[None, None]) -> Everything[TypeRow]:
    """The task types by name."""
    return Everything(list(_types()))


def get_type(call: Call[None, None]) -> TypeDetail:
    """One task type, by any of its names."""
    name = call.path["name"]
    kind = next((each for each in registry.all_types() if name in (each.type_name, *each.aliases)), None)
    if kind is None:
        hint = nearest(name, (each.type_name for each in registry.all_types()))
        raise NoSuchAddress(f'There is no task type "{name[:100]}".', hint=hint)
    about = (kind.__doc__ or "").partition("\n")[0]
    return TypeDetail(name=kind.type_name, aliases=list(kind.aliases), about=about, schema=json_schema(kind))


def get_flow_schema(call: Call[None, None]) -> Answer:
    """The JSON Schema of flows, for editors."""
    return Answer(_schema())


@functools.cache
def _types() -> tuple[TypeRow, ...]:
    return tuple(
        TypeRow(name=kind.type_name, aliases=list(kind.aliases), about=(kind.__doc__ or "").partition("\n")[0])
        for kind in registry.all_types()
    )


@functools.cache
def _schema() -> msgspec.Raw:
    types = ((json_schema(kind), (kind.type_name, *kind.aliases)) for kind in registry.all_types())
    return msgspec.Raw(msgspec.json.encode(schema(types)))
