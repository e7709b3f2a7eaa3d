"""What may a flow be given, and what does it hand back? Declarations of inputs and outputs."""

from __future__ import annotations

import re
from typing import Final

from msgspec.structs import replace

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.bounds import check_default, check_order, is_template, low
from penstock.dialects.kestra.page import Page, key_of, note_templates, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, as_text, kind_of, plain
from penstock.errors import Severity, nearest
from penstock.errors.flow import (
    BadName,
    Deprecated,
    MissingProperty,
    NotSupported,
    UnknownType,
    WrongDefault,
    WrongValue,
)
from penstock.model.inputs import Input, Output

COMMON: Final = ("id", "name", "type", "description", "required", "defaults", "displayName", "dependsOn", "prefill")
CHOICE: Final = ("values", "expression", "allowCustomValue", "isRadio", "autoSelectFirst")
EXTRA: Final[dict[str, tuple[str, ...]]] = {
    "STRING": ("validator",),
    "INT": ("min", "max"),
    "FLOAT": ("min", "max"),
    "BOOLEAN": (),
    "DATETIME": ("after", "before"),
    "DATE": ("after", "before"),
    "TIME": ("after", "before"),
    "DURATION": ("min", "max"),
    "FILE": ("extension", "allowedFileExtensions"),
    "FORM": ("inputs",),
    "ION": (),
    "JSON": (),
    "YAML": (),
    "URI": (),
    "SECRET": ("validator",),
    "ARRAY": ("itemType",),
    "EMAIL": (),
    "SELECT": CHOICE,
    "MULTISELECT": (*CHOICE, "options", "itemType"),
}
RENAMED: Final = {"ENUM": "SELECT", "BOOL": "BOOLEAN"}
REFUSED: Final = ("TABLE", "OBJECT")
NO_ITEMS: Final = ("ARRAY", "SELECT", "MULTISELECT", "FILE", "SECRET", "FORM")
ITEM_TYPES: Final = tuple(name for name in EXTRA if name not in NO_ITEMS)
OUTPUT_TYPES: Final = (*(name for name in EXTRA if name != "FORM"), *RENAMED)
INPUT_ID: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")
NO_IDS: Final[tuple[str, ...]] = ()


def inputs(page: Page, tree: Map) -> tuple[Input, ...]:
    """The inputs that a flow declares; those of a form stand for themselves, under the form's name and a dot."""
    return _several(page, tree, "inputs", "An input")


def declared(page: Page, tree: Map, name: str, owner: str) -> tuple[Input, ...]:
    """What a task asks people for, declared as a flow's inputs are."""
    return _several(page, tree, name, f'An input of "{owner}"')


def _several(page: Page, tree: Map, name: str, each: str) -> tuple[Input, ...]:
    return tuple(made for item in fields.maps(page, tree, name, each) for made in _inputs(page, item))


def _inputs(page: Page, tree: Map) -> list[Input]:
    """One input, or all those of a form, each of which waits for what the form waits for."""
    made = _input(page, tree)
    if made is None or made.type != "FORM":
        return [] if made is None else [made]
    fields.needed(page, tree, "inputs", f'Input "{shown(made.id)}" (FORM)')
    inside = [each for item in fields.maps(page, tree, "inputs", "An input of a form") for each in _inputs(page, item)]
    names = {each.id for each in inside}
    return [
        replace(
            each,
            id=f"{made.id}.{each.id}",
            required=each.required and made.required,
            depends_on=(*made.depends_on, *(f"{made.id}.{on}" if on in names else on for on in each.depends_on)),
            condition=each.condition or made.condition,
        )
        for each in inside
    ]


def outputs(page: Page, tree: Map, loop: str = "") -> tuple[Output, ...]:
    """The outputs that a flow declares, or a loop for each of its iterations."""
    items = fields.maps(page, tree, "outputs", "An output")
    return tuple(made for item in items if (made := _output(page, item, loop)))


