"""How does a flow keep small values between runs? Keys of a namespace, set, read, listed, deleted."""

from __future__ import annotations

import datetime
import enum
import json
from typing import Annotated, ClassVar, cast

from msgspec import Meta

from penstock.sdk.context import Ask, Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Duration

NAMESPACE = "Namespace of the key; the flow's own unless given."


class KvType(enum.StrEnum):
    """What a value is kept as."""

    STRING = "STRING"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    DATETIME = "DATETIME"
    DATE = "DATE"
    DURATION = "DURATION"
    JSON = "JSON"


class Set(TaskType, frozen=True, kw_only=True):
    """Keep a value under a key of a namespace."""

    type_name: ClassVar[str] = "kv.set"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.kv.Set",)
    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {"key": "last_day", "value": "{{ inputs.day }}"}

    key: Annotated[str, Meta(description="The key: letters, digits, `.`, `_`, `-`.", examples=["last_day"])]
    value: Annotated[
        object, Meta(description="The value; what an expression gives keeps its type.", extra={"typed": True})
    ]
    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    overwrite: Annotated[bool, Meta(description="Whether a key that is there is replaced; otherwise fails.")] = True
    ttl: Annotated[
        Duration | None, Meta(description="After how long the key goes.", extra={"unit": "ISO-8601, or seconds"})
    ] = None
    kv_type: Annotated[KvType | None, Meta(description="What text is turned into; without it, text stays text.")] = None

    kv_description: Annotated[str, Meta(description="What the value is; for those who read the flow.")] = ""

    def run(self, context: Context) -> None:
        """Keep it."""
        value = typed(self.value, self.kv_type)
        ttl = None if self.ttl is None else int(self.ttl)
        kind = self.kv_type.value if self.kv_type else ""
        context.ask(
            Ask.KV_SET,
            key=self.key,
            value=value,
            namespace=self.namespace,
            overwrite=self.overwrite,
            ttl=ttl,
            type=kind,
        )


class Get(TaskType, frozen=True, kw_only=True):
    """Read the value of a key."""

    type_name: ClassVar[str] = "kv.get"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.kv.Get",)
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"value": "The value, or nothing."}
    example: ClassVar[dict[str, object]] = {"key": "last_day"}

    key: Annotated[str, Meta(description="The key.", examples=["last_day"])]
    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    error_on_missing: Annotated[bool, Meta(description="Whether a missing key is a failure.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Read it."""
        answer = cast("dict[str, object]", context.ask(Ask.KV_GET, key=self.key, namespace=self.namespace))
        if not answer["found"] and self.error_on_missing:
            space = self.namespace or context.about.namespace
            raise TaskFailed(f'There is no key "{self.key}" in the namespace "{space}".')
        return {"value": answer["value"]}


class GetKeys(TaskType, frozen=True, kw_only=True):
    """List the keys of a namespace."""

    type_name: ClassVar[str] = "kv.keys"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.kv.GetKeys",)
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"keys": "The keys, sorted."}
    example: ClassVar[dict[str, object]] = {"prefix": "last_"}

    prefix: Annotated[str, Meta(description="What the keys begin with.")] = ""
    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""

    def run(self, context: Context) -> dict[str, object]:
        """List them."""
        return {"keys": context.ask(Ask.KV_KEYS, prefix=self.prefix, namespace=self.namespace)}


class Delete(TaskType, frozen=True, kw_only=True):
    """Delete a key."""

    type_name: ClassVar[str] = "kv.delete"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.kv.Delete",)
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"deleted": "Whether it was there."}
    example: ClassVar[dict[str, object]] = {"key": "last_day"}

    key: Annotated[str, Meta(description="The key.", examples=["last_day"])]
    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    error_on_missing: Annotated[bool, Meta(description="Whether a missing key is a failure.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Delete it."""
        deleted = bool(context.ask(Ask.KV_DELETE, key=self.key, namespace=self.namespace))
        if not deleted and self.error_on_missing:
            raise TaskFailed(f'There is no key "{self.key}" to delete.')
        return {"deleted": deleted}


def typed(value: object, kind: KvType | None) -> object:
    """Turn a value into what it is to be kept as; TaskFailed when it cannot be that."""
    if kind is None or (not isinstance(value, str) and kind is not KvType.STRING):
        return value
    try:
        return _read(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), kind)
    except ValueError:
        raise TaskFailed(f'"{value}" cannot be kept as {kind.value}.') from None


def _read(text: str, kind: KvType) -> object:
    match kind:
        case KvType.STRING:
            return text
        case KvType.NUMBER:
            return float(text) if any(sign in text.lower() for sign in ".e") else int(text)
        case KvType.BOOLEAN:
            if text.lower() not in ("true", "false"):
                raise ValueError(text)
            return text.lower() == "true"
        case KvType.DATETIME:
            datetime.datetime.fromisoformat(text)
        case KvType.DATE:
            datetime.date.fromisoformat(text)
        case KvType.DURATION:
            Duration.read(text)
        case KvType.JSON:
            return cast("object", json.loads(text))
    return text
