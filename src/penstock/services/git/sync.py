"""How does a commit come to stand here? All of it in one transaction, if all of it is valid; else nothing changes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock.errors import PenstockError, Place, Problem, Severity
from penstock.errors.api import MayNot
from penstock.errors.git import GitFailed, WrongBranch
from penstock.errors.project import InvalidFlows
from penstock.errors.store import StoreError
from penstock.errors.work import BadFileName
from penstock.model.access import Action
from penstock.services import namespace_files, pushing
from penstock.services.access import audited
from penstock.services.core import Core
from penstock.services.git.mirror import Mirror, opened
from penstock.services.git.reading import File, Said, said_by
from penstock.services.git.source import Source
from penstock.services.project import Manner
from penstock.services.pushing import Act, FlowChange, PushPlan, What
from penstock.services.unanswered import repeat_unknown
from penstock.store import flows as flow_table
from penstock.store import git as table
from penstock.store import namespace_files as file_table
from penstock.store.git import Held, HeldKind, State
from penstock.store.namespace_files import Entry, Kind
from penstock.store.port import Tx
from penstock.telemetry import Level

_problems: Final = msgspec.json.Decoder(tuple[Problem, ...])


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a file of a namespace."""

    namespace: str
    path: str
    what: What


class Synced(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a look at a branch: its newest commit, what that changes, and what is wrong with it.

    `done` says that it stands here now; nothing was done where something is wrong, or only a look was wanted.
    """

    name: str
    commit: str
    flows: tuple[FlowChange, ...] = ()
    files: tuple[FileChange, ...] = ()
    problems: tuple[Problem, ...] = ()
    done: bool = False

    @property
    def valid(self) -> bool:
        """Whether it can stand here."""
        return not any(each.severity is Severity.ERROR for each in self.problems)


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a commit changes, as the audit tells of it; `flow` or `file` is what stands there from now on."""

    verb: str
    namespace: str
    name: str
    flow: Act | None = None
    file: Entry | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """All that a commit changes; `holds` is what it has brought, `fresh` addresses of bytes that were kept for it."""

    deeds: tuple[Deed, ...]
    flows: tuple[FlowChange, ...]
    files: tuple[FileChange, ...]
    holds: tuple[Held, ...]
    fresh: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def problems_of(state: State) -> tuple[Problem, ...]:
    """What was wrong with the commit that was looked at last."""
    return _problems.decode(state.problems) if state.problems else ()


def sync(
    core: Core,
    source: Source,
    manner: Manner,
    root: Path,
    *,
    again: bool = True,
    dry_run: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Synced | None:
    """Look at a branch, and let its newest commit stand here; what is wrong with it is kept, and told by a notice.

    Without `again` a commit that was looked at already is left alone, which is None. `root` is where copies are kept.
    Raises StoreError.
    """
    before = core.store.read(lambda tx: table.get(tx, source.name))
    began, commit = core.clock.now(), ""
    own = core.asked_by(source.actor)
    try:
        with opened(root, source, source.login_by(core)) as mirror:
            mirror.stops_when(stopped)
            commit = mirror.newest()
            if not again and commit == before.looked_commit:
                _keep(core, replace(before, looked_at=began))
                return None
            commit = mirror.fetch()
            said = said_by(mirror, source, manner, commit)
            planned = _planned(own, source, said, mirror, dry_run=dry_run)
        looked = Synced(
            name=source.name, commit=commit, flows=planned.flows, files=planned.files, problems=planned.problems
        )
        if dry_run or not looked.valid:
            return looked if dry_run else _refused(core, before, looked, began)
        state = replace(before, looked_commit=commit, looked_at=began, applied_commit=commit, applied_at=began)
        state = replace(state, problems=_written(looked.problems))
        done = _apply(own, source, planned, state)
    except GitFailed as error:
        return _failed(core, before, Synced(name=source.name, commit=commit, problems=(error.problem(),)), began)
    except (BadFileName, MayNot) as error:
        wrong = Synced(name=source.name, commit=commit, problems=(error.problem(),))
        return wrong if dry_run else _refused(core, before, wrong, began)
    if not done:
        return None  # somebody else was here meanwhile
    if planned.deeds:
        say = core.notices.say
        say("git.synced", core.clock.now(), branch=source.name, commit=commit, changes=len(planned.deeds))
    return replace(looked, done=True)


def _planned(core: Core, source: Source, said: Said, mirror: Mirror, *, dry_run: bool) -> Changes:
    """What a commit changes. Raises GitFailed."""
    held = core.store.read(lambda tx: table.held(tx, source.name))
    plan, problems = _flows(core, source, said, held)
    named = {(each.namespace, each.flow): each for each in plan.flows}
    texts = {(flow.namespace, flow.id): each for each in said.flows if (flow := each.reading.flow)}
    deeds = [
        _of_flow(Act(verb="push", namespace=name[0], id=name[1], reading=texts[name]))
        for name, each in named.items()
        if each.what in (What.NEW, What.CHANGED)
    ]
    holds = [Held(HeldKind.FLOW, *name) for name in texts]
    changes = [each for each in plan.flows if each.what is not What.GONE]
    lost = [each for each in held if each.kind is HeldKind.FLOW and (each.namespace, each.name) not in texts]
    for gone in _standing(core, lost) if source.prune else ():
        deeds.append(_of_flow(Act(verb="remove", namespace=gone.namespace, id=gone.id)))
        changes.append(
            FlowChange(
                namespace=gone.namespace, flow=gone.id, what=What.GONE, file="", before=gone.revision, after=None
            )
        )
    wrong = (*said.problems, *problems, *plan.problems)
    # nothing is kept for what cannot stand here anyway
    kept = not dry_run and not any(each.severity is Severity.ERROR for each in wrong)
    files, told, fresh = _files(core, source, said, mirror, held, kept=kept)
    return Changes(
        deeds=(*deeds, *files),
        flows=tuple(changes),
        files=tuple(told),
        holds=(*holds, *(Held(HeldKind.FILE, each.namespace, each.path) for each in said.files)),
        fresh=tuple(fresh),
        problems=wrong,
    )


def _flows(core: Core, source: Source, said: Said, held: Sequence[Held]) -> tuple[PushPlan, tuple[Problem, ...]]:
    """What becomes of the flows of a commit, and what is wrong with them."""
    nothing = PushPlan(flows=(), triggers=())
    if not said.flows:
        if not any(each.kind is HeldKind.FLOW for each in held):
            return nothing, ()
        sentence = f"No flow is left in {', '.join(source.flows)} of the branch; those that it has brought stay."
        return nothing, (Problem(WrongBranch.code, sentence, hint="The key `flows` names the folders of flows."),)
    try:
        return pushing.plan(core, said.flows, source.within or None), ()
    except InvalidFlows as error:
        return nothing, tuple(error.problems)
    except PenstockError as error:
        return nothing, (error.problem(),)


def _standing(core: Core, lost: Sequence[Held]) -> list[flow_table.Revision]:
    """Those flows that stand here, of such that a branch does not bring any more."""
    found = core.store.read(lambda tx: [flow_table.current(tx, each.namespace, each.name) for each in lost])
    return [each for each in found if each is not None]


def _files(
    core: Core, source: Source, said: Said, mirror: Mirror, held: Sequence[Held], *, kept: bool
) -> tuple[list[Deed], list[FileChange], list[str]]:
    """What becomes of the files of namespaces; with `kept` their bytes are kept already."""
    deeds: list[Deed] = []
    told: list[FileChange] = []
    fresh: list[str] = []
    now, by = core.clock.now(), _by(source, said.commit)
    try:
        for each, body in zip(said.files, mirror.contents([one.blob for one in said.files]), strict=True):
            wanted = _entry(each, body, now, by)
            there = core.store.glance(partial(file_table.get, namespace=wanted.namespace, path=wanted.path))
            if there is not None and there.kind is Kind.FILE and there.digest == wanted.digest:
                continue
            told.append(
                FileChange(namespace=each.namespace, path=wanted.path, what=What.CHANGED if there else What.NEW)
            )
            if kept:
                fresh.append(namespace_files.keep_bytes(core, each.namespace, io.BytesIO(body)))
                wanted = replace(wanted, uri=fresh[-1])
            deeds.append(Deed(verb="files.put", namespace=each.namespace, name=wanted.path, file=wanted))
        standing = {(each.namespace, each.path) for each in said.files}
        lost = [each for each in held if each.kind is HeldKind.FILE and (each.namespace, each.name) not in standing]
        for gone in lost if source.prune else ():
            there = core.store.glance(partial(file_table.get, namespace=gone.namespace, path=gone.name))
            if there is not None:
                entry = namespace_files.gone(there, now, by)
                deeds.append(Deed(verb="files.delete", namespace=gone.namespace, name=gone.name, file=entry))
                told.append(FileChange(namespace=gone.namespace, path=gone.name, what=What.GONE))
    except BaseException:
        namespace_files.drop_bytes(core, fresh)
        raise
    return deeds, told, fresh


def _entry(each: File, body: bytes, now: int, by: str) -> Entry:
    digest, size = namespace_files.measured(io.BytesIO(body))
    try:
        path = namespace_files.clean(each.path)
    except BadFileName as error:
        raise BadFileName(error.sentence, place=Place(1, 1, each.blob.path), hint=error.hint) from None
    return Entry(
        namespace=each.namespace,
        path=path,
        kind=Kind.FILE,
        size=size,
        digest=digest,
        changed_at=now,
        changed_by=by,
    )


def _of_flow(act: Act) -> Deed:
    return Deed(verb=f"flows.{act.verb}", namespace=act.namespace, name=act.name, flow=act)


def _by(source: Source, commit: str) -> str:
    """How revisions remember where they come from."""
    return f"git {source.name}@{commit}"


def _apply(core: Core, source: Source, changes: Changes, state: State) -> bool:
    """Let it stand here; False when somebody else has looked at the branch meanwhile."""
    try:
        left = _commit(core, changes.deeds, changes, state) if changes.deeds else _note(core, changes, state)
    except StoreError:
        raise  # what was kept for it is gone already, but where its COMMIT may have taken effect
    except PenstockError:
        namespace_files.drop_bytes(core, changes.fresh)
        raise
    if left is None:
        namespace_files.drop_bytes(core, changes.fresh)
        return False
    namespace_files.drop_bytes(core, left)
    return True


@audited(Action.FLOWS_EDIT, "{each.verb}", "{each.name}", namespace="{each.namespace}", each="deeds")
def _commit(core: Core, deeds: Sequence[Deed], changes: Changes, state: State) -> list[str] | None:
    flows = pushing.texts_of([each.flow for each in deeds if each.flow is not None])
    now, by = state.applied_at, f"git {state.name}@{state.applied_commit}"

    def work(tx: Tx) -> list[str] | None:
        if not table.put(tx, state):
            # a COMMIT that nobody heard of, or somebody else
            return [] if _is_done(tx, state) else None
        pushing.carry_out(tx, flows, now, by)
        left: list[str] = []
        files = [each.file for each in deeds if each.file is not None]
        for entry in sorted(files, key=lambda each: each.kind is not Kind.GONE):
            left += namespace_files.commit(tx, core, entry)[1]
        _hold(tx, changes, state)
        return left

    return repeat_unknown(
        core, lambda: core.store.write(work), partial(namespace_files.drop_bytes, core, changes.fresh)
    )


def _note(core: Core, changes: Changes, state: State) -> list[str] | None:
    """Keep that a commit changes nothing."""

    def work(tx: Tx) -> list[str] | None:
        if not table.put(tx, state):
            return [] if _is_done(tx, state) else None
        _hold(tx, changes, state)
        return []

    return repeat_unknown(
        core, lambda: core.store.write(work), partial(namespace_files.drop_bytes, core, changes.fresh)
    )


def _hold(tx: Tx, changes: Changes, state: State) -> None:
    before = set(table.held(tx, state.name))
    fresh = sorted(set(changes.holds) - before)
    table.take(tx, state.name, fresh)
    table.hold(tx, state.name, fresh)
    table.release(tx, state.name, sorted(before - set(changes.holds)))


def _is_done(tx: Tx, state: State) -> bool:
    there = table.get(tx, state.name)
    return (there.applied_commit, there.applied_at) == (state.applied_commit, state.applied_at)


def _refused(core: Core, before: State, looked: Synced, began: int) -> Synced:
    """Keep what is wrong with a commit; nothing else changes."""
    _keep(
        core,
        replace(before, looked_commit=looked.commit, looked_at=began, problems=_written(looked.problems)),
    )
    first = next(each for each in looked.problems if each.severity is Severity.ERROR)
    _say(core, "git.refused", looked, f"{first.place.file}:{first.place.line}: " if first.place else "", first)
    return looked


def _failed(core: Core, before: State, looked: Synced, began: int) -> Synced:
    """Keep that the branch could not be looked at; it is tried again."""
    _keep(core, replace(before, looked_at=began, problems=_written(looked.problems), looked_commit=""))
    _say(core, "git.failed", looked, "", looked.problems[0])
    return looked


def _say(core: Core, name: str, looked: Synced, place: str, problem: Problem) -> None:
    why = f"{place}{problem.sentence}"
    core.notices.say(name, core.clock.now(), Level.WARNING, branch=looked.name, commit=looked.commit, why=why)


def _keep(core: Core, state: State) -> None:
    core.store.write(lambda tx: table.put(tx, state))


def _written(problems: Sequence[Problem]) -> str:
    return msgspec.json.encode(problems).decode() if problems else ""
