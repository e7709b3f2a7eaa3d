"""How are older ways of arranging tasks written today? Pauses, loops over values, and what versions presume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import yaml

from penstock.dialects.kestra.names import PACKAGES, SHORT
from penstock.dialects.kestra.rewriting.edits import Edit, applied, inserted, lines_at, removed, renamed
from penstock.dialects.kestra.rewriting.yaml_nodes import (
    begin,
    behind,
    end,
    entries,
    entry,
    held,
    line_of,
    roots,
    tasks,
    value,
    word,
)

OF_PAUSE: Final = "-group"
OF_VALUES: Final = "-values"
EACH: Final = {"each_sequential": "ForEach", "each_parallel": "ForEach"}
LOOPS: Final = frozenset({"foreach", "loop", "each_sequential", "each_parallel", "foreach_item", "loop_until"})
VALUE: Final = r"(?:parent\.|parents\[\d+\]\.)*taskrun\.value"
PARSED: Final = re.compile(rf"\b(?:fromJson|json)\(\s*{VALUE}\s*\)")
BARE: Final = re.compile(rf"\b{VALUE}\b")
ITERATION: Final = re.compile(r"\b(?:parent\.|parents\[\d+\]\.)*taskrun\.iteration\b")


def kind_of(task: yaml.Node) -> str:
    """Which way of arranging tasks a task is; empty where it does work."""
    return SHORT.get(word(task, "type"), "")


def pauses(text: str, flow: yaml.MappingNode) -> Iterator[Edit]:
    """`delay` and `timeout`, which are `pauseDuration` and what follows."""
    for task in tasks(flow):
        if kind_of(task) != "pause" or entry(task, "pauseDuration"):
            continue
        delay, timeout = entry(task, "delay"), entry(task, "timeout")
        if delay:
            yield renamed(delay[0], "pauseDuration")
            yield from removed(text, task, "timeout")
        elif timeout:
            yield renamed(timeout[0], "pauseDuration")
            if not entry(task, "behavior"):
                yield from inserted(text, task, "timeout", {"behavior": "FAIL"})


def pauses_with_tasks(text: str) -> str:
    """Tasks inside a pause, which then follow it in a group of both; the first one that there is."""
    for flow in roots(text):
        for task in tasks(flow):
            below = entry(task, "tasks")
            if kind_of(task) != "pause" or not below or entry(task, "onPause") or not _movable(text, task):
                continue
            name = f"{word(task, 'id')[:94]}{OF_PAUSE}"
            return _wrapped(text, task, (name, "Sequential"), ("errors", "finally"))
    return text


def _wrapped(text: str, task: yaml.MappingNode, group: tuple[str, str], also: tuple[str, ...]) -> str:
    """A task put into a group, before the tasks that it held; its lists named in `also` become the group's."""
    column = task.start_mark.column
    inner = column + 4
    parts = {key.value: below for key, below in entries(task) if key.value in ("tasks", *also)}
    edits = [edit for name in parts for edit in removed(text, task, name)]
    own = applied(text[: behind(text, task)], edits)[begin(task) :].rstrip("\n") + "\n"
    own = "".join(
        f"{'    ' if number and line.strip() else ''}{line}"
        for number, line in enumerate(own.splitlines(keepends=True))
    )
    pad = " " * column
    block = f"id: {group[0]}\n{pad}type: {PACKAGES[0]}{group[1]}\n{pad}tasks:\n{' ' * (inner - 2)}- {own}"
    block += lines_at(text, parts["tasks"], inner - 2)
    for name in also:
        if name in parts:
            block += f"{pad}{name}:\n{lines_at(text, parts[name], column + 2)}"
    return text[: begin(task)] + block + text[behind(text, task) :]


def _movable(text: str, task: yaml.MappingNode) -> bool:
    """Whether a task stands in lines of its own, so that these can be moved."""
    lead = text[line_of(text, begin(task)) : begin(task)]
    return not task.flow_style and not lead.replace("-", " ").strip() and "-" in lead


def loops(text: str, flow: yaml.MappingNode) -> Iterator[Edit]:
    """EachSequential and EachParallel of one task, which are ForEach with a limit."""
    for task in tasks(flow):
        short, kind, found = kind_of(task), value(task, "type"), entry(task, "value")
        if short not in EACH or kind is None or found is None:
            continue
        if short == "each_parallel" and len(list(held(task))) != 1:
            continue
        yield renamed(kind, f"{PACKAGES[0]}ForEach")
        yield renamed(found[0], "values")
        limit = entry(task, "concurrent")
        if short == "each_parallel" and limit:
            yield renamed(limit[0], "concurrencyLimit")
        else:
            yield from inserted(text, task, "value", {"concurrencyLimit": int(short == "each_sequential")})


