"""Which runs does a verb mean? Those named, or every one that fits a filter; a filter alone asks before it acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import click
import msgspec

from penstock.app import App
from penstock.cli.options import Given, opened, pairs
from penstock.cli.said import note
from penstock.cli.which import run_id
from penstock.errors.project import WrongCall
from penstock.model.status import RunStatus
from penstock.store import runs

F = TypeVar("F", bound=Callable[..., Any])
MOST: Final = 10_000


class SeveralGiven(Given, frozen=True, kw_only=True):
    """Which runs were named or described."""

    run: tuple[str, ...] = ()
    flow: str = ""
    namespace: str = ""
    status: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    yes: bool = False


def many(command: F) -> F:
    """Let a verb act on every run that fits, besides those named."""
    options = [
        click.option("-y", "--yes", is_flag=True, help="Do not ask before acting on all that fit."),
        click.option("--label", multiple=True, metavar="NAME=VALUE", help="Every run with this label."),
        click.option(
            "--status", multiple=True, type=click.Choice([str(s) for s in RunStatus]), help="Every run in this status."
        ),
        click.option("--namespace", default="", metavar="NAME", help="Every run in this namespace or below."),
        click.option("--flow", default="", metavar="[NAMESPACE.]FLOW", help="Every run of this flow."),
    ]
    for option in options:
        command = option(command)
    return command


@contextmanager
def chosen(given: dict[str, Any]) -> Iterator[tuple[App, list[str]]]:
    """Open the project and give the ids of the runs that are meant. Raises WrongCall when none are."""
    known = {name: value for name, value in given.items() if name in SeveralGiven.__struct_fields__}
    asked = msgspec.convert(known, SeveralGiven)
    described = bool(asked.flow or asked.namespace or asked.status or asked.label)
    if bool(asked.run) == described:
        raise WrongCall("Name runs, or say which ones by --flow, --namespace, --status or --label; not both.")
    with opened(asked) as app:
        named = [run_id(app, text) for text in asked.run] if asked.run else _fitting(app, asked)
        if described and named and not asked.yes:
            click.confirm(f"{len(named)} runs fit. Go on?", abort=True, err=True)
        if described and not named:
            note("No run fits.")
        yield app, named


def _fitting(app: App, asked: SeveralGiven) -> list[str]:
    namespace, _, flow = asked.flow.rpartition(".")
    wanted = runs.Filter(
        namespace=namespace or asked.namespace,
        flow=flow,
        statuses=tuple(RunStatus(word) for word in asked.status),
        labels=pairs(asked.label, "--label"),
    )
    return [run.id for run in app.core.store.read(lambda tx: runs.list_runs(tx, wanted, MOST))]
