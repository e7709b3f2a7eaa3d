"""Which values do tasks get that they do not say themselves? Plugin defaults, merged into the tree.

From weakest to strongest: the project's, the flow's, the task's own, the project's forced ones, the flow's forced ones.
Of entries for one type an exact name beats a beginning of it, and the earlier entry beats the later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.names import SHORT
from penstock.dialects.kestra.page import Page, key_of, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text, planted, size_of
from penstock.dialects.kestra.types import TypeInfo, Types
from penstock.errors import Severity
from penstock.errors.flow import BadDefaults, Deprecated, TooLarge

MOST: Final = 1_000_000
RUNNER: Final = ".runner."
BASE_OF_TASK: Final = (
    "retry",
    "timeout",
    "disabled",
    "logLevel",
    "allowFailure",
    "allowWarning",
    "runIf",
    "description",
)


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
    elif page.version == "2" and word in flow.entries:
        sentence = "Plugin defaults of a flow are gone in version 2; they still work."
        hint = "`plugin_defaults` in penstock.yaml are given to every flow of a project."
        tell(page, Deprecated, flow.keys[word], sentence, hint, Severity.NOTE)
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
    return _merged(tree, Sources(own, project, types, [0])) if own or project else tree


def given_to(word: str, own: tuple[Default, ...], types: Types) -> tuple[Map, Map]:
    """What entries give to a type of this name: what lies under its own words, and what over them."""
    weak, strong, _ = _layers(word, Sources(own, (), types, [0]))
    return weak, strong


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


class Sources(msgspec.Struct, frozen=True):
    """Where defaults come from; `layers` keeps what was found for each type: what lies under a task, what over it, and
    how many parts that is; `given` counts the parts given so far.
    """

    own: tuple[Default, ...]
    project: tuple[Default, ...]
    types: Types
    given: list[int]
    layers: dict[str, tuple[Map, Map, int]] = {}


def _merged(tree: Tree, sources: Sources) -> Tree:
    match tree:
        case Scalar():
            return tree
        case Items():
            return Items(tree.line, tree.column, tuple(_merged(item, sources) for item in tree.items))
        case Map():
            entries = {name: _merged(item, sources) for name, item in tree.entries.items()}
            here = Map(tree.line, tree.column, entries, tree.keys)
            kind = entries.get("type")
            if isinstance(kind, Scalar) and isinstance(kind.value, str):
                weak, strong, size = _layers(kind.value, sources)
                _spend(sources, size)
                return _joined(_joined(weak, here, here), strong, here)
            return here


def _spend(sources: Sources, size: int) -> None:
    """Count what is given: a large default times many tasks would be more than anything holds."""
    sources.given[0] += size
    if sources.given[0] > MOST:
        raise TooLarge(f"Plugin defaults add more than {MOST:,} parts to the flow.")


def _layers(word: str, sources: Sources) -> tuple[Map, Map, int]:
    """All defaults of a type as two maps: the gentle ones and the forced ones."""
    if word not in sources.layers:
        info = sources.types.find(word)
        mine, theirs = _fitting(sources.own, word, info), _fitting(sources.project, word, info)
        weak = strong = NOTHING
        for default in (*mine, *theirs):
            if not default.forced:
                weak = _joined(_wanted(default, word, info), weak, NOTHING)
        # The strongest comes last: the flow's first entry is laid over all others.
        for default in (*theirs[::-1], *mine[::-1]):
            if default.forced:
                strong = _joined(strong, _wanted(default, word, info), NOTHING)
        sources.layers[word] = weak, strong, size_of(weak) + size_of(strong)
    return sources.layers[word]


def _fitting(defaults: tuple[Default, ...], word: str, info: TypeInfo | None) -> list[Default]:
    names = {word, SHORT.get(word, word), *((info.name, *info.aliases) if info else ())}
    exact, begun = [], []
    for default in defaults:
        if default.type in names or SHORT.get(default.type) in names:
            exact.append(default)
        elif any(name.startswith(f"{default.type.rstrip('.')}.") for name in names) and _is_meant(default, word):
            begun.append(default)
    return exact + sorted(begun, key=lambda default: -len(default.type))


def _is_meant(default: Default, word: str) -> bool:
    """Whether a default with the beginning of a name is for this one: of `…scripts.` a task has what its runner has
    not, though `…scripts.runner.docker.Docker` begins so, too.
    """
    return RUNNER not in word or RUNNER.rstrip(".") in default.type


def _wanted(default: Default, word: str, info: TypeInfo | None) -> Map:
    """What a type takes of a default: all of one made for it, of a wider one those properties that it has."""
    values = default.values
    if info is None or default.type in (word, info.name, *info.aliases):
        return values
    kept = {name: value for name, value in values.entries.items() if name in info.fields or name in BASE_OF_TASK}
    return Map(values.line, values.column, kept, values.keys)


def _joined(weak: Map, strong: Map, at: Map) -> Map:
    """Two maps as one: maps within are joined, lists follow each other, else the strong one has its way."""
    if not weak.entries or not strong.entries:
        only = strong if strong.entries else weak
        return Map(at.line, at.column, only.entries, only.keys) if only.entries else at
    entries = dict(strong.entries)
    for name, below in weak.entries.items():
        entries[name] = _one(below, entries[name]) if name in entries else below
    return Map(at.line, at.column, entries, {**weak.keys, **strong.keys, **at.keys})


def _one(weak: Tree, strong: Tree) -> Tree:
    match weak, strong:
        case Map(), Map():
            return _joined(weak, strong, strong)
        case Items(), Items():
            return Items(strong.line, strong.column, weak.items + strong.items)
        case _:
            return strong


NOTHING = Map(0, 0, {}, {})
