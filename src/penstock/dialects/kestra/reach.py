"""Can one task read what another handed on? By their seats: what comes before, in the same branch, is there."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from penstock.model.flow import Flow
from penstock.model.node import Dag, ForEach, If, Node, Parallel, Switch, Until
from penstock.model.plan import AFTER, ERRORS, FINALLY, ROOT, TASKS, branches


class Post(msgspec.Struct, frozen=True):
    """Where a node stands; is it, or a group around it, disabled, or for failures and ends; in a group in a loop; among
    what is done until something is so; in a loop that gathers; in a branch?
    """

    node: Node
    parent: str
    branch: str
    position: int
    disabled: bool
    loops: int
    handles: bool = False
    indirect: bool = False
    repeats: bool = False
    item: bool = False
    branch_of: bool = False


class Obstacle(msgspec.Struct, frozen=True):
    """Why an output cannot be read; `certain` when it never can."""

    why: str
    certain: bool = True


def posts(flow: Flow) -> dict[str, Post]:
    """The post of every node by its id; of two with one id the last."""
    found: dict[str, Post] = {}
    waiting: list[tuple[Node, Post]] = [(flow.body, Post(flow.body, "", "", 0, False, 0))]
    while waiting:
        group, around = waiting.pop()
        listed = branches(group) if group is not flow.body else (*branches(group), (AFTER, flow.after))
        for branch, nodes in listed:
            inside = branch == TASKS
            by_value = inside and isinstance(group, ForEach) and not group.gathers
            shared = Post(
                group,
                group.id,
                branch,
                0,
                around.disabled,
                around.loops + by_value,
                around.handles or branch in (ERRORS, FINALLY, AFTER),
                not by_value,
                around.repeats or (inside and isinstance(group, Until)),
                around.item or (inside and isinstance(group, ForEach) and group.gathers),
                around.branch_of or isinstance(group, If | Switch),
            )
            for position, node in enumerate(nodes):
                post = replace(shared, node=node, position=position, disabled=around.disabled or node.disabled)
                found[node.id] = post
                waiting.append((node, post))
    return found


def obstacle(found: dict[str, Post], flow: Flow, reader: str, target: str) -> Obstacle | None:
    """What keeps `reader` (empty: the end of the flow) from reading the output of `target`; None when nothing does."""
    if reader in found and found[reader].disabled:
        return None  # It reads nothing, be it that all of its group was disabled for a while.
    if found[target].disabled:
        return Obstacle(f'"{target}" is disabled')
    if reader == ROOT or reader not in found:
        return None
    above = _chain(found, reader)
    below = _chain(found, target)
    if reader == target:
        counts = found[reader].loops or isinstance(found[reader].node, Until)
        return None if counts else Obstacle("a task cannot read its own output")
    if target in (post.parent for post in above):
        return None  # What a group hands on, it hands on when it begins.
    own = {post.parent: post for post in above}
    for post in below:
        loop = found[post.parent].node if post.parent in found else None
        if isinstance(loop, ForEach) and loop.gathers and post.branch == TASKS and loop.id not in own:
            return Obstacle(f'"{target}" runs in the loop "{loop.id}", which hands on its `outputs` alone')
    meeting = next((post for post in below if post.parent in own or post.parent == reader), None)
    if meeting is None:
        return None  # Ids repeat, which is told elsewhere; then nobody knows what stands where.
    if meeting.parent == reader:
        if isinstance(found[reader].node, Until):
            return None  # It decides after its tasks.
        return None if found[reader].loops else Obstacle(f'"{target}" runs inside "{reader}", after this is decided')
    return _between(found, flow, own[meeting.parent], meeting, (reader, target))


def _between(found: dict[str, Post], flow: Flow, mine: Post, other: Post, names: tuple[str, str]) -> Obstacle | None:
    """Two posts in one group."""
    reader, target = names
    group: Node = flow.body if mine.parent == ROOT else found[mine.parent].node
    if mine.branch == other.branch:
        if isinstance(group, Parallel) and mine.branch == TASKS:
            return Obstacle(f'"{target}" runs beside "{reader}"', certain=False)
        if isinstance(group, Dag) and mine.branch == TASKS:
            if other.node.id in _needed(group, mine.node.id):
                return None
            return Obstacle(f'"{reader}" does not depend on "{target}"', certain=False)
        if other.position < mine.position or mine.loops:
            return None
        return Obstacle(f'"{target}" runs after "{reader}"')
    if mine.branch == AFTER or mine.branch == FINALLY or (mine.branch == ERRORS and other.branch != FINALLY):
        return None
    if mine.loops:
        return None
    if other.branch in (ERRORS, FINALLY, AFTER):
        return Obstacle(f'"{target}" runs after "{reader}", in {other.branch}')
    return Obstacle(f'"{target}" is in another branch of "{mine.parent}"')


def _needed(dag: Dag, name: str) -> set[str]:
    """All that a node of a dag depends on, directly or not."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        need = dag.needs.get(waiting.pop())
        fresh = set(need.on) - seen if need else set()
        seen |= fresh
        waiting.extend(fresh)
    return seen


def _chain(found: dict[str, Post], name: str) -> list[Post]:
    """The posts from a node up to the top."""
    chain = [found[name]]
    # The ids of broken flows may repeat and lead round in a circle.
    while chain[-1].parent in found and len(chain) <= len(found):
        chain.append(found[chain[-1].parent])
    return chain
