"""What starts runs of a flow by itself? Each entry of `triggers`, by its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from penstock.dialects.kestra import fields, limits, older, polled, schedules, webhooks
from penstock.dialects.kestra.conditions import MULTIPLE, UPSTREAM, conditions, flat, states, when
from penstock.dialects.kestra.conditions import short as conditions_of
from penstock.dialects.kestra.labels import labels
from penstock.dialects.kestra.page import Page, note_templates, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, as_text, plain
from penstock.dialects.kestra.upstream import depends_on, multiple, preconditions
from penstock.errors import Severity, nearest
from penstock.errors.flow import BadName, NoEffect, NotSupported, UnknownType
from penstock.model.ids import NODE_ID
from penstock.model.policy import SECOND
from penstock.model.status import RunStatus
from penstock.model.trigger import (
    Listening,
    OnRuns,
    Polling,
    Trigger,
    Upstream,
    Window,
)

COMMON: Final = (
    "id", "type", "description", "disabled", "conditions", "when", "stopAfter", "logLevel", "logToFile", "labels",
    "inputs", "allowConcurrent", "failOnTriggerError", "workerGroup", "workerSelector", "version", "assets",
)  # fmt: skip
PACKAGES: Final = ("io.kestra.plugin.core.trigger.", "io.kestra.core.models.triggers.types.")
ENDED: Final = ("SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "RETRIED")
MINUTE: Final = 60 * SECOND
LEVELS: Final = ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")
Reader: TypeAlias = Callable[[Page, Map, dict[str, Any]], Trigger]


def triggers(page: Page, tree: Map) -> tuple[Trigger, ...]:
    """The triggers of a flow."""
    return tuple(made for item in fields.maps(page, tree, "triggers", "A trigger") if (made := _one(page, item)))


def short(word: str) -> str:
    """The name of a trigger's type without its package; empty where it is a plugin's."""
    bare = next((word.removeprefix(package) for package in PACKAGES if word.startswith(package)), word)
    return bare if bare in READERS else ""


def _one(page: Page, tree: Map) -> Trigger | None:
    found = fields.needed(page, tree, "type", "A trigger")
    name = _id(page, tree)
    word = as_text(found) if isinstance(found, Scalar) else ""
    if found is None or not word:
        return None
    page.around.append(tree)
    made = _read(page, tree, found, word, name)
    page.around.pop()
    return made


def _read(page: Page, tree: Map, found: Scalar | Items | Map, word: str, name: str) -> Trigger | None:
    kind = short(word)
    if kind and word.startswith(PACKAGES[1]):
        older.tell_older(page, found, f'"{shown(word)}" is an old name of "{PACKAGES[0]}{kind}".')
    last = word.rpartition(".")[2]
    about = _common(page, tree, name, word)
    if kind:
        reader, own = READERS[kind]
        fields.known(page, tree, (*COMMON, *own), f'Trigger "{shown(name)}"')
        return reader(page, tree, about)
    kind = polled.kind_of(page, tree, found, word, COMMON)
    if kind:
        about["queue"] = limits.queue(page, tree, ("queue",))
        about["fails_run"] = fields.flag(page, tree, "failOnTriggerError")
    if kind == "listening":
        return Listening(**about, properties=polled.properties(page, tree, word, name, COMMON))
    if kind:
        interval = fields.duration(page, tree, "interval")
        properties = polled.properties(page, tree, word, name, COMMON)
        return Polling(**about, interval=MINUTE if interval is None else interval, properties=properties)
    hint = nearest(last, READERS) or f"There are {', '.join(READERS)}, and those of plugins."
    tell(page, UnknownType, found, f'There is no trigger of type "{shown(word)}".', hint)
    return None


def _id(page: Page, tree: Map) -> str:
    found = fields.needed(page, tree, "id", "A trigger")
    name = fields.text(page, tree, "id")
    if isinstance(found, Scalar) and not NODE_ID.fullmatch(name):
        hint = 'Letters, digits, "_" and "-", at most 100, with a letter or digit first.'
        tell(page, BadName, found, f'"{shown(name)}" cannot name a trigger.', hint)
    return name


def _common(page: Page, tree: Map, name: str, word: str) -> dict[str, Any]:
    inputs = fields.mapping(page, tree, "inputs")
    for each in ("inputs", "labels"):
        if each in tree.entries:
            note_templates(page, tree.entries[each], name, "trigger", printed=each == "labels")
    for each in ("workerSelector", "assets"):
        if each in tree.entries:
            tell(page, NotSupported, tree.keys[each], f'"{each}" of a trigger is not supported yet.')
    return {
        "id": name,
        "type": word,
        "description": fields.text(page, tree, "description"),
        "disabled": fields.flag(page, tree, "disabled"),
        "when": flat((*conditions(page, tree, UPSTREAM, apart=MULTIPLE), *when(page, tree, UPSTREAM))),
        "inputs": {} if inputs is None else {key: plain(item) for key, item in inputs.entries.items()},
        "labels": dict(labels(page, tree)),
        "stop_after": statuses(states(page, tree, "stopAfter")),
        "side_by_side": fields.flag(page, tree, "allowConcurrent"),
        "log_level": fields.choice(page, tree, "logLevel", LEVELS, ""),
    }


def statuses(words: tuple[str, ...]) -> tuple[RunStatus, ...]:
    """States of executions as statuses of runs; those that runs do not have are left out."""
    known = {status.value.upper(): status for status in RunStatus}
    return tuple(known[word] for word in words if word in known)


def _webhook(page: Page, tree: Map, about: dict[str, Any]) -> Trigger:
    if any(_is_multiple(item) for item in fields.maps(page, tree, "conditions", "A condition")):
        tell(page, NotSupported, tree.keys["conditions"], "A Webhook cannot wait for several runs (MultipleCondition).")
    return webhooks.webhook(page, tree, about)


def _is_multiple(item: Map) -> bool:
    found = item.entries.get("type")
    return isinstance(found, Scalar) and conditions_of(as_text(found)) == MULTIPLE


def _runs(page: Page, tree: Map, about: dict[str, Any]) -> Trigger:
    """By runs of other flows: with conditions on each, or once several have come."""
    several = [item for item in fields.maps(page, tree, "conditions", "A condition") if _is_multiple(item)]
    waits_for: tuple[Upstream, ...] = ()
    window, reset, least = Window(), True, 0
    if several:
        waits_for, window, reset = multiple(page, several[0])
        least = fields.whole(page, several[0], "minSatisfied", least=1) or 0
    elif "preconditions" in tree.entries:
        if page.version == "2":
            sentence = "`preconditions` are gone in version 2; they still work."
            older.tell_older(page, tree.keys["preconditions"], sentence, "`dependsOn` takes their place.")
        waits_for, window, reset = preconditions(page, tree)
    elif "dependsOn" in tree.entries:
        waits_for, window, least = depends_on(page, tree)
    if not (about["when"] or waits_for):
        sentence = f'The trigger "{shown(about["id"])}" has no conditions: every run of every other flow fires it.'
        tell(page, NoEffect, tree, sentence, severity=Severity.WARNING)
    wanted = states(page, tree, "states") or ENDED
    return OnRuns(**about, states=statuses(wanted), waits_for=waits_for, least=least, window=window, reset=reset)


READERS: Final[dict[str, tuple[Reader, tuple[str, ...]]]] = {
    "Schedule": (schedules.schedule, schedules.SCHEDULE),
    "ScheduleOnDates": (schedules.on_dates, schedules.DATES),
    "Webhook": (_webhook, webhooks.WORDS),
    "Flow": (_runs, ("states", "preconditions", "dependsOn", "mode", "minSatisfied", "window", "onMiss")),
}