def parallel_values(text: str) -> str:
    """EachParallel of several tasks, which go side by side for each value; the first one that there is."""
    for flow in roots(text):
        for task in tasks(flow):
            kind, found, below = value(task, "type"), entry(task, "value"), value(task, "tasks")
            if kind_of(task) != "each_parallel" or kind is None or found is None or below is None:
                continue
            if len(list(held(task))) < 2 or not _movable(text, task) or not isinstance(below, yaml.SequenceNode):
                continue
            column = task.start_mark.column + 2
            pad = " " * (column + 2)
            name = f"{word(task, 'id')[:93]}{OF_VALUES}"
            block = f"\n{' ' * column}- id: {name}\n{pad}type: {PACKAGES[0]}Parallel\n"
            block += f"{pad}onChildFailure: CONTINUE\n{pad}tasks:\n"
            inside = block + lines_at(text, below, column + 4)
            key = entry(task, "tasks")
            assert key is not None
            edits = [Edit(end(key[0]) + 1, behind(text, below), inside)]
            edits += [renamed(kind, f"{PACKAGES[0]}ForEach"), renamed(found[0], "values")]
            limit = entry(task, "concurrent")
            edits += (
                [renamed(limit[0], "concurrencyLimit")]
                if limit
                else inserted(text, task, "value", {"concurrencyLimit": 0})
            )
            return applied(text, edits)
    return text


def lonely_loops(text: str) -> list[str]:
    """The ids of the ForEach in which there is no other loop, and that are in none: each may become a Loop.

    Not those with `errors` or `finally`, which a Loop does in each iteration.
    """
    found = []
    for flow in roots(text):
        around = {id(inner) for task in tasks(flow) if kind_of(task) in LOOPS for inner in tasks(task)}
        for task in tasks(flow):
            inside = any(kind_of(inner) in LOOPS for inner in tasks(task))
            ends = entry(task, "errors") or entry(task, "finally")
            if kind_of(task) == "foreach" and id(task) not in around and not inside and not ends:
                found.append(word(task, "id"))
    return found


def as_loop(text: str, name: str) -> str:
    """A text in which the ForEach of this id is a Loop, whose tasks read `item` for the value."""
    for flow in roots(text):
        for task in tasks(flow):
            kind, below = value(task, "type"), value(task, "tasks")
            if word(task, "id") != name or kind_of(task) != "foreach" or kind is None or below is None:
                continue
            edits = [renamed(kind, f"{PACKAGES[0]}Loop" if "." in word(task, "type") else "loop")]
            if not entry(task, "concurrencyLimit"):
                edits += inserted(text, task, "values", {"concurrencyLimit": 1})
            ids = [word(inner, "id") for inner in tasks(task)]
            inside = text[begin(below) : end(below)]
            edits.append(Edit(begin(below), end(below), _of_item(inside, ids)))
            return applied(text, edits)
    return text


def _of_item(text: str, ids: list[str]) -> str:
    """The tasks of a loop, reading the value where a Loop has it, and each other's outputs without it."""
    names = "|".join(re.escape(each) for each in ids)
    by_value = re.compile(rf"(\boutputs(?:\.(?:{names})|\[(?P<q>['\"])(?:{names})(?P=q)\]))\[\s*{VALUE}\s*\]")
    text = by_value.sub(r"\1", text)
    return ITERATION.sub("item.index", BARE.sub("item.value", PARSED.sub("item.value", text)))


def presumed(text: str, flow: yaml.MappingNode, version: str) -> Iterator[Edit]:
    """What the older version presumes where nothing is written, and version 2 does not."""
    for task in tasks(flow):
        short = kind_of(task)
        if short == "parallel" and not entry(task, "onChildFailure"):
            yield from inserted(
                text, task, "concurrent" if entry(task, "concurrent") else "type", {"onChildFailure": "CONTINUE"}
            )
        if short == "loop_until" and version == "0.20" and isinstance(task, yaml.MappingNode):
            yield from _limits(text, task)


def _limits(text: str, task: yaml.MappingNode) -> Iterator[Edit]:
    """Version 0.20 asks whether there were more iterations than the maximum, and has limits of its own."""
    often = value(task, "checkFrequency")
    presumes: dict[str, object] = {"maxIterations": 101, "maxDuration": "PT1H", "interval": "PT1S"}
    if isinstance(often, yaml.MappingNode):
        most = value(often, "maxIterations")
        if isinstance(most, yaml.ScalarNode) and most.value.isdigit():
            yield renamed(most, str(int(most.value) + 1))
        missing = {name: each for name, each in presumes.items() if not entry(often, name)}
        if missing:
            yield from inserted(text, often, "", missing)
    elif often is None:
        yield from inserted(text, task, "condition", {"checkFrequency": presumes})
