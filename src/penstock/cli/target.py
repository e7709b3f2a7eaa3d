"""What is meant by FILE or FLOW? A file is pushed and run; a name is looked for in the project, then in the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from penstock.app import App
from penstock.app.manner import manner_of
from penstock.cli.options import near
from penstock.errors import Problem, nearest
from penstock.errors.project import NoSuchFile, SameFlowTwice, WrongCall
from penstock.errors.run import UnknownFlow
from penstock.model.plan import Plan
from penstock.services import flows as verbs
from penstock.services import project
from penstock.store import flows


class Target(msgspec.Struct, frozen=True):
    """What was typed, the file that it is (if it is one), and the revision wanted of a stored flow. With
    `allow_unknown` a file may name task types that are not installed.
    """

    text: str
    file: Path | None = None
    revision: int | None = None
    allow_unknown: bool = False


def is_file(text: str) -> bool:
    """Whether a text means a file. Raises NoSuchFile for what can be nothing else and is not there."""
    path = Path(text)
    if path.is_file():
        return True
    if path.is_dir():
        raise WrongCall(f"{text} is a folder.", hint="Name one of its files, or a flow: namespace.id")
    if path.suffix in project.ENDINGS or "/" in text:
        beside = path.parent.iterdir() if path.parent.is_dir() else ()
        near = nearest(path.name, (other.name for other in beside))
        raise NoSuchFile(f"There is no file {text}.", hint=near)
    return False


def plan_for(app: App, target: Target, by: str) -> tuple[Plan, tuple[Problem, ...]]:
    """The plan to run, in the store with all that it calls; and what is worth a warning in its text."""
    if target.file is not None:
        return _from_file(app, target.file, by, allow_unknown=target.allow_unknown)
    if target.revision is None:
        files = project.files_of(target.text, app.project.flow_places) if app.project.file else []
        if len(files) > 1:
            raise SameFlowTwice(
                f'"{target.text}" stands in {" and ".join(str(near(path)) for path in files)}.', hint="Name the file."
            )
        if files:
            return _from_file(app, files[0], by, name=target.text, allow_unknown=target.allow_unknown)
    namespace, flow_id = address(app, target.text)
    return verbs.newest_plan(app.core, namespace, flow_id, target.revision), ()


def address(app: App, name: str) -> tuple[str, str]:
    """Namespace and id of a stored flow, given whole or by its id alone. Raises UnknownFlow."""
    listed = [(flow.namespace, flow.id) for flow in app.core.store.read(flows.list_flows)]
    return named(name, listed, app.project.settings.namespace)


def named(name: str, listed: Sequence[tuple[str, str]], own: str) -> tuple[str, str]:
    """The one of some flows (namespace and id) that a name means, one's `own` namespace first. Raises UnknownFlow."""
    fitting = [flow for flow in listed if name in (flow[1], ".".join(flow))]
    whole = [flow for flow in fitting if name == ".".join(flow)]
    near = [flow for flow in fitting if flow[0] == own]
    for found in (whole, near, fitting):
        if len(found) == 1:
            return found[0]
    names = [".".join(flow) for flow in (fitting or listed)]
    if fitting:
        raise WrongCall(f'Several flows are named "{name}": {", ".join(names)}.', hint="Give the namespace too.")
    hint = nearest(name, names) or "`penstock flows list` shows those of the store."
    raise UnknownFlow(f'There is no file and no flow "{name}".', hint=hint)


def _from_file(
    app: App, path: Path, by: str, *, name: str = "", allow_unknown: bool
) -> tuple[Plan, tuple[Problem, ...]]:
    if project.holds_tests(path):
        raise WrongCall(f"{path} holds tests of a flow.", hint=f"`penstock test {path}` runs them.")
    manner = manner_of(app.project, allow_unknown=allow_unknown)
    plan, reading = project.push_file(app.core, near(path), manner, by, name)
    around = app.project.flow_places if app.project.file else [path.absolute().parent]
    project.push_called(app.core, plan.flow, around, manner, by)
    return plan, reading.problems
