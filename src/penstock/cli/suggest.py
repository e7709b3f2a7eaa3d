"""What may stand here? Values that a shell offers while somebody types: flows, runs, task types."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import click
from click.shell_completion import CompletionItem

from penstock.app import App, open_app
from penstock.cli.options import project_of
from penstock.errors import PenstockError
from penstock.sdk.builtin import TYPES
from penstock.store import flows
from penstock.store.runs import Filter, list_runs

T = TypeVar("T")
MOST = 30


def flow_names(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Flows of the store."""
    return [CompletionItem(name) for name in _names(context, begun)]


def targets(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """What can be run: files, and flows of the store."""
    return [CompletionItem(begun, type="file"), *flow_names(context, parameter, begun)]


def run_ids(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The newest runs, with what they were."""
    found = _asked(context, lambda app: app.core.store.read(lambda tx: list_runs(tx, Filter(), MOST)))
    items = [CompletionItem(run.id, help=f"{run.namespace}.{run.flow} {run.status}") for run in found]
    return [item for item in [CompletionItem("last", help="the newest"), *items] if str(item.value).startswith(begun)]


def type_names(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Task types."""
    return [CompletionItem(name) for name in TYPES if name.startswith(begun)]


def _names(context: click.Context, begun: str) -> list[str]:
    found = _asked(context, lambda app: app.core.store.read(flows.list_flows))
    names = [f"{flow.namespace}.{flow.id}" for flow in found]
    return [name for name in names if name.startswith(begun)]


def _asked(context: click.Context, ask: Callable[[App], list[T]]) -> list[T]:
    """Ask the store, if there is one; a shell that completes wants no errors."""
    try:
        project = project_of(context.params.get("project") or "")
        with open_app(project, os.environ, store=context.params.get("store") or "", make=False, migrate=False) as app:
            return ask(app)
    except (PenstockError, OSError):
        return []
