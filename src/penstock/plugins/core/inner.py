"""How does a flow run a task that a text describes, or record numbers of its own?"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from penstock.errors.task import NotOffered
from penstock.sdk import registry
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, Outputs, ScriptType, TaskFailed, TaskType
from penstock.sdk.values import Duration

OUTER = ("id", "type", "description", "disabled", "retry", "timeout", "allowFailure", "allowWarning", "logLevel")


class Templated(TaskType, frozen=True, kw_only=True):
    """Run the task that a rendered text describes."""

    type_name: ClassVar[str] = "templated"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.templating.TemplatedTask",
        "io.kestra.core.tasks.templating.TemplatedTask",
    )
    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {"spec": "type: http.download\nuri: {{ inputs.uri }}\n"}

    spec: Annotated[str, Meta(description="The task in YAML.", examples=["type: log\nmessage: Hello"])]

    def run(self, context: Context) -> Outputs:
        """Run it."""
        import yaml

        try:
            found = yaml.safe_load(self.spec)
        except yaml.YAMLError as error:
            raise TaskFailed(f"The text is no YAML: {error}") from None
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            raise TaskFailed("The text describes no task: it says no `type`.")
        kind = registry.find(found["type"])
        if kind is Templated:
            raise TaskFailed("A task of a text cannot be of a text again.")
        if issubclass(kind, ScriptType) or not kind.__module__.startswith("penstock.plugins."):
            raise NotOffered(
                f'A text cannot describe a task of the type "{kind.type_name}": it wants a process of its own.',
                hint="Write the task into the flow, with its expressions in its properties.",
            )
        given = {str(name): value for name, value in found.items() if name not in OUTER}
        return registry.decode(kind, given).run(context)


class Number(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One number to record."""

    name: Annotated[str, Meta(description="Its name.")]
    value: Annotated[Any, Meta(description="The number; of a timer a duration, or seconds.")]
    type: Annotated[str, Meta(description="counter, timer or gauge.")] = "counter"
    tags: Annotated[dict[str, str], Meta(description="What tells it from others of its name.")] = {}


class Publish(TaskType, frozen=True, kw_only=True):
    """Record numbers of the flow's own."""

    type_name: ClassVar[str] = "metric.publish"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.metric.Publish",)
    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {"metrics": [{"name": "rows", "value": "{{ outputs.load.size }}"}]}

    metrics: Annotated[list[Number], Meta(description="The numbers.")]

    def run(self, context: Context) -> None:
        """Record them."""
        for each in self.metrics:
            kind = each.type.rpartition(".")[2].lower().removesuffix("metric")
            try:
                value = Duration.read(each.value).seconds if kind == "timer" else float(each.value)
            except (TypeError, ValueError):
                raise TaskFailed(f'The value of "{each.name}" is no number: {str(each.value)[:40]}.') from None
            context.metric(each.name, value, kind, each.tags)


class Toggle(TaskType, frozen=True, kw_only=True):
    """Turn a trigger on or off; not offered as long as triggers do not start runs."""

    type_name: ClassVar[str] = "trigger.toggle"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.trigger.Toggle",
        "io.kestra.core.tasks.trigger.Toggle",
    )
    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {"trigger": "daily", "enabled": False}

    trigger: Annotated[str, Meta(description="Id of the trigger.")]
    namespace: Annotated[str, Meta(description="Namespace of its flow; the flow's own unless given.")] = ""
    flow_id: Annotated[str, Meta(description="Its flow; this one unless given.")] = ""
    enabled: Annotated[bool, Meta(description="Whether it shall be on.")] = False

    def run(self, context: Context) -> None:
        """Say that it cannot be done."""
        raise NotOffered(f'The trigger "{self.trigger}" cannot be turned on or off: triggers start no runs yet.')
