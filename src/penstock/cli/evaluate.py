"""What does `penstock eval` do? Renders an expression over a context that is given, or over a run as it stands."""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any

import click
import msgspec
import yaml

from penstock import expr
from penstock.app import App
from penstock.cli.inputs import values_of
from penstock.cli.options import Given, examples, json_too, opened, pairs, places
from penstock.cli.said import as_json, data
from penstock.cli.which import run_id
from penstock.engine.scope import plain
from penstock.errors.run import UnknownStep
from penstock.services.reading import load, with_parts
from penstock.services.render import worker_calls, worker_scope


class EvalGiven(Given, frozen=True, kw_only=True):
    """What `penstock eval` was given."""

    expression: str
    context: str = ""
    values: tuple[str, ...] = ()
    run: str = ""
    step: str = ""


@click.command(
    "eval",
    **examples(
        "penstock eval \"{{ 'a,b' | split(',') | length }}\"",
        "penstock eval 'inputs.day | date(\"yyyy\")' --set inputs.day=2016-01-02",
        "penstock eval '{{ outputs.extract.rows }}' --run last --step load",
        "penstock eval '{{ a.b }}' --context values.yml",
    ),
)
@click.argument("expression")
@click.option(
    "-c", "--context", default="", metavar="FILE", help="What expressions see: a YAML or JSON file, - for stdin."
)
@click.option(
    "-s", "--set", "values", multiple=True, metavar="NAME=VALUE", help="One value; dots nest, JSON is read as such."
)
@click.option("--run", default="", metavar="ID|last", help="See what this run sees.")
@click.option("--step", default="", help="As this step of the run sees it.")
@json_too
@places
def evaluate(**given: Any) -> None:
    """Evaluate an expression against a context. Without `{{ }}` the whole text is one expression."""
    asked = msgspec.convert(given, EvalGiven)
    text = asked.expression
    if "{{" not in text and "{%" not in text:
        text = f"{{{{ {text} }}}}"
    template = expr.compile(text)
    scope = _given(asked)
    if asked.run:
        with opened(asked) as app:
            found = _in_run(app, asked, template, scope)
    else:
        found = plain(template.value(scope, expr.Calls(now=datetime.datetime.now(datetime.UTC))))
    if asked.json:
        as_json({"value": found})
    else:
        data(found if isinstance(found, str) else msgspec.json.encode(found).decode())


def _in_run(app: App, asked: EvalGiven, template: expr.Template, more: dict[str, object]) -> object:
    loaded = load(app.core, run_id(app, asked.run))
    if asked.step and asked.step.rpartition("/")[2].partition("[")[0] not in loaded.plan.seats:
        raise UnknownStep(f'The run has no step "{asked.step}".')
    used: set[str] = set()
    calls = worker_calls(app.core, loaded, used)

    def value() -> object:
        return plain(template.value(worker_scope(app.core, loaded, asked.step, used) | more, calls))

    found = with_parts(app.core, loaded, value)
    return _hidden(found, used)


def _hidden(found: object, used: set[str]) -> object:
    """What an expression gave, without the secrets that it unsealed."""
    if not used:
        return found
    text = found if isinstance(found, str) else msgspec.json.encode(found).decode()
    for secret in sorted(used, key=len, reverse=True):
        text = text.replace(secret, "********")
    return text


def _given(asked: EvalGiven) -> dict[str, object]:
    scope: dict[str, object] = {}
    if asked.context == "-":
        scope = yaml.safe_load(sys.stdin) or {}
    elif asked.context:
        scope = values_of(asked.context)
    for name, text in pairs(asked.values, "--set").items():
        *path, last = name.split(".")
        place = scope
        for part in path:
            below = place.get(part)
            if not isinstance(below, dict):
                below = place[part] = {}
            place = below
        try:
            place[last] = json.loads(text)
        except ValueError:
            place[last] = text
    return scope
