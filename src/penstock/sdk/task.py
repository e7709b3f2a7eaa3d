"""What is a task type? A frozen value with declared, documented fields, and what it does with them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from penstock.errors.task import TaskFailed
from penstock.model.status import Outcome
from penstock.sdk.context import Context
from penstock.sdk.launch import Launch, LaunchContext

__all__ = ["Fires", "Mode", "Outcome", "Outputs", "Result", "ScriptType", "TaskFailed", "TaskType"]


class Mode(enum.StrEnum):
    """Where an attempt runs: in the worker's thread, in a process that is kept, in one of its own.

    WARM is for the types that come with Penstock; of another package it means FRESH.
    """

    INLINE = "inline"
    WARM = "warm"
    FRESH = "fresh"


class Fires(enum.StrEnum):
    """Whether a type stands among tasks, or looks or listens for a trigger.

    One that looks ends as SKIPPED where it sees nothing, and else with what it saw; one that listens goes on.
    """

    NOTHING = ""
    POLLING = "polling"
    LISTENING = "listening"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """An ending other than plain success: WARNING, SKIPPED, or SNOOZED (what it waits for is not there yet: it looks
    again in `wait` seconds, or as its task says), with outputs and a sentence why.
    """

    outcome: Outcome = Outcome.DONE
    outputs: dict[str, object] = {}
    message: str = ""
    wait: float | None = None


Outputs = Mapping[str, object] | Result | None


class TaskType(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One kind of task: fields are its properties (each with a description), `run` is its work.

    `outputs` names what `run` returns, each with a sentence; `example` are properties that work; an instance has its
    properties already rendered. `aliases` are further names under which flows may know the type.
    """

    type_name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    mode: ClassVar[Mode] = Mode.FRESH
    fires: ClassVar[Fires] = Fires.NOTHING
    outputs: ClassVar[dict[str, str]] = {}
    example: ClassVar[dict[str, object]] = {}

    def libraries(self) -> tuple[str, ...]:
        """Name what the work imports and what costs time, to be imported once before its processes are forked."""
        return ()

    def run(self, context: Context) -> Outputs:
        """Do the work and give the outputs; raise TaskFailed when it cannot be done."""
        raise NotImplementedError(f"{type(self).__name__} has no run")


class ScriptType(TaskType, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A task type that runs people's code: it describes a process, and the worker starts it."""

    def launch(self, plan: LaunchContext) -> Launch:
        """Describe the process to start."""
        raise NotImplementedError(f"{type(self).__name__} has no launch")
