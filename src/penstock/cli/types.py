"""What can a task be? All task types that are installed, or everything about one of them."""

from __future__ import annotations

from typing import Any

import click

from penstock.cli.options import examples, json_too
from penstock.cli.said import as_json, data, note, table
from penstock.cli.suggest import type_names
from penstock.sdk import registry
from penstock.sdk.catalogue import catalogue
from penstock.sdk.describe import describe, json_schema, reference


@click.command(
    "types",
    **examples(
        "penstock types", "penstock types sql.query", "penstock types shell.commands --schema", "penstock types s3"
    ),
)
@click.argument("name", default="", shell_complete=type_names)
@click.option("--schema", is_flag=True, help="The JSON Schema of the type's properties.")
@json_too
def types(**given: Any) -> None:
    """List the task types, or tell everything about one. A beginning of names (`sql`) lists those that have it."""
    name = given["name"]
    whole = given["schema"] or (name != "" and registry.known(name))
    listed = [] if whole else [about for about in catalogue() if not name or about.name.startswith(f"{name}.")]
    if not listed:
        _one(name, as_schema=given["schema"], in_json=given["json"])
    elif given["json"]:
        as_json(listed)
    else:
        data(table(("TYPE", "WHAT IT DOES"), [(about.name, about.summary) for about in listed]))
        note("`penstock types NAME` tells all about one.")


def _one(name: str, *, as_schema: bool, in_json: bool) -> None:
    kind = registry.find(name)
    if as_schema:
        as_json(json_schema(kind))
    elif in_json:
        as_json(describe(kind))
    else:
        data(reference(kind).rstrip())
