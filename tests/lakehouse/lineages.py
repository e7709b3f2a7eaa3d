"""What did runs tell of their data, is it as the standard has it, and what does a picture of it show?"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import msgspec
from openlineage.client.generated import base

from penstock.services.lineage.picture import svg
from projects.lakehouse.lineage import graph
from tests.exporting.test_lineage import checked

SVG = "{http://www.w3.org/2000/svg}"
ARROW = re.compile(r"(.+) → (.+)")
Event = dict[str, Any]
# Boxes, and which leads to which.
Shown = tuple[set[str], set[tuple[str, str]]]


def told(path: Path) -> list[Event]:
    """The events in a file, which is emptied; each is what the standard says."""
    found = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    for each in found:
        checked(each, base.RunEvent)
    path.unlink()
    return found


def drawn(events: list[Event], name: str) -> Shown:
    """What a picture of events shows; the topic has the `name` of the run, and is called as in any other."""
    return shown(svg(graph(events), ""), name)


def shown(text: str, name: str) -> Shown:
    """What a picture shows."""
    tree = ElementTree.fromstring(text)
    boxes = [str(each.text) for each in tree.iter(f"{SVG}text") if each.get("class") == "name"]
    arrows = [
        ARROW.fullmatch(str(each.findtext(f"{SVG}title"))) for each in tree.iter(f"{SVG}path") if each.get("class")
    ]
    return (
        {_called(each, name) for each in boxes},
        {(_called(each[1], name), _called(each[2], name)) for each in arrows if each is not None},
    )


def _called(box: str, name: str) -> str:
    return "the topic" if box == name else box
