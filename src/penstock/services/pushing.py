"""What would many flows at once change, and how do they get into the store together: all of them, or none?"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock.errors import PenstockError, Place, Problem, Severity
from penstock.errors.project import FlowElsewhere
from penstock.model.access import Action
from penstock.model.flow import Flow
from penstock.model.trigger import OnTime, Trigger
from penstock.services import triggers
from penstock.services.access import audited, need
from penstock.services.core import Core
from penstock.services.document import instant
from penstock.services.preview import firings
from penstock.services.project import Found, invalid
from penstock.services.render import calls_in
from penstock.services.unanswered import repeat_unknown
from penstock.store import feed
from penstock.store import flows as table
from penstock.store import triggers as states
from penstock.store.port import Tx

DATES: Final = 5


class What(enum.StrEnum):
    """What becomes of a flow or a trigger; `gone` stands in the store, and not among what is pushed."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    GONE = "gone"


class FlowChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a flow: its newest revision before and after, null where there is none, and its file."""

    namespace: str
    flow: str
    what: What
    file: str
    before: int | None
    after: int | None


class TriggerChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a trigger: of a schedule also its next dates before and after, or why they cannot be told.

    `off_by` is who has switched it off, in which case it fires for none of them.
    """

    namespace: str
    flow: str
    trigger: str
    kind: str
    what: What
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    off_by: str = ""
    problem: str = ""


class PushPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a push changes: each flow of it and each that is gone, triggers that change, what is worth a warning.

    `done` says whether it was done; `pruned` whether those that are gone were, or would be, removed.
    """

    flows: tuple[FlowChange, ...]
    triggers: tuple[TriggerChange, ...]
    problems: tuple[Problem, ...] = ()
    pruned: bool = False
    done: bool = False

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return any(each.what in _ACTS or (each.what is What.GONE and self.pruned) for each in self.flows)


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One flow of a push that changes: what it says now, or nothing where it is removed."""

    verb: str
    namespace: str
    id: str
    reading: Found | None = None

    @property
    def name(self) -> str:
        """The flow's name."""
        return f"{self.namespace}.{self.id}"


class Before(msgspec.Struct, frozen=True):
    """What stood in the store: the newest revisions of flows, and the numbers of the last ones of removed flows too."""

    heads: dict[tuple[str, str], table.Revision]
    last: dict[tuple[str, str], int]


_ACTS: Final = (What.NEW, What.CHANGED)


def plan(core: Core, found: Sequence[Found], within: str | None = None, *, prune: bool = False) -> PushPlan:
    """What pushing these flows would change; nothing is kept. Raises InvalidFlows with all problems, MayNot.

    They come from files (`project.read_all`) or from texts (`project.read_given`). Gone are flows of the namespace
    `within` and those below it (the empty one: all flows), or of the very namespaces of these flows when it is None.
    """
    _check(found, within)
    around = {flow.namespace for each in found if (flow := each.reading.flow)} if within is None else {within}
    for namespace in sorted(around):
        need(core.actor, Action.FLOWS_EDIT, namespace)
    before, gone = _stored(core, found, within)
    changes = [*(_change(each, before) for each in found), *(_gone(each) for each in gone)]
    return PushPlan(
        flows=tuple(sorted(changes, key=lambda each: (each.namespace, each.flow))),
        triggers=tuple(_trigger_changes(core, found, before, gone if prune else [])),
        problems=tuple(problem for each in found for problem in each.reading.problems),
        pruned=prune,
    )


def push(
    core: Core, found: Sequence[Found], within: str | None = None, *, prune: bool = False, by: str = ""
) -> PushPlan:
    """Make these flows the newest revisions, and with `prune` remove those that are gone; in one transaction.

    Raises InvalidFlows with all problems, after which nothing has changed; and MayNot, StoreBusy.
    """
    planned = plan(core, found, within, prune=prune)
    texts = {(each.reading.flow.namespace, each.reading.flow.id): each for each in found if each.reading.flow}
    acts = [
        Act(verb="push", namespace=each.namespace, id=each.flow, reading=texts[each.namespace, each.flow])
        for each in planned.flows
        if each.what in _ACTS
    ] + [
        Act(verb="remove", namespace=each.namespace, id=each.flow)
        for each in planned.flows
        if each.what is What.GONE and prune
    ]
    made = _commit(core, acts, by) if acts else {}
    flows = tuple(
        replace(each, after=made.get((each.namespace, each.flow), each.after)) if each.what in _ACTS else each
        for each in planned.flows
    )
    return replace(planned, flows=flows, done=True)


@audited(
    Action.FLOWS_EDIT, "flows.{each.verb}", "{each.namespace}.{each.id}", namespace="{each.namespace}", each="acts"
)
def _commit(core: Core, acts: Sequence[Act], by: str) -> dict[tuple[str, str], int]:
    now = core.clock.now()
    written = texts_of(acts)
    return repeat_unknown(core, lambda: core.store.write(lambda tx: carry_out(tx, written, now, by)))


def texts_of(acts: Sequence[Act]) -> list[tuple[Act, table.Written | None]]:
    """Acts with the text of each, to be carried out."""
    return [(act, _written(act.reading) if act.reading else None) for act in acts]


