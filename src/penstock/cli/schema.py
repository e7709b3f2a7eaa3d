"""What does `flows schema` give? JSON Schema of flows, for editors that complete words and underline wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from penstock.cli.options import allow_unknown, examples
from penstock.cli.said import note
from penstock.dialects.kestra.schema import schema as made
from penstock.sdk import registry
from penstock.sdk.catalogue import json_schema


@click.command(
    "schema",
    **examples(
        "penstock flows schema > .penstock.schema.json",
        "penstock flows schema -o flows.schema.json",
    ),
)
@click.option("-o", "--output", default="", metavar="FILE", help="Write it there.")
@allow_unknown
def schema(**given: Any) -> None:
    """Give the JSON Schema of flows, made of the task types that are installed here."""
    types = ((json_schema(kind), (kind.type_name, *kind.aliases)) for kind in registry.all_types())
    text = msgspec.json.encode(made(types, others=given["allow_unknown"])).decode()
    if given["output"]:
        Path(given["output"]).write_text(f"{text}\n", encoding="utf-8")
        note(f"Name it in the first line of a flow: `# yaml-language-server: $schema={given['output']}`.")
    else:
        click.echo(text)
