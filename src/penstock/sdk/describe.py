"""What does a task type say of itself? Its fields as data, as JSON Schema, as a reference page."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from penstock.sdk.decode import shape_of
from penstock.sdk.plain import plain
from penstock.sdk.task import TaskType
from penstock.sdk.values import Duration, Secret, Size, schema_hook

WORDS: dict[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Duration: "duration",
    Size: "size",
    Secret: "secret",
    type(None): "nothing",
    Any: "anything",
    object: "anything",
}

STANDS: Final = {
    "polling": "It stands under `triggers`, and looks again when its `interval` (one minute) is over.",
    "listening": "It stands under `triggers`, and keeps a slot of a worker as long as it listens.",
}


class Field(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One declared property; `template` says whether `{{ … }}` in it is rendered, `typed` whether the value of one
    that stands alone keeps its type.
    """

    name: str
    type: str
    required: bool
    description: str
    default: object = None
    unit: str = ""
    examples: tuple[object, ...] = ()
    template: bool = True
    deprecated: str = ""
    typed: bool = False


class Description(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a task type says of itself."""

    name: str
    aliases: tuple[str, ...]
    summary: str
    mode: str
    fires: str = ""
    fields: tuple[Field, ...]
    outputs: dict[str, str]
    example: dict[str, object]


def describe(kind: type[TaskType]) -> Description:
    """Give a type's own account of itself."""
    return Description(
        name=kind.type_name,
        aliases=kind.aliases,
        summary=summary(kind),
        mode=kind.mode.value,
        fires=kind.fires.value,
        fields=tuple(fields(kind)),
        outputs=kind.outputs,
        example=kind.example,
    )


def summary(kind: type) -> str:
    """The sentence that a type's docstring is."""
    return " ".join((kind.__doc__ or "").split())


def fields(kind: type[msgspec.Struct]) -> Iterator[Field]:
    """The declared properties of a type, in the order declared."""
    for field in msgspec.structs.fields(kind):
        about = _meta(field.type)
        extra = about.extra or {}
        yield Field(
            name=field.encode_name,
            type=words(field.type),
            required=field.required,
            description=about.description or "",
            default=_default(field),
            unit=str(extra.get("unit", "")),
            examples=tuple(about.examples or ()),
            template=bool(extra.get("template", True)),
            deprecated=str(extra.get("deprecated", "")),
            typed=bool(extra.get("typed", False)),
        )


def words(hint: Any) -> str:
    """An annotation in words that people read."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return words(parts[0])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(words(part) for part in parts if part is not type(None)))
    if origin is Literal:
        return " or ".join(f'"{part}"' for part in parts)
    if origin in (list, tuple, set):
        return f"list of {words(parts[0])}"
    if origin is dict:
        return f"map of {words(parts[1])}"
    if hint in WORDS:
        return WORDS[hint]
    if hasattr(hint, "__members__"):
        return "one of " + ", ".join(str(word.value) for word in hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return "{" + ", ".join(field.encode_name for field in msgspec.structs.fields(hint)) + "}"
    return str(getattr(hint, "__name__", hint))


def json_schema(kind: type[TaskType]) -> dict[str, object]:
    """The JSON Schema (2020-12) of a type's properties."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.type_name,
        "description": summary(kind),
        **({"x-fires": kind.fires.value} if kind.fires else {}),
        **_object(kind),
    }


def reference(kind: type[TaskType]) -> str:
    """The page of a type in the reference, in Markdown."""
    about = describe(kind)
    lines = [
        f"# {about.name}",
        "",
        about.summary,
        *(["", STANDS[about.fires]] if about.fires else []),
        "",
        "| property | is | default | what it says |",
        "|---|---|---|---|",
    ]
    for field in about.fields:
        default = "**required**" if field.required else _shown(field.default)
        unit = f" ({field.unit})" if field.unit else ""
        old = f" Deprecated: {field.deprecated}." if field.deprecated else ""
        fixed = "" if field.template else " Not rendered."
        lines.append(f"| `{field.name}` | {field.type}{unit} | {default} | {field.description}{old}{fixed} |")
    if about.outputs:
        lines += ["", "| output | is |", "|---|---|"]
        lines += [f"| `{name}` | {sentence} |" for name, sentence in about.outputs.items()]
    example = {"id": "example", "type": about.name, **about.example}
    lines += ["", "```yaml", yaml_of([example]), "```"]
    if about.aliases:
        lines += ["", "Also known as " + ", ".join(f"`{alias}`" for alias in about.aliases) + "."]
    return "\n".join(lines) + "\n"


def yaml_of(value: object) -> str:
    """A value as people write it in a flow: long text in blocks."""
    import yaml

    class Written(yaml.SafeDumper):
        """Writes text of several lines as a block."""

    def text(dumper: yaml.SafeDumper, said: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", said, style="|" if "\n" in said else None)

    Written.add_representer(str, text)
    return yaml.dump(value, Dumper=Written, sort_keys=False, allow_unicode=True, width=100).rstrip()


def _object(kind: type[msgspec.Struct]) -> dict[str, object]:
    properties: dict[str, object] = {}
    needed: list[str] = []
    for field in msgspec.structs.fields(kind):
        about = _meta(field.type)
        schema: dict[str, object] = {"description": about.description or "", **_schema_of(field)}
        schema.update({f"x-{name}": value for name, value in (about.extra or {}).items()})
        if field.required:
            needed.append(field.encode_name)
        else:
            schema["default"] = _default(field)
        properties[field.encode_name] = schema
    open_ended = not kind.__struct_config__.forbid_unknown_fields
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": open_ended}


def _schema_of(field: msgspec.structs.FieldInfo) -> dict[str, object]:
    shape = shape_of(field.type)
    if shape.struct is None:
        return msgspec.json.schema(field.type, schema_hook=schema_hook)
    inside = _object(shape.struct)
    return {"anyOf": [inside, {"type": "null"}]} if shape.nothing else inside


def _meta(hint: Any) -> msgspec.Meta:
    if get_origin(hint) is Annotated:
        for part in get_args(hint)[1:]:
            if isinstance(part, msgspec.Meta):
                return part
    return msgspec.Meta()


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return plain(field.default_factory())
    if field.default is msgspec.NODEFAULT:
        return None
    if isinstance(field.default, Duration):
        return _span(field.default)
    return plain(field.default)


def _span(duration: Duration) -> str:
    days, rest = divmod(duration, 86_400_000_000)
    return f"P{days}D" if days and not rest else f"PT{duration.seconds:.15g}S"


def _shown(value: object) -> str:
    return "" if value is None or value == "" else f"`{msgspec.json.encode(value).decode()}`"