def carry_out(
    tx: Tx, written: Sequence[tuple[Act, table.Written | None]], now: int, by: str
) -> dict[tuple[str, str], int]:
    """Make flows what acts say, in a transaction of whoever has looked at their rights; gives the new revisions."""
    made: dict[tuple[str, str], int] = {}
    for act, text in written:
        if text is None or act.reading is None or act.reading.reading.flow is None:
            triggers.forget(tx, act.namespace, act.id, now)
            table.delete(tx, act.namespace, act.id, now)
        else:
            revision = made[act.namespace, act.id] = table.push(tx, text, now, by)
            triggers.sync(tx, replace(act.reading.reading.flow, revision=revision), now)
    feed.append(tx, [("flow", f"{act.namespace}/{act.id}", now) for act, _ in written], now)
    return made


def _check(found: Sequence[Found], within: str | None) -> None:
    """Refuse what has errors, what stands elsewhere, and nothing at all. Raises InvalidFlows."""
    told = [_elsewhere(each, within) for each in found]
    if not told or any(each.reading.flow is None for each in told):
        raise invalid([each for each in told if each.reading.problems])


def _elsewhere(each: Found, within: str | None) -> Found:
    flow = each.reading.flow
    if not within or flow is None or flow.namespace == within or flow.namespace.startswith(f"{within}."):
        return each
    sentence = f'The flow {flow.name} is not in the namespace "{within}" or below it, as all of these are to be.'
    problem = Problem(FlowElsewhere.code, sentence, place=Place(1, 1, str(each.path)), severity=Severity.ERROR)
    return Found(each.path, replace(each.reading, flow=None, problems=(*each.reading.problems, problem)))


def _stored(core: Core, found: Sequence[Found], within: str | None) -> tuple[Before, list[table.Revision]]:
    """The newest revisions of these flows, and those of flows that are gone."""
    named = {(each.reading.flow.namespace, each.reading.flow.id) for each in found if each.reading.flow}
    around = {namespace for namespace, _ in named} if within is None else {within}

    def look(tx: Tx) -> tuple[Before, list[table.Revision]]:
        heads = {name: head for name in named if (head := table.current(tx, *name)) is not None}
        last = {name: made[0].revision for name in named if (made := table.history(tx, *name, 1))}
        listed = {
            (each.namespace, each.id)
            for namespace in sorted(around)
            for each in table.list_flows(tx, namespace)
            if within is not None or each.namespace == namespace
        }
        gone = [table.current(tx, *name) for name in sorted(listed - named)]
        return Before(heads, last), [each for each in gone if each is not None]

    return core.store.read(look)


def _change(each: Found, before: Before) -> FlowChange:
    flow = each.reading.flow
    assert flow is not None
    head = before.heads.get((flow.namespace, flow.id))
    last = before.last.get((flow.namespace, flow.id), 0)
    what = What.NEW if head is None else What.SAME if head.digest == each.reading.digest else What.CHANGED
    return FlowChange(
        namespace=flow.namespace,
        flow=flow.id,
        what=what,
        file=str(each.path),
        before=head.revision if head else None,
        after=last + (what is not What.SAME),
    )


def _gone(head: table.Revision) -> FlowChange:
    return FlowChange(namespace=head.namespace, flow=head.id, what=What.GONE, file="", before=head.revision, after=None)


def _trigger_changes(
    core: Core,
    found: Sequence[Found],
    before: Before,
    gone: Sequence[table.Revision],
) -> Iterator[TriggerChange]:
    """The triggers that do not stay as they are."""
    for each in found:
        flow = each.reading.flow
        assert flow is not None
        head = before.heads.get((flow.namespace, flow.id))
        if head is None or head.digest != each.reading.digest:
            yield from _of_flow(core, head.flow() if head else None, flow)
    for head in gone:
        yield from _of_flow(core, head.flow(), None)


def _of_flow(core: Core, old: Flow | None, new: Flow | None) -> Iterator[TriggerChange]:
    flow = new or old
    assert flow is not None
    had = {each.id: each for each in old.triggers} if old else {}
    has = {each.id: each for each in new.triggers} if new else {}
    off: dict[str, str] = {}
    if had:
        off = {one.id: one.off_by for one in core.store.read(lambda tx: states.of_flow(tx, flow.namespace, flow.id))}
    for name in dict.fromkeys((*had, *has)):
        one, other = had.get(name), has.get(name)
        before, _ = _dates(core, old, one)
        after, problem = _dates(core, new, other)
        if one == other and before == after:
            continue
        kept = other or one
        assert kept is not None
        yield TriggerChange(
            namespace=flow.namespace,
            flow=flow.id,
            trigger=name,
            kind=kept.type,
            what=What.NEW if one is None else What.GONE if other is None else What.CHANGED,
            before=before,
            after=after,
            off_by=off.get(name, ""),
            problem=problem,
        )


def _dates(core: Core, flow: Flow | None, trigger: Trigger | None) -> tuple[tuple[str, ...], str]:
    """The next dates of a trigger, and why they cannot be told."""
    if flow is None or not isinstance(trigger, OnTime) or trigger.disabled or flow.disabled:
        return (), ""
    try:
        is_closed = core.calendars.of(trigger)
        told = firings(flow, trigger, core.clock.now(), calls_in(core, flow.namespace, set()), is_closed)
        fires = islice((each.at for each in told if not each.skipped), DATES)
        return tuple(instant(round(at.timestamp() * 1_000_000)) or "" for at in fires), ""
    except PenstockError as error:
        return (), str(error)


def _written(each: Found) -> table.Written:
    flow = each.reading.flow
    assert flow is not None
    return table.Written(
        namespace=flow.namespace,
        id=flow.id,
        dialect=flow.language.dialect,
        digest=each.reading.digest,
        source=each.reading.source,
        model=msgspec.json.encode(flow).decode(),
    )
