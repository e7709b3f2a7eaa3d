"""Which values do tasks get that they do not say themselves? Plugin defaults, merged into the tree.

From weakest to strongest: the project's, the flow's, the task's own, the project's forced ones, the flow's forced ones.
Of entries for one type an exact name beats a beginning of it, and the earlier entry beats the later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.names import SHORT
from penstock.dialects.kestra.page import Page, key_of, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text, planted
from penstock.dialects.kestra.types import TypeInfo, Types
from penstock.errors import Severity
from penstock.errors.flow import BadDefaults, Deprecated

BASE_OF_TASK = ("retry", "timeout", "disabled", "logLevel", "allowFailure", "allowWarning", "runIf", "description")


class Default(msgspec.Struct, frozen=True):
    """One entry: values for every task of a type, or of all types whose names begin so."""

    type: str
    values: Map
    forced: bool = False


def flow_defaults(page: Page, flow: Map) -> tuple[Default, ...]:
    """The entries that a flow has."""
    word = (
        "taskDefaults" if "pluginDefaults" not in flow.entries and "taskDefaults" in flow.entries else "pluginDefaults"
    )
    if word == "taskDefaults":
        sentence = '"taskDefaults" is the old name of "pluginDefaults".'
        tell(page, Deprecated, flow.keys[word], sentence, severity=Severity.NOTE)
    return tuple(made for entry in fields.maps(page, flow, word, "A plugin default") if (made := _entry(page, entry)))


def project_defaults(given: Iterable[Mapping[str, object]]) -> tuple[Default, ...]:
    """The entries that a project has; settings have checked their shape."""
    return tuple(
        Default(str(entry.get("type", "")), values, entry.get("forced") is True)
        for entry in given
        if isinstance(values := planted(entry.get("values") or {}), Map)
    )


def merged(tree: Tree, own: tuple[Default, ...], project: tuple[Default, ...], types: Types) -> Tree:
    """The tree with every default in its place; itself when there are none."""
    if not own and not project:
        return tree
    return _merged(tree, own, project, types)


def _entry(page: Page, entry: Map) -> Default | None:
    fields.known(page, entry, ("type", "forced", "values"), "A plugin default")
    name = fields.needed(page, entry, "type", "A plugin default")
    values = fields.mapping(page, entry, "values")
    if values is None:
        if "values" not in entry.entries or fields.given(entry, "values") is None:
            tell(page, BadDefaults, key_of(entry, "values"), "A plugin default without values changes nothing.")
        return None
    if not isinstance(name, Scalar):
        return None
    for key, value in values.entries.items():
        if isinstance(value, Scalar) and value.value is None:
            sentence = f'The default "{shown(key)}" has no value.'
            hint = "Leave it out, or write the value that tasks shall have."
            tell(page, BadDefaults, values.keys[key], sentence, hint)
    word = as_text(name)
    info = page.types.find(word)
    unknown = [] if info is None else _unknown(page, info, values, word)
    kept = {key: value for key, value in values.entries.items() if key not in unknown}
    return Default(word, Map(values.line, values.column, kept, values.keys), fields.flag(page, entry, "forced"))


def _unknown(page: Page, info: TypeInfo, values: Map, word: str) -> list[str]:
    """Note the properties that the type does not have, and name them."""
    unknown = [key for key in values.entries if key not in info.fields and key not in BASE_OF_TASK]
    for key in unknown:
        sentence = f'Task type "{shown(word)}" has no property "{shown(key)}" that could have a default.'
        tell(page, BadDefaults, values.keys[key], sentence, fields.suggestion(key, info.fields))
    return unknown


def _merged(tree: Tree, own: tuple[Default, ...], project: tuple[Default, ...], types: Types) -> Tree:
    match tree:
        case Scalar():
            return tree
        case Items():
            return Items(tree.line, tree.column, tuple(_merged(item, own, project, types) for item in tree.items))
        case Map():
            entries = {name: _merged(item, own, project, types) for name, item in tree.entries.items()}
            here = Map(tree.line, tree.column, entries, tree.keys)
            kind = entries.get("type")
            if isinstance(kind, Scalar) and isinstance(kind.value, str):
                return _filled(here, kind.value, own, project, types)
            return here


def _filled(tree: Map, word: str, own: tuple[Default, ...], project: tuple[Default, ...], types: Types) -> Map:
    info = types.find(word)
    mine, theirs = _fitting(own, word, info), _fitting(project, word, info)
    for default in (*(d for d in mine if not d.forced), *(d for d in theirs if not d.forced)):
        tree = _under(default.values, tree, _wanted(default, word, info))
    # The strongest comes last: the flow's first entry is laid over all others.
    for default in (*(d for d in theirs[::-1] if d.forced), *(d for d in mine[::-1] if d.forced)):
        tree = _over(default.values, tree, _wanted(default, word, info))
    return tree


def _fitting(defaults: tuple[Default, ...], word: str, info: TypeInfo | None) -> list[Default]:
    names = {word, SHORT.get(word, word), *((info.name, *info.aliases) if info else ())}
    exact = [default for default in defaults if default.type in names or SHORT.get(default.type) in names]
    begun = [
        default
        for default in defaults
        if default not in exact and any(name.startswith(f"{default.type.rstrip('.')}.") for name in names)
    ]
    return exact + sorted(begun, key=lambda default: -len(default.type))


def _wanted(default: Default, word: str, info: TypeInfo | None) -> frozenset[str]:
    """The entries that a type takes of a default: all of one made for it, of a wider one those that it has."""
    names = default.values.entries
    if info is None or default.type in (word, info.name, *info.aliases):
        return frozenset(names)
    return frozenset(name for name in names if name in info.fields or name in BASE_OF_TASK)


def _under(default: Map, task: Map, wanted: frozenset[str]) -> Map:
    part = Map(default.line, default.column, {n: v for n, v in default.entries.items() if n in wanted}, default.keys)
    return _joined(part, task, task)


def _over(default: Map, task: Map, wanted: frozenset[str]) -> Map:
    part = Map(default.line, default.column, {n: v for n, v in default.entries.items() if n in wanted}, default.keys)
    return _joined(task, part, task)


def _joined(weak: Map, strong: Map, at: Map) -> Map:
    """Two maps as one: maps within are joined, lists follow each other, else the strong one has its way."""
    entries: dict[str, Tree] = dict(at.entries)
    keys = {**weak.keys, **strong.keys, **at.keys}
    for name in (*weak.entries, *strong.entries):
        below, above = weak.entries.get(name), strong.entries.get(name)
        if above is None and below is not None:
            entries[name] = below
        elif above is not None:
            entries[name] = above if below is None else _one(below, above)
    return Map(at.line, at.column, entries, keys)


def _one(weak: Tree, strong: Tree) -> Tree:
    match weak, strong:
        case Map(), Map():
            return _joined(weak, strong, strong)
        case Items(), Items():
            return Items(strong.line, strong.column, weak.items + strong.items)
        case _:
            return strong
