"""When does a trigger (or a listener) act? Conditions of every version become templates that must be true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import msgspec

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.page import Page, note_templates, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, as_text
from penstock.errors import Severity, nearest
from penstock.errors.flow import Deprecated, UnknownType, WrongValue
from penstock.model.trigger import Condition

PACKAGES: Final = ("io.kestra.plugin.core.condition.", "io.kestra.core.models.conditions.types.")
MULTIPLE: Final = "MultipleCondition"
WHOLE: Final = re.compile(r"\s*\{\{((?:(?!\}\}).)*)\}\}\s*", re.DOTALL)
DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
STATES: Final = (
    "CREATED", "QUEUED", "RUNNING", "PAUSED", "RESTARTED", "RETRYING", "KILLING", "SUCCESS", "WARNING", "FAILED",
    "KILLED", "CANCELLED", "RETRIED", "SKIPPED", "SUBMITTED", "BREAKPOINT", "RESUBMITTED",
)  # fmt: skip


class Subject(msgspec.Struct, frozen=True):
    """By which names conditions know the run that they are about, and the date."""

    namespace: str
    flow: str
    state: str
    labels: str
    outputs: str
    date: str = "trigger.date"
    sort: str = "trigger"


UPSTREAM: Final = Subject(
    "trigger.namespace", "trigger.flowId", "trigger.state", "trigger.labels", "trigger.outputs", sort="condition"
)
OWN: Final = Subject("flow.namespace", "flow.id", "execution.state", "labels", "execution.outputs", "now()", "output")

Reader: TypeAlias = Callable[[Page, Map, Subject], Condition]


def conditions(
    page: Page, tree: Map, subject: Subject, name: str = "conditions", apart: str = ""
) -> tuple[Condition, ...]:
    """The conditions of a list, all of which must hold; those of the type `apart` are somebody else's to read."""
    listed = fields.maps(page, tree, name, "A condition")
    own = [item for item in listed if not apart or short(fields.text(page, item, "type")) != apart]
    return tuple(made for item in own if (made := one(page, item, subject)))


def when(page: Page, tree: Map, subject: Subject, name: str = "when") -> tuple[Condition, ...]:
    """The one template that version 2 has in place of conditions."""
    test = fields.template(page, tree, name, "", subject.sort)
    return (Condition(test=test),) if test else ()


def flat(made: Iterable[Condition]) -> tuple[Condition, ...]:
    """Conditions that must all hold, those that ask the same of others in their place."""
    parts: list[Condition] = []
    for each in made:
        parts += flat(each.all_of) if each.all_of else [each]
    return tuple(parts)


def short(word: str) -> str:
    """The name of a condition's type without its package and without the ending of the older names."""
    bare = next((word.removeprefix(package) for package in PACKAGES if word.startswith(package)), word)
    return bare if bare in READERS or bare == MULTIPLE else bare.removesuffix("Condition")


def one(page: Page, tree: Map, subject: Subject) -> Condition | None:
    """One condition; what is wrong with it is noted."""
    found = fields.needed(page, tree, "type", "A condition")
    word = as_text(found) if isinstance(found, Scalar) else ""
    if found is None or not word:
        return None
    name = short(word)
    if name not in READERS:
        hint = nearest(name, READERS) or f"It is one of {', '.join(sorted(READERS))}."
        tell(page, UnknownType, found, f'There is no condition of type "{word}".', hint)
        return None
    if page.version == "2":
        sentence = "Conditions are gone in version 2; they still work."
        tell(page, Deprecated, found, sentence, "`when` takes a template in their place.", Severity.NOTE)
    elif word.endswith("Condition") and name != word:
        tell(page, Deprecated, found, f'"{word}" is an old name of "{PACKAGES[0]}{name}".', "", Severity.NOTE)
    reader, own = READERS[name]
    fields.known(page, tree, ("type", *own), f"A condition of type {name}")
    return reader(page, tree, subject)


def expression(condition: Condition) -> str:
    """A condition as one expression, without braces; empty where it is made of more than expressions."""
    several = condition.all_of or condition.any_of or condition.none_of
    if not several:
        whole = WHOLE.fullmatch(condition.test)
        return f"({whole[1].strip()})" if whole else ""
    parts = [expression(each) for each in several]
    if not all(parts):
        return ""
    joined = parts[0] if len(parts) == 1 else f"({(' and ' if condition.all_of else ' or ').join(parts)})"
    return f"(not {joined})" if condition.none_of else joined


def quoted(text: str) -> str:
    """Text as an expression writes it."""
    return f'"{text}"' if "'" in text else f"'{text}'"