def _input(page: Page, tree: Map) -> Input | None:
    name = _id(page, tree, "An input", old="name")
    owner = f'Input "{shown(name)}"' if name else "An input"
    kind = _type(page, tree, owner)
    if kind == "":
        # It stays known by its name, so that expressions that use it are not told to be wrong too.
        return Input(id=name, type="STRING") if name else None
    fields.known(page, tree, (*COMMON, *EXTRA[kind]), f"{owner} ({kind})")
    note = fields.mapping(page, tree, "dependsOn")
    default = fields.given(tree, "defaults")
    values = _values(page, tree, kind, owner)
    first = values[0] if default is None and values and fields.flag(page, tree, "autoSelectFirst") else None
    made = Input(
        id=name,
        type=kind,
        description=fields.text(page, tree, "description"),
        display_name=fields.text(page, tree, "displayName"),
        required=fields.flag(page, tree, "required", True),
        default=first if default is None else _written(default, kind),
        has_default=default is not None or first is not None,
        item_type=_item_type(page, tree, kind, owner),
        values=values,
        expression=fields.template(page, tree, "expression", name, "input"),
        allow_custom=fields.flag(page, tree, "allowCustomValue"),
        validator=_validator(page, tree),
        least=_bound(tree, "min", "after"),
        most=_bound(tree, "max", "before"),
        depends_on=_depends_on(page, note, owner) if note else (),
        condition=fields.template(page, note, "condition", name, "input") if note else "",
        extensions=_extensions(page, tree),
    )
    _check(page, tree, made, owner)
    return made if name else None


def _output(page: Page, tree: Map, loop: str) -> Output | None:
    name = _id(page, tree, "An output")
    owner = f'Output "{shown(name)}"' if name else "An output"
    fields.known(page, tree, ("id", "type", "value", "required", "description", "displayName"), owner)
    fields.needed(page, tree, "type", owner)
    value = fields.needed(page, tree, "value", owner)
    if value is not None:
        told = fields.text(page, tree, "type").upper() != "SECRET"
        note_templates(page, value, loop or name, "iteration" if loop else "output", printed=told)
    kind = fields.choice(page, tree, "type", OUTPUT_TYPES, "STRING")
    made = Output(
        id=name,
        type=RENAMED.get(kind, kind),
        value=""
        if value is None
        else as_text(value)
        if isinstance(value, Scalar) and kind == "STRING"
        else plain(value),
        required=fields.flag(page, tree, "required", True),
        description=fields.text(page, tree, "description"),
    )
    return made if name else None


def _id(page: Page, tree: Map, owner: str, old: str = "") -> str:
    word = "id"
    if old and fields.given(tree, "id") is None and fields.given(tree, old) is not None:
        word = old
        sentence = f'"{old}" is the old name of "id".'
        tell(page, Deprecated, tree.keys[old], sentence, severity=Severity.NOTE)
    found = fields.needed(page, tree, word, owner)
    if found is None:
        return ""
    name = fields.text(page, tree, word)
    if isinstance(found, Scalar) and (not INPUT_ID.fullmatch(name) or ".." in name):
        sentence = f'"{shown(name)}" cannot be the id of an input or output.'
        tell(page, BadName, found, sentence, 'Letters, digits, ".", "_" and "-", at most 100, no "..".')
    return name


def _type(page: Page, tree: Map, owner: str) -> str:
    found = fields.needed(page, tree, "type", owner)
    if found is None:
        return ""
    word = as_text(found).upper() if isinstance(found, Scalar) else kind_of(found)
    if word == "ENUM" or (word == "BOOLEAN" and page.version == "2"):
        newer = "SELECT" if word == "ENUM" else "BOOL"
        tell(page, Deprecated, found, f'The type "{word}" is now called "{newer}".', severity=Severity.NOTE)
    word = RENAMED.get(word, word)
    if word in EXTRA:
        return word
    if word in REFUSED:
        sentence = f"There are no inputs of type {word} in Kestra's open engine."
        tell(page, NotSupported, found, sentence, "An input of type JSON takes tables and objects.")
        return ""
    names = (*EXTRA, *RENAMED)
    hint = nearest(word, names) or f"It is one of {', '.join(sorted(names))}."
    tell(page, UnknownType, found, f'There is no type of input "{shown(word)}".', hint)
    return ""


