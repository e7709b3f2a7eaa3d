"""How many at once, how often, by whom? `concurrency`, `pools`, `limits` become limits, `queue` a name."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.page import Page, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text
from penstock.errors.flow import BadName, NotSupported, WrongValue
from penstock.model import ids
from penstock.model.policy import Limit, WhenFull

PLACES: Final = ("pools", "limits", "queue", "workerGroup")
FALLBACKS: Final = ("WAIT", "FAIL", "CANCEL")
WORDS: Final = ("QUEUE", "CANCEL", "FAIL")


def of_flow(page: Page, tree: Map) -> tuple[Limit, ...]:
    """How many runs of a flow may go on at once, or start in a while."""
    found = fields.mapping(page, tree, "concurrency")
    if found is None:
        return ()
    fields.known(page, found, ("limit", "behavior", "per", "key", "name"), "`concurrency`")
    fields.needed(page, found, "limit", "`concurrency`")
    count = fields.whole(page, found, "limit", least=1)
    behavior = fields.choice(page, found, "behavior", WORDS, "QUEUE")
    return () if count is None else (_limit(page, found, "", count, 1, WhenFull(behavior.lower())),)


def of_task(page: Page, tree: Map, owner: str, own: Container[str]) -> tuple[Limit, ...]:
    """What each attempt of a task waits for: slots of pools, rates, others with the same value of a key. What its type
    has among its `own` properties is that.
    """
    pools = [] if "pools" in own else _pools(page, tree)
    return (*pools, *([] if "limits" in own else _limits(page, tree, owner)))


def queue(page: Page, tree: Map, own: Container[str]) -> str:
    """By which workers a task (or, where it says nothing, each task of a flow) is done: those that serve this queue;
    `workerGroup` names one too.
    """
    group = fields.mapping(page, tree, "workerGroup")
    if group is not None:
        fields.known(page, group, ("key", "fallback"), "`workerGroup`")
        fields.needed(page, group, "key", "`workerGroup`")
        if fields.choice(page, group, "fallback", FALLBACKS, "WAIT") != "WAIT":
            hint = "The task waits until a worker serves its queue."
            tell(page, NotSupported, group.keys["fallback"], "A queue that nobody serves is waited for.", hint)
        return _queue(page, group, "key")
    return page.queue if "queue" in own else _queue(page, tree, "queue")


def _queue(page: Page, tree: Map, name: str) -> str:
    found = fields.text(page, tree, name, page.queue)
    return found if _names(page, tree.entries.get(name), found, "a queue") else page.queue


def _pools(page: Page, tree: Map) -> list[Limit]:
    """One name, a list of names, or a map of names to the slots that an attempt takes."""
    match fields.given(tree, "pools"):
        case None:
            return []
        case Scalar() as one:
            wanted: list[tuple[Tree, str, int]] = [(one, as_text(one), 1)]
        case Items() as several:
            wanted = [(item, as_text(item), 1) for item in several.items if isinstance(item, Scalar)]
            for item in several.items:
                if not isinstance(item, Scalar):
                    tell(page, WrongValue, item, "A pool in a list is a name; with a number of slots write a map.")
        case Map() as weighed:
            wanted = [
                (weighed.keys[name], name, fields.whole(page, weighed, name, least=1) or 1) for name in weighed.entries
            ]
    return [Limit(name=name, weight=slots) for at, name, slots in wanted if _names(page, at, name, "a pool")]


def _limits(page: Page, tree: Map, owner: str) -> list[Limit]:
    made = []
    for item in fields.maps(page, tree, "limits", "A limit"):
        fields.known(page, item, ("count", "per", "key", "name", "weight"), "A limit")
        fields.needed(page, item, "count", "A limit")
        count = fields.whole(page, item, "count", least=1)
        weight = fields.whole(page, item, "weight", least=1) or 1
        if count is None:
            continue
        if weight > count:
            sentence = f"An attempt that takes {weight} of {count} could never begin."
            tell(page, WrongValue, item.entries["weight"], sentence)
        made.append(_limit(page, item, owner, count, weight))
    return made


def _limit(page: Page, tree: Map, owner: str, count: int, weight: int, when_full: WhenFull = WhenFull.QUEUE) -> Limit:
    name = fields.text(page, tree, "name")
    return Limit(
        count,
        when_full,
        weight=weight,
        window=fields.duration(page, tree, "per"),
        key=fields.template(page, tree, "key", owner, "limit"),
        name=name if not name or _names(page, tree.entries["name"], name, "a limit") else "",
    )


def _names(page: Page, at: Tree | None, name: str, what: str) -> bool:
    if ids.FLOW_ID.fullmatch(name):
        return True
    if at is not None:
        hint = 'Letters, digits, ".", "_" and "-", at most 100, with a letter or digit first.'
        tell(page, BadName, at, f'"{shown(name)}" cannot name {what}.', hint)
    return False
