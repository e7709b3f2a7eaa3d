"""How does a graph of data look? Boxes in columns from left to right, as SVG that is readable on light and dark ground.

Data are square, jobs are round. A part of a task that makes one thing alone is not drawn: the thing says which task it
is of. Nothing of a machine is drawn: no path of a file, and no address of a broker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Final

import msgspec

from penstock.model.asset import Access
from penstock.model.lineage import DataGraph, DataLink, DataNode

HIGH, BETWEEN, APART, EDGE = 46, 16, 44, 10
SIGN, SMALL = 7.8, 6.4
SWEEPS: Final = 8
STYLE: Final = """
.data rect { fill: #eef4fb; stroke: #4a7bb0; }
.job rect { fill: #f6f2e8; stroke: #a08543; }
text { font-family: system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1c2733; }
.name { font-size: 13px; font-weight: 600; }
.about { font-size: 11px; fill: #51606e; }
path { fill: none; stroke: #7c8b99; stroke-width: 1.4; }
#tip path { fill: #7c8b99; stroke: none; }
@media (prefers-color-scheme: dark) {
  .data rect { fill: #1a2b3d; stroke: #6fa3da; }
  .job rect { fill: #2f2a1c; stroke: #c9ab62; }
  text { fill: #e8edf2; }
  .about { fill: #a9b6c2; }
  path { stroke: #8796a5; }
  #tip path { fill: #8796a5; }
}"""


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn as a box: `kind` is data or job."""

    key: str
    kind: str
    name: str
    about: str

    @property
    def width(self) -> float:
        """How wide it is."""
        return max(len(self.name) * SIGN, len(self.about) * SMALL) + 2 * EDGE


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is drawn: its left upper corner, and how wide it is."""

    x: float
    y: float
    wide: float


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """Boxes by their keys, and which leads to which."""

    boxes: dict[str, Box]
    arrows: list[tuple[str, str]]


def drawing(graph: DataGraph) -> Drawing:
    """What is to be drawn of a graph."""
    whole = {job.name: job.part for job in graph.jobs}
    writers: dict[tuple[str, str], list[DataLink]] = {}
    written: dict[str, int] = {}
    for link in graph.links:
        if link.access is Access.WRITES:
            writers.setdefault((link.namespace, link.name), []).append(link)
            written[link.job] = written.get(link.job, 0) + 1
    # parts that are not drawn, with the data that stand for them
    inside = {
        links[0].job: name
        for name, links in writers.items()
        if len(links) == 1 and whole[links[0].job] and written[links[0].job] == 1
    }
    of_part = {name: whole[job] for job, name in inside.items()}
    boxes = [_data(node, of_part.get((node.namespace, node.name), "")) for node in graph.data]
    drawn = [job for job in graph.jobs if job.name not in inside]
    alone = len({(job.part or job.name).rpartition(".")[0] for job in drawn}) < 2
    boxes += [_job(job.name, job.part, alone=alone) for job in drawn]
    arrows: dict[tuple[str, str], None] = {}
    for link in graph.links:
        data = _key(link.namespace, link.name)
        if link.job not in inside:
            arrows[(data, link.job) if link.access is Access.READS else (link.job, data)] = None
        elif link.access is Access.READS:
            arrows[data, _key(*inside[link.job])] = None
    return Drawing(boxes={box.key: box for box in boxes}, arrows=list(arrows))


def svg(graph: DataGraph, title: str) -> str:
    """The picture of a graph."""
    drawn = drawing(graph)
    columns, ways = layers(drawn)
    tall = max((len(column) for column in columns), default=0) * (HIGH + BETWEEN) - BETWEEN + 2 * EDGE
    places: dict[str, Place] = {}
    left = float(EDGE)
    for column in columns:
        wide = max(drawn.boxes[key].width if key in drawn.boxes else 0.0 for key in column)
        top = (tall - len(column) * (HIGH + BETWEEN) + BETWEEN) / 2
        for row, key in enumerate(column):
            places[key] = Place(x=left, y=top + row * (HIGH + BETWEEN), wide=wide)
        left += wide + APART
    width = max(left - APART + EDGE, 2 * EDGE)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {tall:.0f}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}\n</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
        *(_arrow([places[key] for key in way], *(drawn.boxes[key].name for key in (way[0], way[-1]))) for way in ways),
        *(line for box in drawn.boxes.values() for line in _box(box, places[box.key])),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def dot(graph: DataGraph) -> str:
    """The graph in the language of Graphviz."""
    drawn = drawing(graph)
    shape = {"data": "box", "job": "ellipse"}
    lines = [
        f'  "{_quoted(box.key)}" [label="{_quoted(box.name)}\\n{_quoted(box.about)}", shape={shape[box.kind]}];'
        for box in drawn.boxes.values()
    ]
    lines += [f'  "{_quoted(source)}" -> "{_quoted(target)}";' for source, target in drawn.arrows]
    return "\n".join(["digraph lineage {", "  rankdir=LR;", *lines, "}"]) + "\n"


def layers(drawn: Drawing) -> tuple[list[list[str]], list[list[str]]]:
    """Boxes in columns, each right of all that lead to it, and the way that each arrow takes, past boxes that are in
    between. What nothing leads to or from is in the last column.
    """
    above: dict[str, list[str]] = {key: [] for key in drawn.boxes}
    for source, target in _without_circles(drawn):
        above[target].append(source)
    depth: dict[str, int] = {}
    for key in _in_order(above):
        depth[key] = 1 + max((depth[each] for each in above[key]), default=-1)
    joined = {key for arrow in drawn.arrows for key in arrow}
    last = max(depth.values(), default=-1)
    onward = {key: [depth[target] for source, target in drawn.arrows if source == key] for key in depth}
    # what comes from nowhere stands beside what is made of it; what stands alone, at the end
    depth = {
        key: number if above[key] else min(onward[key], default=last + 1) - 1 if key in joined else last
        for key, number in depth.items()
    }
    columns: list[list[str]] = [[] for _ in range(last + 1)]
    for key in sorted(depth):
        columns[depth[key]].append(key)
    ways: list[list[str]] = []
    for source, target in drawn.arrows:
        between = [f"{source} > {target} {number}" for number in range(depth[source] + 1, depth[target])]
        for number, key in enumerate(between, depth[source] + 1):
            columns[number].append(key)
        ways.append([source, *between, target])
    _arrange(columns, ways)
    return columns, ways


def _arrange(columns: list[list[str]], ways: Sequence[Sequence[str]]) -> None:
    """Order each column so that what belongs together is at the same height."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for source, target in (pair for way in ways for pair in pairwise(way)):
        above.setdefault(target, []).append(source)
        below.setdefault(source, []).append(target)
    for sweep in range(SWEEPS):
        near, whole = (above, columns) if sweep % 2 == 0 else (below, columns[::-1])
        for column in whole:
            rows = {key: row - len(each) / 2 for each in columns for row, key in enumerate(each)}
            column.sort(key=lambda key: (_middle([rows[each] for each in near.get(key, ())], rows[key]), key))


def _middle(rows: Sequence[float], otherwise: float) -> float:
    return sum(rows) / len(rows) if rows else otherwise


def _in_order(above: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Keys, each after all that are above it."""
    left = {key: set(each) for key, each in sorted(above.items())}
    while left:
        ready = [key for key, each in left.items() if not each]
        for key in ready:
            del left[key]
        for each in left.values():
            each.difference_update(ready)
        yield from ready


def _without_circles(drawn: Drawing) -> list[tuple[str, str]]:
    """The arrows without those that lead back: what reads and writes the same data."""
    below: dict[str, list[str]] = {}
    for source, target in sorted(drawn.arrows):
        below.setdefault(source, []).append(target)
    kept: list[tuple[str, str]] = []
    done: set[str] = set()
    for begin in sorted(drawn.boxes):
        path: list[tuple[str, Iterator[str]]] = [(begin, iter(below.get(begin, ())))] if begin not in done else []
        within = {begin}
        while path:
            source, targets = path[-1]
            target = next(targets, "")
            if not target:
                done.add(source)
                within.discard(source)
                path.pop()
            elif target not in within:
                kept.append((source, target))
                if target not in done:
                    within.add(target)
                    path.append((target, iter(below.get(target, ()))))
    return kept


def _arrow(way: Sequence[Place], source: str, target: str) -> str:
    first = way[0]
    x, y = first.x + first.wide, first.y + HIGH / 2
    d = f"M{x:.0f},{y:.0f}"
    for number, place in enumerate(way[1:], 1):
        to_x, to_y = place.x, place.y + HIGH / 2
        bend = max(abs(to_x - x) / 2, APART / 2)
        d += f" C{x + bend:.0f},{y:.0f} {to_x - bend:.0f},{to_y:.0f} {to_x:.0f},{to_y:.0f}"
        x, y = to_x, to_y
        if number < len(way) - 1:
            x += place.wide
            d += f" H{x:.0f}"
    said = escape(f"{source} → {target}")
    return f'<path class="arrow" d="{d}" marker-end="url(#tip)"><title>{said}</title></path>'


def _box(box: Box, place: Place) -> Iterator[str]:
    middle = place.x + place.wide / 2
    radius = 4 if box.kind == "data" else HIGH / 2
    yield f'<g class="{box.kind}">'
    yield (f'<rect x="{place.x:.0f}" y="{place.y:.0f}" width="{place.wide:.0f}" height="{HIGH}" rx="{radius:.0f}"/>')
    for kind, text, down in (("name", box.name, 20 if box.about else 28), ("about", box.about, 36)):
        if text:
            at = f'x="{middle:.0f}" y="{place.y + down:.0f}" text-anchor="middle"'
            yield f'<text class="{kind}" {at}>{escape(text)}</text>'
    yield "</g>"


def _data(node: DataNode, task: str) -> Box:
    place, name = named(node.namespace, node.name)
    rows = f"{node.rows:,} row{'' if node.rows == 1 else 's'}" if node.rows is not None else ""
    made = f"by {task.rpartition('.')[2]}" if task else ""
    about = " · ".join(each for each in (place, rows, made) if each)
    return Box(key=_key(node.namespace, node.name), kind="data", name=name, about=about)


def _job(name: str, task: str, *, alone: bool) -> Box:
    """The box of a task, or of a part of one; the flow is named unless there is one `alone`."""
    flow, _, own = (task or name).rpartition(".")
    if task:
        return Box(key=name, kind="job", name=name.removeprefix(f"{task}."), about=own)
    return Box(key=name, kind="job", name=own, about="" if alone else flow)


def named(namespace: str, name: str) -> tuple[str, str]:
    """What kind of place data are in, and what people call them."""
    scheme, _, host = namespace.partition("://")
    match scheme:
        case "kafka":
            return "topic", name
        case "duckdb" | "sqlite":
            return host.rpartition("/")[2], name.rpartition(".")[2]
        case "file":
            return "file", name.rpartition("/")[2]
        case _ if "/" in name:
            return namespace, name.rstrip("/").rpartition("/")[2]
        case _:
            return f"{scheme} {name.rpartition('.')[0]}".strip(), name.rpartition(".")[2]


def _key(namespace: str, name: str) -> str:
    return f"{namespace} {name}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
