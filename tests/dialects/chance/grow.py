"""Which flows does chance write in the language? A seed is one flow for ever: groups in groups, failures, conditions.

Everything in it has one outcome, whatever goes side by side: what runs beside something fails only where that is
allowed, and reads only what surely came before, or says what stands for it. Left out is what has the engine wait for
ever or stumble: disabled tasks and retries in `errors` and `finally`, retries beside `allowWarning`, retries of groups
that are used up or stand beside `errors` and `finally`, loops over nothing and branches not taken that have `finally`;
and, in version 2, retries of groups and those that are used up.
"""

from __future__ import annotations

import itertools
import random
from typing import Any, Final

from msgspec.structs import replace

from tests.dialects.chance.spots import CORE, NOTHING, Seen, Spot, Tree, condition, text_of, texts, unsure

DEEPEST: Final = 4
MOST_TASKS: Final = 25
VALUES: Final[tuple[list[Any] | str, ...]] = (
    ["a", "b"],
    ["a", "b", "c"],
    ["x"],
    [1, 2],
    "{{ ['a', 'b'] }}",
    ["{{ inputs.word }}", "b"],
    [],
)
INPUTS: Final[list[Tree]] = [
    {"id": "word", "type": "STRING", "defaults": "hi"},
    {"id": "n", "type": "INT", "defaults": 3},
    {"id": "yes", "type": "BOOL", "defaults": True},
]


def grow(seed: int, version: str) -> Tree:
    """Write a flow, without its id and namespace."""
    chance = random.Random(f"{seed} of {version}")
    most = chance.choice((6, 10, 16, MOST_TASKS))
    spot = Spot(chance=chance, version=version, names=itertools.count(1), left=[most])
    flow: Tree = {"inputs": []}
    if spot.once(5):
        flow["variables"] = {"v": "of the flow"}
    if spot.once(9) and version == "1":
        flow["retry"] = _retry(spot) | {"maxAttempts": 3}
        spot = replace(spot, tried=True)
    flow["tasks"], seen = several(spot, 1, 4)
    after = replace(spot, seen=unsure(seen), depth=DEEPEST - 2)
    if spot.once(2):
        flow["errors"], _ = several(replace(after, aside="errors"), 1, 2)
    if spot.once(3):
        flow["finally"], _ = several(replace(after, aside="finally"), 1, 2)
    if spot.once(4):
        flow["afterExecution"], _ = several(replace(after, aside="after", depth=DEEPEST), 1, 2)
    if spot.once(3):
        flow["outputs"] = [{"id": "o", "type": "STRING", "value": text_of(replace(after, aside="outputs"))}]
    if spot.tried:
        flow = {key: value for key, value in flow.items() if key not in ("errors", "finally")}
    said = str(flow)
    flow["inputs"] = [each for each in INPUTS if f"inputs.{each['id']}" in said]
    return flow


def several(spot: Spot, least: int, most: int) -> tuple[list[Tree], tuple[Seen, ...]]:
    """Write tasks that follow one another, and tell what can be read afterwards."""
    made = []
    for _ in range(spot.chance.randint(least, most)):
        task, seen = one(spot)
        made.append(task)
        spot = replace(spot, seen=seen)
    return made, spot.seen


def one(spot: Spot) -> tuple[Tree, tuple[Seen, ...]]:
    """Write a task or a group, and tell what can be read after it."""
    spot.left[0] -= 1
    if spot.depth >= DEEPEST or spot.left[0] < 3 or spot.chance.random() < 0.4 + 0.08 * spot.depth:
        return leaf(spot)
    return group(spot)


# ------------------------------------------------------------------------------------------------------- leaves


