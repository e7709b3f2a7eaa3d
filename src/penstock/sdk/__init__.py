"""What does the author of a task type see? The base classes, the context, the values a property can have."""

from __future__ import annotations

from penstock.errors.task import MissingExtra, TaskFailed
from penstock.sdk.context import Ask, Context, Level, MetricKind, Transport
from penstock.sdk.launch import Launch, LaunchContext, LaunchMode
from penstock.sdk.task import Mode, Outcome, Outputs, Result, ScriptType, TaskType
from penstock.sdk.values import Duration, Secret, Size

__all__ = [
    "Ask",
    "Context",
    "Duration",
    "Launch",
    "LaunchContext",
    "LaunchMode",
    "Level",
    "MetricKind",
    "MissingExtra",
    "Mode",
    "Outcome",
    "Outputs",
    "Result",
    "ScriptType",
    "Secret",
    "Size",
    "TaskFailed",
    "TaskType",
    "Transport",
]
