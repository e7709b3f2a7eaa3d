"""How did flows keep values between runs before there were keys of a namespace? States: maps, of a flow by name."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any, ClassVar, Final, cast

from msgspec import Meta, field

from penstock.sdk.context import Ask, Context
from penstock.sdk.task import Mode, TaskFailed, TaskType

UNFIT: Final = re.compile(r"[^a-zA-Z0-9._-]")
NAME: Final = "The state's name."
OF_NAMESPACE: Final = "Whether all flows of the namespace share it."
BY_VALUE: Final = "Whether each value of a loop has its own."


class StateTask(TaskType, frozen=True, kw_only=True):
    """What every task on states declares."""

    mode: ClassVar[Mode] = Mode.WARM

    name: Annotated[str, Meta(description=NAME)] = "default"
    namespace: Annotated[bool, Meta(description=OF_NAMESPACE)] = False
    taskrun_value: Annotated[bool, Meta(description=BY_VALUE)] = True

    def key(self, context: Context) -> str:
        """The key of the namespace that the state is kept under."""
        parts = ["states", *([] if self.namespace else [context.about.flow]), self.name]
        if self.taskrun_value:
            asked = context.ask(Ask.ROWS_RENDER, template="{{ taskrun.value ?? '' }}", rows=[{}])
            said = str(cast("list[dict[str, object]]", asked)[0].get("value") or "")
            parts += [hashlib.sha256(said.encode()).hexdigest()[:16]] if said else []
        return UNFIT.sub("_", "_".join(parts))

    def kept(self, context: Context, key: str) -> dict[str, Any] | None:
        """What the state holds; nothing when there is none."""
        found = cast("dict[str, Any]", context.ask(Ask.KV_GET, key=key, namespace=""))
        return cast("dict[str, Any]", found["value"]) if found["found"] else None


class Set(StateTask, frozen=True, kw_only=True):
    """Keep values in a state; what it holds besides stays. `kv.set` has taken its place."""

    type_name: ClassVar[str] = "state.set"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.state.Set", "io.kestra.core.tasks.states.Set")
    outputs: ClassVar[dict[str, str]] = {"count": "How many values it holds.", "key": "The key it is kept under."}
    example: ClassVar[dict[str, object]] = {"data": {"last": "{{ outputs.load.day }}"}}

    data: Annotated[dict[str, object], Meta(description="The values by name.")] = field(default_factory=dict)

    def run(self, context: Context) -> dict[str, object]:
        """Keep them."""
        key = self.key(context)
        value = _laid_over(self.kept(context, key) or {}, self.data)
        context.ask(Ask.KV_SET, key=key, value=value, namespace="", overwrite=True, ttl=None, type="")
        return {"count": len(value), "key": key}


def _laid_over(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What is new over what is there; maps are joined, however deep they lie."""
    joined = dict(old)
    for name, value in new.items():
        here = joined.get(name)
        joined[name] = _laid_over(here, value) if isinstance(here, dict) and isinstance(value, dict) else value
    return joined


class Get(StateTask, frozen=True, kw_only=True):
    """Read the values of a state. `kv.get` has taken its place."""

    type_name: ClassVar[str] = "state.get"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.state.Get", "io.kestra.core.tasks.states.Get")
    outputs: ClassVar[dict[str, str]] = {
        "count": "How many values it holds.",
        "data": "The values by name.",
        "key": "The key it is kept under.",
    }
    example: ClassVar[dict[str, object]] = {"name": "last"}

    error_on_missing: Annotated[bool, Meta(description="Whether a missing state is a failure.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Read them."""
        key = self.key(context)
        found = self.kept(context, key)
        if found is None and self.error_on_missing:
            raise TaskFailed(f'There is no state "{self.name}".')
        return {"count": len(found or {}), "data": found or {}, "key": key}


class Delete(StateTask, frozen=True, kw_only=True):
    """Delete a state. `kv.delete` has taken its place."""

    type_name: ClassVar[str] = "state.delete"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.state.Delete", "io.kestra.core.tasks.states.Delete")
    outputs: ClassVar[dict[str, str]] = {"deleted": "Whether it was there.", "key": "The key it was kept under."}
    example: ClassVar[dict[str, object]] = {"name": "last"}

    error_on_missing: Annotated[bool, Meta(description="Whether a missing state is a failure.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Delete it."""
        key = self.key(context)
        deleted = bool(context.ask(Ask.KV_DELETE, key=key, namespace=""))
        if not deleted and self.error_on_missing:
            raise TaskFailed(f'There is no state "{self.name}" to delete.')
        return {"deleted": deleted, "key": key}