def _written(default: Scalar | Items | Map, kind: str) -> object:
    """A default as a value; text where the type is text, so that 1.10 stays 1.10."""
    if isinstance(default, Scalar) and kind not in ("INT", "FLOAT", "BOOLEAN", "JSON", "YAML", "ION"):
        return as_text(default)
    return plain(default)


def _item_type(page: Page, tree: Map, kind: str, owner: str) -> str:
    if kind not in ("ARRAY", "MULTISELECT"):
        return ""
    if kind == "ARRAY" and fields.given(tree, "itemType") is None:
        tell(page, MissingProperty, key_of(tree, "itemType"), f'{owner} needs the property "itemType".')
        return "STRING"
    if fields.text(page, tree, "itemType").upper() == "ARRAY":
        tell(page, WrongValue, tree.entries["itemType"], '"itemType" cannot be ARRAY.')
        return "STRING"
    word = fields.choice(page, tree, "itemType", (*ITEM_TYPES, "BOOL"), "STRING")
    return RENAMED.get(word, word)


def _values(page: Page, tree: Map, kind: str, owner: str) -> tuple[object, ...]:
    if kind not in ("SELECT", "MULTISELECT"):
        return ()
    word = "options" if fields.given(tree, "values") is None and fields.given(tree, "options") is not None else "values"
    if word == "options":
        tell(page, Deprecated, tree.keys[word], '"options" is now called "values".', severity=Severity.NOTE)
    if fields.given(tree, word) is None and fields.given(tree, "expression") is None:
        sentence = f'{owner} needs "values", or an "expression" that gives them.'
        tell(page, MissingProperty, key_of(tree, word), sentence)
        return ()
    return fields.texts(page, tree, word)


def _validator(page: Page, tree: Map) -> str:
    pattern = fields.text(page, tree, "validator")
    if not pattern:
        return ""
    import regex

    try:
        regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        tell(page, WrongValue, tree.entries["validator"], f'"validator" is no regular expression: {error}.')
        return ""
    return pattern


def _bound(tree: Map, *names: str) -> object:
    for name in names:
        found = fields.given(tree, name)
        if isinstance(found, Scalar):
            return found.value
    return None


def _depends_on(page: Page, note: Map, owner: str) -> tuple[str, ...]:
    fields.known(page, note, ("inputs", "condition"), f"`dependsOn` of {low(owner)}")
    fields.needed(page, note, "inputs", f"`dependsOn` of {low(owner)}")
    return fields.texts(page, note, "inputs")


def _extensions(page: Page, tree: Map) -> tuple[str, ...]:
    if "allowedFileExtensions" in tree.entries:
        return fields.texts(page, tree, "allowedFileExtensions")
    single = fields.text(page, tree, "extension")
    return (single,) if single else ()


def _check(page: Page, tree: Map, made: Input, owner: str) -> None:
    default = fields.given(tree, "defaults")
    check_order(page, tree, made, owner)
    if default is None:
        return
    if "prefill" in tree.entries and page.version != "0.20":
        tell(page, WrongDefault, tree.keys["prefill"], f"{owner} has a default, so nothing is filled in before it.")
    if not made.required and page.version != "0.20":
        hint = "Leave `required` out: the default is always there."
        tell(page, WrongDefault, key_of(tree, "required"), f"{owner} has a default, so it cannot be optional.", hint)
    if isinstance(default, Scalar) and is_template(default.text):
        if page.version != "0.20":
            note_templates(page, default, made.id, "input")
        return
    check_default(page, default, made, owner)
