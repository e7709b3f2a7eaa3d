"""What is told of a run? Its state, when it began, how long it took, what failed: the same lines for every service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta, field

from penstock.plugins.notify.wire import Sender
from penstock.sdk.context import Ask, Context

COLOURS: Final = {"SUCCESS": "#2eb67d", "WARNING": "#ecb22e", "PAUSED": "#ecb22e"}
BAD: Final = "#e01e5a"


class Ended(msgspec.Struct, frozen=True):
    """A task of the run: how it ended, and what it said of that."""

    task: str
    step: str = ""
    state: str = ""
    message: str = ""


class Told(msgspec.Struct, frozen=True):
    """A run as its account begins; `failed` is the first task that failed, `last` the one that ended last."""

    id: str
    namespace: str
    flow: str
    state: str
    start: str
    duration: float
    error: str = ""
    failed: Ended | None = None
    last: Ended | None = None

    @property
    def name(self) -> str:
        """The flow, in full."""
        return f"{self.namespace}.{self.flow}"

    @property
    def colour(self) -> str:
        """Good, doubtful or bad, as services paint it."""
        return COLOURS.get(self.state, BAD)

    @property
    def good(self) -> bool:
        """Did it succeed, or is it on a good way?"""
        return self.state in ("SUCCESS", "RUNNING", "WARNING")

    @property
    def title(self) -> str:
        """The account in one line."""
        return f"[{self.name}] {self.state}"


class Report(Sender, frozen=True, kw_only=True):
    """What every account of a run declares."""

    execution_id: Annotated[
        str, Meta(description="The run; this one unless given.", examples=["{{ trigger.executionId }}"])
    ] = ""
    custom_message: Annotated[str, Meta(description="A sentence of your own.")] = ""
    custom_fields: Annotated[dict[str, object], Meta(description="Lines of your own: name and value.")] = field(
        default_factory=dict
    )

    def told(self, context: Context) -> Told:
        """Ask for the run."""
        return ask(context, self.execution_id)

    def lines(self, told: Told) -> dict[str, str]:
        """The account line by line: name and value."""
        return lines(told, self.custom_fields)

    def text(self, told: Told) -> str:
        """The account as plain text."""
        return text(told, self.custom_message, self.custom_fields)


def ask(context: Context, run: str) -> Told:
    """How a run stands; this one, where none is named."""
    return msgspec.convert(context.ask(Ask.RUN_TELL, run=run), Told)


def lines(told: Told, more: Mapping[str, object]) -> dict[str, str]:
    """An account of a run line by line: name and value, and `more` of them."""
    found = {
        "Flow": told.name,
        "Run": told.id,
        "Status": told.state,
        "Began": told.start,
        "Took": span(told.duration),
    }
    if told.failed:
        found["Failed task"] = told.failed.task
        found["Why"] = told.failed.message or told.error
    elif not told.good and told.error:
        found["Why"] = told.error
    elif told.last:
        found["Last task"] = told.last.task
    return found | {name: str(value) for name, value in more.items()}


def text(told: Told, message: str, more: Mapping[str, object]) -> str:
    """An account of a run as plain text, with a sentence above it."""
    rest = "\n".join(f"{name}: {value}" for name, value in lines(told, more).items() if value)
    return "\n".join(part for part in (told.title, message, rest) if part)


def span(seconds: float) -> str:
    """A span of time as people say it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def cut(text: str, most: int) -> str:
    """No more of a text than a service takes."""
    return text if len(text) <= most else text[: most - 1] + "…"
