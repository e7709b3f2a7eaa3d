"""How do people meddle with runs of a server, end them, or let them go on?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from penstock.cli.again import AgainGiven, KillGiven, RestartGiven
from penstock.cli.ending import Exit
from penstock.cli.following import Wanted
from penstock.cli.meddle import ResumeGiven
from penstock.cli.options import pairs
from penstock.cli.remote.runs import document
from penstock.cli.remote.showing import follow, tell_started
from penstock.cli.remote.starting import inputs_for
from penstock.cli.remote.which import chosen
from penstock.cli.said import as_json, data, note
from penstock.cli.several import ACTIVE, described, each_of
from penstock.client import Client
from penstock.errors.client import NotInTime
from penstock.errors.project import WrongCall
from penstock.model.status import RunStatus

PATIENCE: Final = 25.0


def pause(url: str, given: dict[str, Any]) -> int:
    """Pause runs."""
    return _each(url, given, lambda client, run: client.runs.pause(run), *ACTIVE)


def resume(url: str, given: dict[str, Any]) -> int:
    """Let go on what is paused."""
    if described(given) and not given["step"]:
        given |= {"run": "", "step": given["run"]}
    usual = (RunStatus.PAUSED, RunStatus.RUNNING) if given["step"] else (RunStatus.PAUSED,)
    wanted = msgspec.convert(given, ResumeGiven)
    values = pairs(wanted.inputs, "-i")
    named = given | {"run": (given["run"],) if given["run"] else ()}
    return _each(url, named, lambda client, run: client.runs.resume(run, wanted.step, values), *usual)


def mark(url: str, given: dict[str, Any]) -> int:
    """Say how a step or an ended run ended."""
    step, status, reason = "" if given["step"] == "-" else given["step"], given["status"], given["reason"]
    described_by = given | {"status": given["statuses"]}
    return _each(url, described_by, lambda client, run: client.runs.mark(run, status, step, reason))


def skip(url: str, given: dict[str, Any]) -> int:
    """Skip a step."""
    return _each(url, given, lambda client, run: client.runs.skip(run, given["step"]), *ACTIVE)


def kill(url: str, given: dict[str, Any]) -> int:
    """End runs, and the runs that they started."""
    wanted = msgspec.convert(given, KillGiven)
    with chosen(url, given, *ACTIVE, RunStatus.KILLING) as (client, named):
        over_before = [each for each in named if client.runs.get(each).status.ended]
        for each in named:
            client.runs.kill(each, force=wanted.force)
        over = wanted.wait and all(_ended(client, each) for each in named)
        told = [document(client, each) for each in named]
        if given["json"]:
            as_json(told)
        else:
            for one in told:
                data(f"{one.id}  {one.status}")
        if over_before:
            note(f"Had ended before: {', '.join(over_before)}. What they started is ended, too.")
        if wanted.wait and not over:
            note("Not all have ended yet: their workers give the tasks their grace. `--force` gives none.")
    return Exit.SUCCESS


def restart(url: str, given: dict[str, Any]) -> int:
    """Go on with ended runs from what did not succeed."""
    wanted = msgspec.convert(given, RestartGiven)
    how = Wanted(json=given["json"], quiet=wanted.quiet)
    with chosen(url, given, RunStatus.FAILED, RunStatus.KILLED, RunStatus.CANCELLED) as (client, named):
        if wanted.wait and len(named) == 1 and wanted.run:
            return follow(client, client.runs.restart(named[0], wanted.parts).id, how)

        def begin(run: str) -> None:
            tell_started(client, client.runs.restart(run, wanted.parts).id, how)

        done = each_of(named, begin)
        return Exit.SUCCESS if done == named else Exit.WRONG_CALL


def replay(url: str, given: dict[str, Any]) -> int:
    """Start new runs like old ones."""
    wanted = msgspec.convert(given, AgainGiven)
    if wanted.alone and not wanted.step:
        raise WrongCall("`--alone` needs the step that is to be done again.", hint="Example: --from 'each[3]' --alone")
    how = Wanted(json=given["json"], quiet=wanted.quiet)
    labels = pairs(wanted.labels, "--label")
    with chosen(url, given) as (client, named):

        def begin(run: str) -> str:
            old = client.runs.get(run)
            inputs = inputs_for(client, (old.namespace, old.flow), pairs(wanted.inputs, "-i"), "", old.revision)
            made = client.runs.replay(run, wanted.step, alone=wanted.alone, inputs=inputs, labels=labels)
            return made.id

        if wanted.wait and len(named) == 1 and wanted.run:
            return follow(client, begin(named[0]), how)
        done = each_of(named, lambda run: tell_started(client, begin(run), how))
        return Exit.SUCCESS if done == named else Exit.WRONG_CALL


def _each(url: str, given: dict[str, Any], act: Callable[[Client, str], object], *usual: RunStatus) -> int:
    with chosen(url, given, *usual) as (client, named):
        done = each_of(named, lambda run: act(client, run))
        told = [document(client, each) for each in done]
        if given["json"]:
            as_json(told)
        else:
            for one in told:
                data(f"{one.id}  {one.status}")
        return Exit.SUCCESS if done == named else Exit.WRONG_CALL


def _ended(client: Client, run: str) -> bool:
    try:
        client.runs.wait(run, PATIENCE)
    except NotInTime:
        return False
    return True