def _operand(page: Page, tree: Map, name: str, default: str, subject: Subject) -> str:
    """A property as a part of an expression: what stands between `{{` and `}}`, or its text."""
    found = fields.given(tree, name)
    if found is None:
        return default
    note_templates(page, found, "", subject.sort)
    text = fields.text(page, tree, name)
    whole = WHOLE.fullmatch(text)
    if whole:
        return f"({whole[1].strip()})"
    if "{{" in text or "{%" in text:
        tell(page, WrongValue, found, f'"{name}" of a condition is either text or one expression, not both.')
    return quoted(text)


def _test(expression: str) -> Condition:
    return Condition(test=f"{{{{ {expression} }}}}")


def _between(page: Page, tree: Map, subject: Subject) -> Condition:
    date = _operand(page, tree, "date", subject.date, subject)
    parts = []
    for name, sign in (("after", ">"), ("before", "<")):
        if fields.given(tree, name) is not None:
            bound = _operand(page, tree, name, "", subject)
            parts.append(f"({date} | timestampMilli) {sign} ({bound} | timestampMilli)")
    if not parts:
        tell(page, WrongValue, tree, 'A DateTimeBetween needs "after", "before" or both.')
    return _test(" and ".join(parts) or "true")


TIME: Final = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?(Z|[+-]\d{2}(?::?\d{2})?)?")


def _hours(page: Page, tree: Map, subject: Subject) -> Condition:
    date = _operand(page, tree, "date", subject.date, subject)
    parts = []
    for name, sign in (("after", ">"), ("before", "<")):
        found = fields.given(tree, name)
        if found is None:
            continue
        text = fields.text(page, tree, name)
        time = TIME.fullmatch(text)
        if time is None:
            fields.wrong(page, found, name, "a time of day with its offset, such as 09:00:00+02:00")
            continue
        clock = int(f"{time[1]}{time[2]}{time[3] or '00'}")
        zone = "UTC" if time[4] in (None, "Z") else time[4]
        parts.append(f"({date} | date('HHmmss', timeZone='{zone}') | number) {sign} {clock}")
    if not parts:
        tell(page, WrongValue, tree, 'A TimeBetween needs "after", "before" or both.')
    return _test(" and ".join(parts) or "true")


def _day(page: Page, tree: Map, subject: Subject) -> Condition:
    fields.needed(page, tree, "dayOfWeek", "A DayWeek")
    day = fields.choice(page, tree, "dayOfWeek", DAYS, "MONDAY")
    return _test(f"dayOfWeek({_operand(page, tree, 'date', subject.date, subject)}) == '{day}'")


def _day_in_month(page: Page, tree: Map, subject: Subject) -> Condition:
    fields.needed(page, tree, "dayOfWeek", "A DayWeekInMonth")
    fields.needed(page, tree, "dayInMonth", "A DayWeekInMonth")
    day = fields.choice(page, tree, "dayOfWeek", DAYS, "MONDAY")
    place = fields.choice(page, tree, "dayInMonth", ("FIRST", "SECOND", "THIRD", "FOURTH", "LAST"), "FIRST")
    return _test(f"isDayWeekInMonth({_operand(page, tree, 'date', subject.date, subject)}, '{day}', '{place}')")


def _weekend(page: Page, tree: Map, subject: Subject) -> Condition:
    return _test(f"isWeekend({_operand(page, tree, 'date', subject.date, subject)})")


def _holiday(page: Page, tree: Map, subject: Subject) -> Condition:
    given = [_operand(page, tree, "date", subject.date, subject)]
    given += [_operand(page, tree, name, "", subject) for name in ("country", "subDivision") if name in tree.entries]
    return _test(f"isPublicHoliday({', '.join(given)})")


def _expression(page: Page, tree: Map, subject: Subject) -> Condition:
    fields.needed(page, tree, "expression", "An Expression")
    return Condition(test=fields.template(page, tree, "expression", "", subject.sort))


def _of_flow(page: Page, tree: Map, subject: Subject) -> Condition:
    for name in ("namespace", "flowId"):
        fields.needed(page, tree, name, "A condition of a flow")
    namespace, flow = quoted(fields.text(page, tree, "namespace")), quoted(fields.text(page, tree, "flowId"))
    return _test(f"{subject.namespace} == {namespace} and {subject.flow} == {flow}")


def _of_namespace(page: Page, tree: Map, subject: Subject) -> Condition:
    fields.needed(page, tree, "namespace", "A condition of a namespace")
    older = "PREFIX" if fields.flag(page, tree, "prefix") else "EQUALS"
    how = fields.choice(page, tree, "comparison", ("EQUALS", "PREFIX", "SUFFIX"), older)
    name = quoted(fields.text(page, tree, "namespace"))
    filter_ = {"PREFIX": "startsWith", "SUFFIX": "endsWith"}.get(how)
    return _test(f"{subject.namespace} | {filter_}({name})" if filter_ else f"{subject.namespace} == {name}")


