"""What must each run of the mix come to? Its ends by flow and inputs, computed without the engine."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import msgspec

from penstock.model.run import Run
from penstock.model.status import RunStatus

R = RunStatus


class End(msgspec.Struct, frozen=True):
    """One way in which a run may end: its status, the tasks that are a success then, those that may be one besides."""

    status: RunStatus
    done: frozenset[str]
    maybe: frozenset[str] = frozenset()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be started, and what the operator does to it besides: kill, pause, restart, replay."""

    flow: str
    key: str
    inputs: dict[str, object] = {}
    verb: str = ""


# The tasks that run in processes and write to the ledger, by flow; in loops without the loop's part of the key.
EFFECTS: Final[dict[str, frozenset[str]]] = {
    "chain": frozenset({"first", "second", "last"}),
    "wide": frozenset("abcd"),
    "loop": frozenset({"work"}),
    "choose": frozenset({"way_a", "more", "hidden"}),
    "flaky": frozenset({"shaky"}),
    "called": frozenset({"work", "unwell"}),
    "caller": frozenset({"before", "closed"}),
    "guarded": frozenset({"bad", "mended", "slow", "good"}),
    "limited": frozenset({"work"}),
    "refused": frozenset({"work"}),
    "endless": frozenset({"work", "waits"}),
    "waiting": frozenset({"waits"}),
    "gated": frozenset({"before", "gate", "beside", "after"}),
    "tree": frozenset({"work", "closed"}),
    "ways": frozenset({"one", "two", "four", "last"}),
    "asked": frozenset({"before", "beside", "after"}),
}
SHARES: Final = {
    "chain": 14, "wide": 8, "loop": 10, "choose": 14, "flaky": 10, "caller": 9, "guarded": 6, "limited": 8,
    "refused": 6, "endless": 6, "gated": 6, "tree": 5, "ways": 6, "asked": 6,
}  # fmt: skip


def order(chance: random.Random, key: str) -> Order:
    """Draw a run of the mix."""
    flow = chance.choices(list(SHARES), list(SHARES.values()))[0]
    match flow:
        case "chain":
            verb = chance.choices(("", "replay", "replay from"), (6, 1, 1))[0]
            return Order(flow=flow, key=key, inputs={"pause": round(chance.uniform(0.0, 0.15), 3)}, verb=verb)
        case "loop":
            items = [f"v{number}" for number in range(chance.randint(0, 5))]
            return Order(flow=flow, key=key, inputs={"items": items}, verb=chance.choice(("", "pause")))
        case "wide":
            return Order(flow=flow, key=key, verb=chance.choice(("", "pause")))
        case "asked":
            return Order(flow=flow, key=key, verb="resume")
        case "choose":
            return Order(flow=flow, key=key, inputs={"way": chance.choice("abc"), "more": chance.random() < 0.5})
        case "flaky":
            return Order(flow=flow, key=key, inputs={"times": chance.randint(0, 2)})
        case "caller":
            return Order(flow=flow, key=key, inputs={"well": chance.random() < 0.6})
        case "endless":
            return Order(flow=flow, key=key, verb=chance.choice(("kill", "kill by force")))
        case "gated":
            return Order(flow=flow, key=key, inputs={"gate": key}, verb="restart")
        case _:
            return Order(flow=flow, key=key)


def ends_of(run: Run) -> tuple[End, ...]:
    """The ways in which a run may have ended, by its flow and inputs."""
    return ENDS[run.flow](run)


def _success(*done: str) -> tuple[End, ...]:
    return (End(R.SUCCESS, frozenset(done)),)


def _loop(run: Run) -> tuple[End, ...]:
    items = run.inputs["items"]
    assert isinstance(items, list)
    done = [f"each[{number}]/{task}" for number in range(len(items)) for task in ("work", "told")]
    return _success("after", *done)


def _choose(run: Run) -> tuple[End, ...]:
    way = {"a": "way_a", "b": "way_b"}.get(str(run.inputs["way"]), "no_way")
    return _success(way, "more" if run.inputs["more"] else "enough")


def _called(run: Run) -> tuple[End, ...]:
    return _success("work", "well") if run.inputs["well"] else (End(R.FAILED, frozenset({"work"})),)


def _caller(run: Run) -> tuple[End, ...]:
    if run.inputs["well"]:
        return _success("before", "call", "after", "closed")
    return (End(R.FAILED, frozenset({"before", "told", "closed"})),)


def _tree(_run: Run) -> tuple[End, ...]:
    each = [f"each[{number}]/{task}" for number in range(3) for task in ("work", "told")]
    return _success("each[1]/deep", "closed", "after", *each)


ENDS: Final[dict[str, Callable[[Run], tuple[End, ...]]]] = {
    "chain": lambda _run: _success("first", "says", "second", "third", "last"),
    "wide": lambda _run: _success("a", "b", "told", "c", "d", "after"),
    "loop": _loop,
    "choose": _choose,
    "flaky": lambda _run: _success("shaky", "after"),
    "called": _called,
    "caller": _caller,
    "guarded": lambda _run: (End(R.WARNING, frozenset({"mended", "good", "closed"})),),
    "limited": lambda _run: _success("work"),
    "refused": lambda _run: (*_success("work"), End(R.CANCELLED, frozenset())),
    "endless": lambda _run: (End(R.KILLED, frozenset(), frozenset({"work"})),),
    "waiting": lambda _run: (End(R.KILLED, frozenset()),),
    "gated": lambda _run: _success("before", "gate", "beside", "after"),
    "tree": _tree,
    "ways": lambda _run: _success("one", "two", "three", "four", "rests", "last", "told"),
    "asked": lambda _run: _success("before", "asks", "beside", "after"),
}
