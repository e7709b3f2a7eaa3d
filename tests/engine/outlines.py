"""Which trees can be reckoned beforehand? All ways of arranging tasks, five deep, with what each attempt comes to.

Where tasks stand side by side and the first failure decides, only single tasks beside them may fail: what else would
become of a group whose sibling fails is a matter of time, which the reference does not have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from penstock.model.flow import Flow
from penstock.model.node import (
    Dag,
    Folder,
    ForEach,
    If,
    Keep,
    Need,
    Node,
    Parallel,
    Pause,
    PauseEnd,
    Sequence,
    Subflow,
    Switch,
    Task,
    TriggerRule,
    Until,
)
from penstock.model.policy import SECOND, OnChildFailure, Retry
from tests.engine.reference import NO, YES

DEEPEST = 5
MOST_NODES = 24
KINDS = ("task", "task", "task", "subflow", "pause")
GROUPS = ("sequence", "parallel", "finish", "foreach", "each", "if", "switch", "dag", "racing", "until", "folder")
CALM = ("success", "success", "warning", "skipped", "snoozed")
WILD = ("success", "success", "failed", "failed", "warning", "skipped", "snoozed", "lost")
ENDS = ("success", "failed", "warning", "killed", "cancelled")
VALUES: list[object] = [1, 2, 3]
Words = dict[str, tuple[str, ...]]


@dataclass
class Story:
    """A flow, what the attempts of its leaves come to, when loops are over, and which steps are to be skipped."""

    words: Words = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    skips: tuple[str, ...] = ()
    flow: Flow = field(default_factory=lambda: Flow(id="f", namespace="n", body=Sequence(id="")))


@dataclass(frozen=True)
class Place:
    """Where a node is to stand: how deep, in which kind of group, whether nothing there may fail, and in a folder."""

    depth: int
    around: str
    calm: bool = False
    folder: bool = False

    def inside(self, kind: str, *, calm: bool = False) -> Place:
        """The place of the children of a group of this kind that stands here."""
        return Place(self.depth + 1, kind, self.calm or calm, self.folder or kind == "folder")


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A tree with what becomes of its leaves."""
    story = Story()
    kinds = ("root", "errors", "finally", "after")
    main, aside, last, after = [rows(draw, story, Place(0, kind)) for kind in kinds]
    body = Sequence(id="", nodes=main, errors=aside[:1], finally_=last[:1], retry=retry_of(draw))
    story.flow = Flow(id="f", namespace="n", body=body, after=after[:2])
    if draw(st.booleans()) and story.ids:
        story.skips = (draw(st.sampled_from(story.ids)),)
    return story


def rows(draw: st.DrawFn, story: Story, place: Place, most: int = 3) -> tuple[Node, ...]:
    """Up to three nodes."""
    return tuple(a_node(draw, story, place) for _ in range(draw(st.integers(0 if place.depth else 1, most))))


def retry_of(draw: st.DrawFn) -> Retry | None:
    """Some policy, mostly none."""
    if draw(st.integers(0, 3)):
        return None
    interval = draw(st.sampled_from([0, 3 * SECOND]))
    return Retry(interval=interval, max_attempts=draw(st.integers(1, 3)), warn=draw(st.booleans()))


def a_node(draw: st.DrawFn, story: Story, place: Place) -> Node:
    """A leaf or a group."""
    small = place.depth >= DEEPEST or len(story.ids) >= MOST_NODES
    kind = draw(st.sampled_from(KINDS if small else (*KINDS, *GROUPS)))
    name = f"{kind}{len(story.ids) + 1}"
    story.ids.append(name)
    story.pairs.add((place.around, kind))
    own: dict[str, Any] = {
        "id": name,
        "disabled": draw(st.integers(0, 15)) == 15,
        "allow_failure": draw(st.integers(0, 4)) == 4,
        "allow_warning": draw(st.integers(0, 4)) == 4,
        "retry": retry_of(draw),
    }
    if kind in KINDS:
        return a_leaf(draw, story, place, kind, own)
    side = [rows(draw, story, place.inside(aside), 1) for aside in ("errors", "finally")]
    own |= {"errors": side[0], "finally_": side[1]}
    return a_row(draw, story, place, kind, own) or a_wide_one(draw, story, place, kind, own)