def leaf(spot: Spot) -> tuple[Tree, tuple[Seen, ...]]:
    """Write one task."""
    kinds = ["say"] * 9 + ["values"] * 2 + ["log"] + ["bad"] * 4 + ["maybe"] * 3 + ["wrong"] * 2 + ["sub"] * 2
    kind = spot.chance.choice(kinds)
    if kind == "wrong" and not texts(spot):
        kind = "bad"
    if kind in ("wrong", "bad", "sub") and spot.tried:
        kind = "maybe"
    if kind == "sub" and spot.aside == "after":
        kind = "say"
    task: Tree = {"id": spot.name(kind), "type": f"{CORE}{TYPES[kind]}"} | _own(kind, spot)
    fails = kind in ("bad", "maybe", "wrong") or (kind == "sub" and task["flowId"] != "<<id>>_ok")
    if fails and (spot.beside or spot.once(3)):
        task["allowFailure"] = True
    if spot.once(14) and (task.get("allowFailure") or not spot.tried):
        task["allowWarning"] = True
    elif kind != "wrong" and not spot.aside and (spot.once(4) if fails else spot.once(25)):
        task |= _tried(spot, kind, task)
    if spot.once(20) and not spot.aside:
        task["disabled"] = True
    if spot.once(6):
        task["runIf"] = condition(spot)
    sure = not fails and not task.keys() & {"disabled", "runIf"}
    if kind not in ("say", "values"):
        return task, spot.seen
    return task, (*spot.seen, Seen(task["id"], spot.loops, sure, kind == "say"))


def _own(kind: str, spot: Spot) -> Tree:
    match kind:
        case "say":
            return {"format": text_of(spot)}
        case "values":
            said = text_of(spot)
            own = {"value": "x" if said == NOTHING else said, "n": spot.chance.choice((1, "{{ 1 + 1 }}", True))}
            return {"values": own}
        case "log":
            return {"message": text_of(spot)}
        case "bad":
            return {"errorMessage": "it fails"}
        case "maybe":
            again = f"{{{{ taskrun.attemptsCount < {spot.chance.randint(1, 2)} }}}}"
            return {"condition": again if spot.tried or spot.once(2) else condition(spot)}
        case "wrong":
            return {"format": f"{{{{ {spot.chance.choice(texts(spot))}.y.z }}}}"}
        case _:
            called = spot.chance.choice(("ok", "ok", "bad", "warn"))
            made: Tree = {"namespace": "oracle", "flowId": f"<<id>>_{called}"}
            if called == "ok":
                said = text_of(spot)
                made["inputs"] = {"x": "x" if said == NOTHING else said}
            return made | ({"transmitFailed": False} if spot.once(5) else {})


def _tried(spot: Spot, kind: str, task: Tree) -> Tree:
    """What has a task tried again; in the newer engine one that fails for good is there twice."""
    if kind == "sub" and "allowFailure" in task:
        return {}  # it is never tried again there
    if spot.version == "2" and kind != "say":
        times = spot.chance.randint(1, 2)
        again = {"condition": f"{{{{ taskrun.attemptsCount < {times} }}}}"}
        policy = _retry(spot) | {"maxAttempts": 3}
        policy.pop("warningOnRetry", None)
        return again | {"retry": policy} if kind == "maybe" else {}
    return {"retry": _retry(spot)}


def _retry(spot: Spot) -> Tree:
    policy: Tree = {"type": "constant", "interval": "PT0.05S", "maxAttempts": spot.chance.randint(1, 3)}
    if spot.once(4):
        policy |= {"type": "exponential", "maxInterval": "PT0.1S"}
    if spot.once(3):
        policy["warningOnRetry"] = True
    return policy


# ------------------------------------------------------------------------------------------------------- groups


