"""What must each run of the mix come to? Its ends by flow and inputs, computed without the engine."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock.model.run import Run
from penstock.model.status import RunStatus

R = RunStatus


class End(msgspec.Struct, frozen=True):
    """One way in which a run may end: its status, the tasks that are a success then, those that may be one besides."""

    status: RunStatus
    done: frozenset[str]
    maybe: frozenset[str] = frozenset()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be started, and what the operator does to it besides: kill, pause, restart, replay, one by one or all
    that bear a label. With `owned` the command line does it, until that is killed.
    """

    flow: str
    key: str
    inputs: dict[str, object] = {}
    labels: dict[str, str] = {}
    verb: str = ""
    owned: bool = False


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
    "folder": frozenset({"makes", "uses", "after"}),
    "until": frozenset({"look"}),
    "graph": frozenset({"bad", "good", "mend", "closes"}),
    "pooled": frozenset({"light", "heavy"}),
    "cached": frozenset({"after"}),
    "reborn": frozenset({"before", "shaky"}),
    "ticking": frozenset(),
    "queued": frozenset(),
    "follows": frozenset(),
    "filled": frozenset({"work"}),
}
SHARES: Final = {
    "chain": 14, "wide": 7, "loop": 9, "choose": 12, "flaky": 8, "caller": 8, "guarded": 5, "limited": 7,
    "refused": 5, "endless": 6, "gated": 6, "tree": 5, "ways": 6, "asked": 5, "folder": 6, "until": 5, "graph": 4,
    "pooled": 7, "cached": 6, "reborn": 5,
}  # fmt: skip
# What a bulk verb finds its runs by.
BULK: Final = "bulk"
# One of so many runs of these flows belongs to a `penstock run`.
OWNED: Final = {"chain": 0.25, "ways": 0.2, "folder": 0.15}
# What the pool `press` has room for, and what an attempt takes of it.
PRESS: Final = 3
TAKES: Final = {"light": 1, "heavy": 2}
REASON: Final = "it is right"


def order(chance: random.Random, key: str) -> Order:
    """Draw a run of the mix."""
    flow = chance.choices(list(SHARES), list(SHARES.values()))[0]
    drawn = _drawn(chance, flow, key)
    return replace(drawn, owned=not drawn.verb and chance.random() < OWNED.get(flow, 0.0))


def _drawn(chance: random.Random, flow: str, key: str) -> Order:
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
            return _alone_or_bulk(chance, flow, key, ("kill", "kill by force", "bulk kill"))
        case "gated":
            return replace(_alone_or_bulk(chance, flow, key, ("restart", "bulk restart")), inputs={"gate": key})
        case "until":
            return Order(flow=flow, key=key, inputs={"times": chance.randint(1, 4)})
        case "pooled":
            return Order(flow=flow, key=key, inputs={"customer": chance.choice(("ann", "bob", "cy"))})
        case "cached":
            return Order(flow=flow, key=key, inputs={"what": f"w{chance.randrange(12)}"})
        case "reborn":
            return Order(flow=flow, key=key, inputs={"name": key, "times": chance.randint(0, 2)})
        case _:
            return Order(flow=flow, key=key)


def _alone_or_bulk(chance: random.Random, flow: str, key: str, verbs: tuple[str, ...]) -> Order:
    verb = chance.choice(verbs)
    labels = {BULK: verb.removeprefix("bulk ")} if verb.startswith("bulk") else {}
    return Order(flow=flow, key=key, verb=verb, labels=labels)


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


def _until(run: Run) -> tuple[End, ...]:
    times = run.inputs["times"]
    assert isinstance(times, int)
    # Of its iterations only the last is kept.
    return _success("after", f"again[{times - 1}]/look")


def _folder(run: Run) -> tuple[End, ...]:
    whole = _success("makes", "uses", "beside", "after")
    # A folder that is lost three times is given up.
    return (*whole, End(R.FAILED, frozenset(), frozenset({"makes", "uses", "beside"}))) if run.redone >= 2 else whole


def _reborn(run: Run) -> tuple[End, ...]:
    # A kill may strike the first task, too.
    return (*_success("before", "shaky"), End(R.RETRIED, frozenset(), frozenset({"before"})))


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
    "folder": _folder,
    "until": _until,
    "graph": lambda _run: (End(R.FAILED, frozenset({"good", "mend", "closes"})),),
    "pooled": lambda _run: _success("light", "heavy", "after"),
    "cached": lambda _run: _success("keeps", "after"),
    "reborn": _reborn,
    "ticking": lambda _run: _success("say"),
    "queued": lambda _run: _success("say"),
    "follows": lambda _run: _success("say"),
    "filled": lambda _run: _success("work"),
}