def a_leaf(draw: st.DrawFn, story: Story, place: Place, kind: str, own: dict[str, Any]) -> Node:
    """A task, a subflow or a pause."""
    words: tuple[str, ...] = CALM if place.calm else WILD
    if kind == "pause":
        ends = [PauseEnd.RESUME, PauseEnd.WARN] + [PauseEnd.FAIL, PauseEnd.CANCEL] * (not place.calm)
        delays: list[str | int] = ["", "PT4S", SECOND]
        return Pause(delay=draw(st.sampled_from(delays)), at_end=draw(st.sampled_from(ends)), **own)
    if kind == "subflow":
        found = tuple(draw(st.sampled_from(("success", "warning") if place.calm else ENDS)) for _ in range(3))
        story.words[own["id"]] = found
        return Subflow(namespace="n", flow="other", **own)
    if place.folder:
        words = tuple(word for word in words if word != "lost")
    found = tuple(draw(st.sampled_from(words)) for _ in range(3))
    # Something has to end it, whichever attempt is the first.
    story.words[own["id"]] = found if set(found) - {"snoozed", "lost"} else (*found, "success")
    return Task(type="log", run_if=draw(st.sampled_from(["", "", "", "", "false", YES, NO])), **own)


def a_row(draw: st.DrawFn, story: Story, place: Place, kind: str, own: dict[str, Any]) -> Node | None:
    """A group in which one task follows the other."""
    inner = place.inside(kind)
    match kind:
        case "sequence":
            return Sequence(nodes=rows(draw, story, inner), **own)
        case "folder":
            return Folder(nodes=rows(draw, story, inner), **own)
        case "foreach":
            values, mode = VALUES[: draw(st.integers(0, 3))], draw(st.sampled_from(list(OnChildFailure)))
            return ForEach(nodes=rows(draw, story, inner), values=values, on_child_failure=mode, **own)
        case "if":
            condition = draw(st.sampled_from(["true", "false", YES, NO]))
            return If(condition=condition, then=rows(draw, story, inner), else_=rows(draw, story, inner, 1), **own)
        case "switch":
            fits = place.calm or draw(st.integers(0, 3))
            return Switch(value="a", cases={"a" if fits else "b": rows(draw, story, inner)}, **own)
        case "until":
            story.met[own["id"]] = draw(st.integers(1, 4))
            return Until(
                nodes=rows(draw, story, inner),
                condition=draw(st.sampled_from(["true", "false", "{{ kv('met') }}", "{{ kv('met') }}"])),
                most=draw(st.integers(1, 3)),
                interval=draw(st.sampled_from([0, 2 * SECOND])),
                keep=draw(st.sampled_from(list(Keep))),
                fail_at_most=not place.calm and draw(st.booleans()),
                **own,
            )
    return None


def a_wide_one(draw: st.DrawFn, story: Story, place: Place, kind: str, own: dict[str, Any]) -> Node:
    """A group whose children stand side by side: all of them end, or the first failure decides."""
    racing = kind in ("parallel", "each", "racing")
    inside = rows(draw, story, place.inside(kind, calm=racing), 4)
    leaf: tuple[Node, ...] = ()
    if racing and not place.calm and draw(st.booleans()):
        story.ids.append(f"leaf{len(story.ids) + 1}")
        leaf = (a_leaf(draw, story, Place(DEEPEST, kind, folder=place.folder), "task", {"id": story.ids[-1]}),)
    limit = 0 if racing else draw(st.integers(0, 2))
    racers = [each for each in OnChildFailure if each is not OnChildFailure.FINISH]
    mode = draw(st.sampled_from(racers)) if racing else OnChildFailure.FINISH
    match kind:
        case "parallel" | "finish":
            return Parallel(nodes=(*inside, *leaf), limit=limit, on_child_failure=mode, **own)
        case "each":
            values = VALUES[: draw(st.integers(0, 3))]
            return ForEach(nodes=leaf or inside, values=values, limit=0, **own)
        case _:
            needs = {}
            for at, node in enumerate(inside):
                on = tuple(each.id for each in inside[:at] if draw(st.booleans()))
                setups = tuple(each for each in on if draw(st.booleans()))
                needs[node.id] = Need(on, draw(st.sampled_from(list(TriggerRule))), setups)
            judges = tuple(each.id for each in inside if draw(st.booleans())) if not draw(st.integers(0, 3)) else ()
            return Dag(nodes=(*inside, *leaf), needs=needs, limit=limit, judges=judges, on_child_failure=mode, **own)
