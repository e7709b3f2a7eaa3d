"""How are triggers written? Their conditions as the types of conditions say them, all else as it was read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from penstock.dialects.kestra.rewriting.order import TRIGGER, arranged
from penstock.dialects.kestra.triggers import COMMON, MINUTE, short
from penstock.dialects.kestra.upstream import KINDS
from penstock.dialects.kestra.writing.parts import Written, kept, span, texts
from penstock.dialects.kestra.writing.schedules import timed
from penstock.errors.flow import CannotWrite
from penstock.model.trigger import (
    Condition,
    Dates,
    Interval,
    Listening,
    OnRuns,
    Polling,
    Rule,
    Schedule,
    Trigger,
    Upstream,
    Webhook,
    Window,
    WindowKind,
)

PACKAGE: Final = "io.kestra.plugin.core.condition."
WORDS: Final = {
    Schedule: "Schedule",
    Interval: "Schedule",
    Rule: "Schedule",
    Dates: "ScheduleOnDates",
    Webhook: "Webhook",
    OnRuns: "Flow",
}
NAMES: Final = {kind: name for name, kind in KINDS.items()}


def trigger(made: Trigger, version: str) -> Written:
    """One trigger. Raises CannotWrite for what the language has no words for."""
    if short(made.type) != WORDS.get(type(made), ""):
        raise CannotWrite(f'A trigger of type "{made.type}" is read as another: "{made.id}".')
    head: Written = {"id": made.id, "type": made.type, **kept(description=made.description, disabled=made.disabled)}
    tail = kept(
        stopAfter=[status.value.upper() for status in made.stop_after],
        allowConcurrent=made.side_by_side,
        logLevel=made.log_level,
        inputs=made.inputs,
        labels=texts(made.labels, f'the trigger "{made.id}"'),
    )
    own = _own(made)
    several = own.pop("several", None)
    wanted = [*([several] if several else []), *conditions(made.when)]
    if version == "2" and len(made.when) == 1 and made.when[0].test and not several:
        return arranged({**head, **own, "when": made.when[0].test, **tail}, TRIGGER)
    return arranged({**head, **own, **kept(conditions=wanted), **tail}, TRIGGER)


def _own(made: Trigger) -> Written:
    match made:
        case Schedule():
            return {"cron": made.cron, **kept(withSeconds=made.seconds), **timed(made)}
        case Interval():
            return {"every": span(made.every), **kept(anchor=made.anchor), **timed(made)}
        case Rule():
            return {"rrule": made.rule, **kept(anchor=made.anchor), **timed(made)}
        case Dates():
            return {"dates": list(made.dates), **timed(made)}
        case Webhook():
            own = kept(wait=made.wait, returnOutputs=made.returns_outputs, signature=_signature(made))
            return {"key": made.key, **own}
        case OnRuns():
            states = [status.value.upper() for status in made.states]
            return {"states": states, **kept(several=_several(made))}
        case Polling():
            every = {} if made.interval == MINUTE else {"interval": span(made.interval)}
            return {**every, **_properties(made.properties, "interval"), **_looks(made)}
        case Listening():
            return {**_properties(made.properties), **_looks(made)}


def _signature(made: Webhook) -> Written:
    signed = made.signature
    if signed is None:
        return {}
    return {
        "header": signed.header,
        "secret": signed.secret,
        "algorithm": signed.algorithm.upper(),
        "encoding": signed.encoding.upper(),
        **kept(prefix=signed.prefix),
        **({} if signed.tolerance is None else {"tolerance": span(signed.tolerance)}),
    }


def _properties(properties: Written, *taken: str) -> Written:
    if wrong := properties.keys() & {*COMMON, *taken}:
        raise CannotWrite(f"These properties of a trigger are what every trigger has: {', '.join(sorted(wrong))}.")
    return dict(properties)


def _looks(made: Polling | Listening) -> Written:
    """Who looks, and what becomes of a look that fails."""
    who = {} if made.queue == "default" else {"workerGroup": {"key": made.queue}}
    return {**who, **kept(failOnTriggerError=made.fails_run)}


def conditions(made: Iterable[Condition]) -> list[Written]:
    """Conditions that must all hold."""
    return [_condition(each) for each in made]


def _condition(made: Condition) -> Written:
    for word, several in (("Or", made.any_of), ("And", made.all_of), ("Not", made.none_of)):
        if several:
            return {"type": PACKAGE + word, "conditions": conditions(several)}
    return {"type": f"{PACKAGE}Expression", "expression": made.test}


def _several(made: OnRuns) -> Written:
    """The runs of several flows that are waited for."""
    if not made.waits_for:
        if made.window != Window() or made.least or not made.reset:
            raise CannotWrite(f'The trigger "{made.id}" has a window, and waits for nothing in it.')
        return {}
    if len({each.name for each in made.waits_for}) != len(made.waits_for):
        raise CannotWrite(f'The trigger "{made.id}" waits for two things of one name.')
    return {
        "id": "several",
        "type": f"{PACKAGE}MultipleCondition",
        **kept(timeWindow=_window(made.window), minSatisfied=made.least),
        **({} if made.reset else {"resetOnSuccess": False}),
        "conditions": {each.name: _upstream(each) for each in made.waits_for},
    }


def _upstream(made: Upstream) -> Written:
    if not made.when:
        raise CannotWrite(f'What "{made.name}" waits for is not said.')
    return _condition(made.when[0] if len(made.when) == 1 else Condition(all_of=made.when))


def _window(made: Window) -> Written:
    if made == Window():
        return {}
    if made.timezone:
        raise CannotWrite(f"A window of the time zone {made.timezone} has no words beside a MultipleCondition.")
    if made.kind is WindowKind.DEADLINE:
        end: Written = {"deadline": made.end}
    else:
        end = kept(endTime=made.end)
    lengths = {name: span(length) for name, length in (("window", made.length), ("windowAdvance", made.advance))}
    lengths = {name: each for name, each in lengths.items() if each is not None}
    return {"type": NAMES[made.kind], **lengths, **kept(startTime=made.begin), **end}
