"""How do files come into a working directory and out of it? `LocalFiles` among its tasks become words of its own."""

from __future__ import annotations

import re
from typing import Final

import yaml

from penstock.dialects.kestra.names import SHORT
from penstock.dialects.kestra.rewriting.edits import COMMENTED, Edit, applied, behind_entry, lines_at
from penstock.dialects.kestra.rewriting.yaml_nodes import (
    begin,
    behind,
    end,
    entries,
    entry,
    items,
    line_of,
    roots,
    tasks,
    word,
)

LOCAL: Final = (
    "files.local",
    "io.kestra.plugin.core.storage.LocalFiles",
    "io.kestra.core.tasks.storages.LocalFiles",
)


def local_files(text: str) -> list[str]:
    """The ids of the LocalFiles that only bring files in before all other tasks, or only keep some behind them."""
    return [word(child, "id") for flow in roots(text) for _, child in _found(flow)]


def as_words(text: str, name: str) -> str:
    """A text in which the LocalFiles of this id are `inputFiles` or `outputFiles` of its working directory."""
    for flow in roots(text):
        for around, child in _found(flow):
            if word(child, "id") != name:
                continue
            old, new = ("inputs", "inputFiles") if entry(child, "inputs") else ("outputs", "outputFiles")
            below, kind = entry(child, old), entry(around, "type")
            assert below is not None and kind is not None
            column = entries(around)[0][0].start_mark.column
            lines = lines_at(text, below[1], 2)
            comments = [*COMMENTED.findall(text[begin(child) : begin(below[0])])]
            comments += COMMENTED.findall(text[behind(text, below[1]) : end(child)])
            pad = " " * (column + 2)
            said = "".join(f"{pad}{line.strip()}\n" for line in comments)
            gone = Edit(line_of(text, begin(child)), behind(text, child), said)
            changed = applied(text, [gone, behind_entry(text, around, kind[1], f"{new}:\n{lines}")])
            return _reads(changed, name, word(around, "id")) if old == "outputs" else changed
    return text


def _found(flow: yaml.MappingNode) -> list[tuple[yaml.MappingNode, yaml.MappingNode]]:
    """Working directories, each with the LocalFiles that can become a word of it."""
    found = []
    for around in tasks(flow):
        below = entry(around, "tasks")
        inside = [each for each in items(below[1] if below else None) if isinstance(each, yaml.MappingNode)]
        if SHORT.get(word(around, "type")) != "working_directory" or around.flow_style or len(inside) < 2:
            continue
        for child, key, other, own in (
            (inside[0], "inputs", "outputs", "inputFiles"),
            (inside[-1], "outputs", "inputs", "outputFiles"),
        ):
            given = entry(child, key)
            plain = given is not None and isinstance(given[1], yaml.CollectionNode)
            alone = not child.flow_style and not entry(child, other) and not entry(around, own)
            if word(child, "type") in LOCAL and plain and alone:
                found.append((around, child))
    return found


def _reads(text: str, name: str, around: str) -> str:
    """The text with the addresses of kept files read where they are now."""
    place = f"outputs.{around}" if around.isidentifier() else f"outputs['{around}']"
    reading = rf"\boutputs(?:\.{re.escape(name)}|\[['\"]{re.escape(name)}['\"]\])\.(?:uris|outputFiles)\b"
    return re.sub(reading, f"{place}.outputFiles", text)