def group(spot: Spot) -> tuple[Tree, tuple[Seen, ...]]:
    """Write a group with tasks in it."""
    loop = "Loop" if spot.version == "2" else spot.chance.choice(("ForEach", "ForEach", "EachSequential"))
    kinds = ["Sequential", "Sequential", "Parallel", "If", "If", "Switch", "Dag", "AllowFailure", "WorkingDirectory"]
    kind = spot.chance.choice([*kinds, loop, loop] if len(spot.loops) < 2 else kinds)
    task: Tree = {"id": spot.name(PREFIXES[kind]), "type": f"{CORE}flow.{kind}"}
    inside = replace(spot, depth=spot.depth + 1, values=_inside(spot, kind), own=spot.values)
    if spot.once(8) and not spot.tried and spot.version == "1" and kind != "WorkingDirectory":
        task["retry"] = _retry(spot) | {"maxAttempts": 3}
        inside = replace(inside, tried=True)
    body, seen = BODIES[kind](inside, task["id"])
    task |= body
    if kind != "AllowFailure" and spot.once(9):
        task["allowFailure"] = True
    if spot.once(16):
        task["allowWarning"] = True
    if spot.once(24) and not spot.aside:
        task["disabled"] = True
    if spot.once(12) and kind not in ("If", "Switch"):  # which hand on something although they are passed over
        task["runIf"] = condition(spot)
    if kind == "Loop":  # whose warnings are none in the engine
        task["allowWarning"] = True
    around = replace(inside, seen=unsure(seen), depth=max(inside.depth, DEEPEST - 1))
    if _takes_asides(kind, task):
        if spot.once(4):
            task["errors"], _ = several(replace(around, aside="errors"), 1, 2)
        if spot.once(6):
            task["finally"], _ = several(replace(around, aside="finally"), 1, 2)
    if inside.tried:  # they begin there while something is still tried again
        task = {key: value for key, value in task.items() if key not in ("errors", "finally")}
    certain = not task.keys() & {"disabled", "runIf"} and kind not in ("If", "Switch", loop)
    return task, seen if certain else (*spot.seen, *unsure(tuple(each for each in seen if each not in spot.seen)))


def _takes_asides(kind: str, task: Tree) -> bool:
    """May it have `errors` and `finally`? The engine passes them over where no branch is taken, or none is there."""
    if kind in ("WorkingDirectory", "Loop"):
        return False
    needed = {"If": "else", "Switch": "defaults"}.get(kind, "id")
    return needed in task and [] not in (task.get("values"), task.get("value"))


def _inside(spot: Spot, kind: str) -> tuple[int, ...]:
    """Where the values are found from within a group: one with a value or an output of its own is among `parents`."""
    if kind == "WorkingDirectory":
        return spot.values  # its tasks see what it sees
    told = -1 in spot.values or kind in ("If", "Switch")
    return tuple(place + told for place in spot.values)


def _tasks(spot: Spot, _: str) -> tuple[Tree, tuple[Seen, ...]]:
    made, seen = several(spot, 1, 4)
    return {"tasks": made}, seen


def _parallel(spot: Spot, _: str) -> tuple[Tree, tuple[Seen, ...]]:
    """Several lines, none of which reads what another one does."""
    made, seen = [], list(spot.seen)
    for _each in range(spot.chance.randint(1, 4)):
        task, after = one(replace(spot, beside=True))
        made.append(task)
        seen += after[len(spot.seen) :]
    own: Tree = {"concurrent": spot.chance.randint(1, 2)} if spot.once(3) else {}
    if spot.version == "2" and spot.once(2):
        own["onChildFailure"] = spot.chance.choice(("CONTINUE", "CANCEL", "FAIL"))
    return own | {"tasks": made}, tuple(seen)


def _dag(spot: Spot, _: str) -> tuple[Tree, tuple[Seen, ...]]:
    """Tasks that read what those they depend on have done; none depends on a disabled one."""
    made: list[Tree] = []
    after: dict[str, tuple[Seen, ...]] = {}
    for _each in range(spot.chance.randint(1, 4)):
        needed = [each for each in after if spot.once(2)]
        seen = (*spot.seen, *(one_of for each in needed for one_of in after[each]))
        task, then = one(replace(spot, beside=True, seen=tuple(dict.fromkeys(seen))))
        made.append({"task": task} | ({"dependsOn": needed} if needed else {}))
        if not task.get("disabled"):
            after[task["id"]] = tuple(each for each in then if each not in spot.seen)
    own: Tree = {"concurrent": spot.chance.randint(1, 2)} if spot.once(4) else {}
    spot.chance.shuffle(made)
    return own | {"tasks": made}, tuple(dict.fromkeys((*spot.seen, *itertools.chain(*after.values()))))


