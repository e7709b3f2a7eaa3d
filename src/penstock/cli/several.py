"""Which runs does a verb mean? Those named, or every one that fits a filter; a filter alone asks before it acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import click
import msgspec

from penstock.app import App
from penstock.cli.options import Given, opened, pairs
from penstock.cli.said import note, tell_error
from penstock.cli.which import run_id
from penstock.errors import PenstockError
from penstock.errors.project import WrongCall
from penstock.errors.store import StoreError
from penstock.model.status import RunStatus
from penstock.store import runs

F = TypeVar("F", bound=Callable[..., Any])
MOST: Final = 10_000
STATUSES: Final = click.Choice([str(status) for status in RunStatus])
ACTIVE: Final = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.RETRYING)


class SeveralGiven(Given, frozen=True, kw_only=True):
    """Which runs were named or described."""

    run: tuple[str, ...] = ()
    flow: str = ""
    namespace: str = ""
    status: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    yes: bool = False


def many(command: F, label: str = "--label", status: str = "status") -> F:
    """Let a verb act on every run that fits, besides those named; a verb that has labels or a status of its own calls
    the option, or its value, otherwise.
    """
    options = [
        click.option("-y", "--yes", is_flag=True, help="Do not ask before acting on all that fit."),
        click.option(label, "label", multiple=True, metavar="NAME=VALUE", help="Every run with this label."),
        click.option("--status", status, multiple=True, type=STATUSES, help="Every run in this status."),
        click.option("--namespace", default="", metavar="NAME", help="Every run in this namespace or below."),
        click.option("--flow", default="", metavar="[NAMESPACE.]FLOW", help="Every run of this flow."),
    ]
    for option in options:
        command = option(command)
    return command


def described(given: dict[str, Any]) -> bool:
    """Were runs described, not named?"""
    return any(given[name] for name in ("flow", "namespace", "status", "label"))


@contextmanager
def chosen(given: dict[str, Any], *usual: RunStatus) -> Iterator[tuple[App, list[str]]]:
    """Open the project and give the ids of the runs that are meant; of those described without a status only such as
    the verb is `usual` for. Raises WrongCall when none are meant.
    """
    asked = meant(given)
    with opened(asked) as app:
        named = [run_id(app, text) for text in asked.run] if asked.run else _fitting(app, asked, usual)
        confirm(named, asked)
        yield app, named


def meant(given: dict[str, Any]) -> SeveralGiven:
    """Which runs were named or described. Raises WrongCall when none are meant, or both was done."""
    known = {name: value for name, value in given.items() if name in SeveralGiven.__struct_fields__}
    asked = msgspec.convert(known, SeveralGiven)
    if bool(asked.run) == described(given):
        raise WrongCall("Name runs, or say which ones by --flow, --namespace, --status or --label; not both.")
    return asked


def confirm(named: list[str], asked: SeveralGiven) -> None:
    """Ask before acting on runs that were described, not named."""
    if asked.run:
        return
    if not named:
        note("No run fits.")
    elif not asked.yes:
        fit = "1 run fits" if len(named) == 1 else f"{len(named):,} runs fit"
        click.confirm(f"{fit}. Go on?", abort=True, err=True)


def each_of(named: list[str], act: Callable[[str], object]) -> list[str]:
    """Act on each run and give those on which it could be done: of several a refused one is told, and keeps the others
    from nothing. Raises what the verb raises when there is but one, and StoreError always.
    """
    if len(named) == 1:
        act(named[0])
        return named
    done = []
    for found in named:
        try:
            act(found)
        except StoreError:
            raise
        except PenstockError as refused:
            tell_error(refused)
        else:
            done.append(found)
    return done


def _fitting(app: App, asked: SeveralGiven, usual: tuple[RunStatus, ...]) -> list[str]:
    namespace, _, flow = asked.flow.rpartition(".")
    wanted = runs.Filter(
        namespace=namespace or asked.namespace,
        flow=flow,
        statuses=tuple(RunStatus(word) for word in asked.status) or usual,
        labels=pairs(asked.label, "--label"),
    )
    return [run.id for run in app.core.store.read(lambda tx: runs.list_runs(tx, wanted, MOST))]
