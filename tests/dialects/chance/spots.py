"""Where is something written, what came before it, and what may a text there say of that?"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import msgspec
from msgspec.structs import replace

Tree: TypeAlias = dict[str, Any]

CORE: Final = "io.kestra.plugin.core."
NOTHING: Final = "{{ null }}"


class Seen(msgspec.Struct, frozen=True):
    """A task whose output a later one may read: in which loops it stands, and whether it surely ran and succeeded.

    `near` is one in the same working directory, whose tasks do not see each other's states.
    """

    id: str
    loops: tuple[str, ...]
    sure: bool
    text: bool = True
    near: bool = False


class Spot(msgspec.Struct, frozen=True):
    """Where something is about to be written: what chance is left, what came before, what is around.

    `values` says where the values of the loops around are found, the outermost first: -1 for what is the task's own,
    else the place among its `parents`; `own` the same for the group around itself. `beside` says that something else
    goes on at the same time, `tried` that a group around has a retry, `aside` that it is in errors, finally or after.
    """

    chance: random.Random
    version: str
    names: Iterator[int]
    left: list[int]
    depth: int = 0
    seen: tuple[Seen, ...] = ()
    loops: tuple[str, ...] = ()
    values: tuple[int, ...] = ()
    own: tuple[int, ...] = ()
    beside: bool = False
    tried: bool = False
    aside: str = ""

    def once(self, many: int) -> bool:
        """True once in so many times."""
        return self.chance.randrange(many) == 0

    def name(self, kind: str) -> str:
        """An id that nothing else has."""
        return f"{kind}{next(self.names)}"


def text_of(spot: Spot) -> str:
    """Write what a task says: plain words, or something of what came before."""
    kinds = ["plain", "read", "read", "perhaps", "state", "value", "input", "word"]
    match spot.chance.choice(kinds):
        case "read" if found := texts(spot):
            return f"{{{{ {spot.chance.choice(found)} }}}}"
        case "perhaps" if found := perhaps(spot):
            return f"{{{{ {spot.chance.choice(found)} ?? 'none' }}}}"
        case "state" if names := [each.id for each in spot.seen if not (each.loops or each.near or spot.loops)]:
            chosen = spot.chance.sample(names, min(2, len(names)))
            return "-".join(f"{{{{ tasks.{each}.state ?? 'none' }}}}" for each in chosen)
        case "value" if spot.values:
            return "-".join(f"{{{{ {each} ?? 'none' }}}}" for each in words(spot))
        case "word" if spot.aside == "after":
            return spot.chance.choice(("{{ execution.state }}", "{{ execution.outputs.o ?? 'none' }}"))
        case "word" if spot.aside in ("errors", "finally"):
            return "{{ error.taskId ?? 'none' }}"
        case "input":
            return spot.chance.choice(("{{ inputs.word }}", "{{ inputs.n + 1 }}", "{{ inputs.yes }}"))
        case _:
            return spot.chance.choice(("a", "b", "some words", "false", "0", "{{ flow.id is defined }}", NOTHING))


def condition(spot: Spot) -> str:
    """Write what holds or does not."""
    made = ["true", "false", "{{ inputs.yes }}", "{{ inputs.n > 3 }}", "{{ not inputs.yes }}", "{{ inputs.word }}"]
    for text in (*texts(spot)[-3:], *[f"({each} ?? 'none')" for each in perhaps(spot)[-3:]]):
        made += [f"{{{{ {text} == 'a' }}}}", f"{{{{ {text} != 'b' }}}}", f"{{{{ {text} }}}}"]
    for value in words(spot):
        made += [f"{{{{ {value} == 'a' }}}}", f"{{{{ {value} != 'b' }}}}"] * 2
    return spot.chance.choice(made)


def texts(spot: Spot) -> list[str]:
    """What can surely be read."""
    return [path for each in spot.seen if each.sure and (path := path_of(spot, each))]


def perhaps(spot: Spot) -> list[str]:
    """What may be there to be read."""
    return [path for each in spot.seen if not each.sure and (path := path_of(spot, each))]


def path_of(spot: Spot, seen: Seen) -> str:
    """Where the output of a task is found, from here; empty where there is no word for it."""
    if seen.loops != spot.loops[: len(seen.loops)]:
        return ""
    if spot.version == "2" or not seen.loops:
        return f"outputs.{seen.id}" + (".value" if seen.text else ".values.value")
    keys = "".join(f"[{value}]" for value in words(spot)[: len(seen.loops)])
    return f"outputs.{seen.id}{keys}" + (".value" if seen.text else ".values.value")


def words(spot: Spot) -> list[str]:
    """The words for the values of the loops around."""
    if spot.version == "2":
        return ["item.parent.value", "item.value"][-len(spot.values) :] if spot.values else []
    return ["taskrun.value" if place < 0 else f"parents[{place}].taskrun.value" for place in spot.values]


def unsure(seen: tuple[Seen, ...]) -> tuple[Seen, ...]:
    """What was seen, of which nobody knows whether it is there."""
    return tuple(replace(each, sure=False) for each in seen)