def _if(spot: Spot, _: str) -> tuple[Tree, tuple[Seen, ...]]:
    own: Tree = {"condition": condition(replace(spot, values=spot.own))}
    own["then"], seen = several(spot, 1, 2)
    if spot.once(2):
        own["else"], other = several(spot, 1, 2)
        seen = (*seen, *other[len(spot.seen) :])
    return own, seen


def _switch(spot: Spot, _: str) -> tuple[Tree, tuple[Seen, ...]]:
    own: Tree = {"value": text_of(replace(spot, values=spot.own)), "cases": {}}
    seen = spot.seen
    for case in spot.chance.sample(("a", "b", "hi", "none"), spot.chance.randint(1, 2)):
        own["cases"][case], after = several(spot, 1, 2)
        seen = (*seen, *after[len(spot.seen) :])
    if spot.beside or spot.once(2):
        own["defaults"], after = several(spot, 1, 2)
        seen = (*seen, *after[len(spot.seen) :])
    return own, seen


def _directory(spot: Spot, _: str) -> tuple[Tree, tuple[Seen, ...]]:
    made, around = [], spot.seen
    for _each in range(spot.chance.randint(1, 3)):
        task, seen = leaf(spot)
        while task["type"].endswith("Subflow"):
            task, seen = leaf(spot)
        made.append(task)
        spot = replace(spot, seen=tuple(replace(each, near=each not in around) for each in seen))
    return {"tasks": made}, tuple(replace(each, near=False) for each in spot.seen)


def _loop(spot: Spot, name: str) -> tuple[Tree, tuple[Seen, ...]]:
    """A loop: one value at a time, or several side by side."""
    limit = spot.chance.choice((1, 1, 0, 2))
    side = spot.beside or limit != 1
    # What one value's tasks hand on is there for the next tasks of that value alone.
    inside = replace(spot, loops=(*spot.loops, name), values=(*spot.values, -1), beside=side)
    made, seen = several(inside, 1, 3)
    own: Tree = {"values": spot.chance.choice(VALUES), "concurrencyLimit": limit, "tasks": made}
    if spot.version == "2" and spot.once(2):
        own["outputs"] = [{"id": "o", "type": "STRING", "value": text_of(replace(inside, seen=seen))}]
    return own, seen


def _each(spot: Spot, name: str) -> tuple[Tree, tuple[Seen, ...]]:
    own, seen = _loop(spot, name)
    return {"value": own["values"], "tasks": own["tasks"]}, seen


TYPES: Final = {
    "say": "debug.Return",
    "values": "output.OutputValues",
    "log": "log.Log",
    "bad": "execution.Fail",
    "maybe": "execution.Fail",
    "wrong": "debug.Return",
    "sub": "flow.Subflow",
}
PREFIXES: Final = {
    "Sequential": "seq",
    "Parallel": "par",
    "If": "if",
    "Switch": "switch",
    "Dag": "dag",
    "AllowFailure": "allow",
    "WorkingDirectory": "dir",
    "ForEach": "each",
    "EachSequential": "each",
    "Loop": "loop",
}
BODIES: Final = {
    "Sequential": _tasks,
    "Parallel": _parallel,
    "If": _if,
    "Switch": _switch,
    "Dag": _dag,
    "AllowFailure": _tasks,
    "WorkingDirectory": _directory,
    "ForEach": _loop,
    "EachSequential": _each,
    "Loop": _loop,
}
