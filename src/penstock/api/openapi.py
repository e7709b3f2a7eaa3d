"""How do programs learn what is served? From an OpenAPI 3.1 document that is made of the table's rows and shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

import msgspec

from penstock import __version__
from penstock.api.problems import MEDIA as PROBLEM
from penstock.api.problems import ProblemDocument
from penstock.api.route import JSON, Kind, Route, Where

REF: Final = "#/components/schemas/{name}"
# Bodies that are no JSON: a text is YAML, which may say anything, and bytes may be none at all.
RAW: Final[dict[Any, dict[str, Any]]] = {str: {}, BinaryIO: {"type": "string", "format": "binary"}}
PLACES: Final = {
    "backfill": "The id of a backfill.",
    "code": "The code of an error: `PS-303`.",
    "flow": "The id of a flow.",
    "id": "An id, as lists give it.",
    "key": "A key.",
    "name": "A name.",
    "namespace": "A namespace: `shop.daily`.",
    "page": "The name of a page.",
    "revision": "The number of a revision.",
    "run": "The id of a run.",
    "trigger": "The id of a trigger.",
}
KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Said again for the same flow, it gives the run that it started the first time.",
    "schema": {"type": "string", "maxLength": 200},
}
ABOUT: Final = (
    "What the command line can do with a store, by HTTP. Errors come as RFC 9457 has it, with a code that "
    "`/v1/errors/{code}` explains. Lists come in pages: `next` is the `cursor` of the page after."
)


def document(table: Sequence[Route]) -> dict[str, Any]:
    """The document of these rows."""
    used = (each for row in table for each in (row.query, row.body, row.answer) if each not in (None, dict, *RAW))
    shapes = [*dict.fromkeys(used), ProblemDocument]
    told, schemas = msgspec.json.schema_components(shapes, schema_hook=_anything, ref_template=REF)
    named = dict(zip(shapes, told, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for row in table:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, named, schemas)
    asked = {_name(named[row.query]) for row in table if row.query not in (None, dict)}
    kept = {name: schema for name, schema in schemas.items() if name not in asked}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Penstock", "version": __version__, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(row.tag for row in table)],
        "paths": paths,
        "components": {
            "schemas": kept,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": {"description": "It went wrong.", "content": _content(PROBLEM, named)}},
        },
        "security": [{"token": []}],
    }


def _anything(kind: type) -> dict[str, Any]:
    if kind is object:
        return {"description": "Any JSON."}
    raise NotImplementedError(kind)


def _content(media: str, named: Mapping[Any, Any]) -> dict[str, Any]:
    return {media: {"schema": named[ProblemDocument]}}


def _operation(row: Route, named: Mapping[Any, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"operationId": row.name, "tags": [row.tag], "summary": row.summary}
    parameters = [*_in_path(row), *_in_query(row, named, schemas), *([KEY] if row.idempotent_key else [])]
    if parameters:
        told["parameters"] = parameters
    if row.body is not None:
        schema = RAW[row.body] if row.body in RAW else named[row.body]
        required = row.body is not BinaryIO and (
            row.body in RAW or any(each.required for each in msgspec.structs.fields(row.body))
        )
        told["requestBody"] = {"required": required, "content": {row.takes: {"schema": schema}}}
    told["responses"] = {str(status): _good(row, status, named) for status in sorted({_status(row), *row.also})}
    if row.method == "GET" and row.kind is not Kind.STREAM and row.answer is not None:
        told["responses"]["304"] = {"description": "It is what `If-None-Match` names."}
    told["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    if row.where is Where.PUBLIC:
        told["security"] = []
    if row.action is not None:
        told["x-penstock-action"] = row.action.value
    return told


def _status(row: Route) -> int:
    nothing = row.answer is None and row.kind is Kind.PLAIN and row.gives == JSON
    return 204 if nothing and row.status == 200 else row.status


def _good(row: Route, status: int, named: Mapping[Any, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"description": row.summary}
    if status == 204:
        return told
    if row.answer is not None:
        told["content"] = {row.gives: {"schema": named[row.answer]}}
    else:
        told["content"] = {row.gives: {}}
    return told


def _in_path(row: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", row.path):
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "description": PLACES[name], "schema": schema}


def _in_query(row: Route, named: Mapping[Any, Any], schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if row.query in (None, dict):
        return
    shape = schemas[_name(named[row.query])]
    for name, schema in shape["properties"].items():
        said = {key: value for key, value in schema.items() if key != "description"}
        if "anyOf" in said:
            # what may be left out is not said as null in an address
            kinds = [each for each in said.pop("anyOf") if each != {"type": "null"}]
            said.pop("default", None)
            said |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        told = {"name": name, "in": "query", "required": name in shape.get("required", ()), "schema": said}
        if about := schema.get("description"):
            told["description"] = about
        yield told


def _name(ref: Mapping[str, str]) -> str:
    return ref["$ref"].rpartition("/")[2]