def _status(page: Page, tree: Map, subject: Subject) -> Condition:
    among = [f"{subject.state} == '{word}'" for word in states(page, tree, "in")]
    beside = [f"{subject.state} != '{word}'" for word in states(page, tree, "notIn")]
    parts = ([f"({' or '.join(among)})"] if among else []) + beside
    if not parts:
        tell(page, WrongValue, tree, 'An ExecutionStatus needs "in", "notIn" or both.')
    return _test(" and ".join(parts) or "true")


def states(page: Page, tree: Map, name: str) -> tuple[str, ...]:
    """A list of states of executions."""
    found = []
    for item in fields.items(page, tree, name):
        word = as_text(item).upper() if isinstance(item, Scalar) else ""
        if word in STATES:
            found.append(word)
        else:
            tell(page, UnknownType, item, f'There is no state "{word}".', nearest(word, STATES))
    return tuple(found)


def _labels(page: Page, tree: Map, subject: Subject) -> Condition:
    from_map = fields.given(tree, "labels")
    fields.needed(page, tree, "labels", "An ExecutionLabels")
    wanted = {}
    if isinstance(from_map, Map):
        wanted = {name: fields.text(page, from_map, name) for name in from_map.entries}
    else:
        for item in fields.maps(page, tree, "labels", "A label"):
            wanted[fields.text(page, item, "key")] = fields.text(page, item, "value")
    tests = []
    for name, value in wanted.items():
        path = "".join(f"[{quoted(part)}]" for part in name.split("."))
        tests.append(f"({subject.labels}{path} ?? '') == {quoted(value)}")
    return _test(" and ".join(tests) or "true")


def _outputs(page: Page, tree: Map, subject: Subject) -> Condition:
    fields.needed(page, tree, "expression", "An ExecutionOutputs")
    test = fields.template(page, tree, "expression", "", subject.sort)
    return Condition(all_of=(_test(f"({subject.outputs} ?? {{}}) is not empty"), Condition(test=test)))


def _retried(page: Page, tree: Map, subject: Subject) -> Condition:
    known = "(trigger.retriedStates ?? [])"
    among = [f"{known} contains '{word}'" for word in states(page, tree, "in")]
    beside = [f"not ({known} contains '{word}')" for word in states(page, tree, "notIn")]
    parts = ([f"({' or '.join(among)})"] if among else []) + [f"({known} is not empty)", *beside]
    return _test(" and ".join(parts))


def _not(page: Page, tree: Map, subject: Subject) -> Condition:
    return Condition(none_of=_some(page, tree, subject, "A Not"))


def _and(page: Page, tree: Map, subject: Subject) -> Condition:
    return Condition(all_of=conditions(page, tree, subject))


def _or(page: Page, tree: Map, subject: Subject) -> Condition:
    return Condition(any_of=_some(page, tree, subject, "An Or"))


def _some(page: Page, tree: Map, subject: Subject, owner: str) -> tuple[Condition, ...]:
    """The conditions of a list that cannot be empty."""
    found = fields.needed(page, tree, "conditions", owner)
    if isinstance(found, Items) and not found.items:
        tell(page, WrongValue, found, f"{owner} needs at least one condition.")
    return conditions(page, tree, subject)


READERS: Final[dict[str, tuple[Reader, tuple[str, ...]]]] = {
    "DateTimeBetween": (_between, ("date", "after", "before")),
    "TimeBetween": (_hours, ("date", "after", "before")),
    "DayWeek": (_day, ("date", "dayOfWeek")),
    "DayWeekInMonth": (_day_in_month, ("date", "dayOfWeek", "dayInMonth")),
    "Weekend": (_weekend, ("date",)),
    "PublicHoliday": (_holiday, ("date", "country", "subDivision")),
    "Expression": (_expression, ("expression",)),
    "Variable": (_expression, ("expression",)),
    "ExecutionFlow": (_of_flow, ("namespace", "flowId")),
    "Flow": (_of_flow, ("namespace", "flowId")),
    "ExecutionNamespace": (_of_namespace, ("namespace", "comparison", "prefix")),
    "FlowNamespace": (_of_namespace, ("namespace", "comparison", "prefix")),
    "ExecutionStatus": (_status, ("in", "notIn")),
    "ExecutionLabels": (_labels, ("labels",)),
    "ExecutionOutputs": (_outputs, ("expression",)),
    "HasRetryAttempt": (_retried, ("in", "notIn")),
    "Not": (_not, ("conditions",)),
    "Or": (_or, ("conditions",)),
    "And": (_and, ("conditions",)),
}
