"""How are the small parts of a flow written? Inputs, outputs, policies, limits, labels, durations, as plain maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.dialects.kestra.rewriting.order import INPUT, OUTPUT, arranged
from penstock.errors.flow import CannotWrite
from penstock.model.inputs import Input, Output
from penstock.model.policy import Backoff, Cache, Check, Limit, Retry, Sensor, Sla, WhenFull

SECOND: Final = 1_000_000
UNITS: Final = ((3_600 * SECOND, "H"), (60 * SECOND, "M"))
DAY: Final = 86_400 * SECOND
BREACHES: Final = {"fail": "FAIL", "cancel": "CANCEL", "label": "NONE"}
UNMET: Final = {"block": "BLOCK_EXECUTION", "fail": "FAIL_EXECUTION", "go_on": "CREATE_EXECUTION"}
TIMES: Final = ("DATE", "TIME", "DATETIME")
Written = dict[str, object]


def kept(**parts: object) -> Written:
    """The parts that say something; empty ones are left out."""
    return {name: part for name, part in parts.items() if part not in (None, "", [], {}, False)}


def span(micros: int | None) -> str | None:
    """Microseconds as an ISO-8601 duration."""
    if micros is None:
        return None
    days, rest = divmod(micros, DAY)
    text = f"P{days}D" if days else "P"
    if rest or not days:
        text += "T"
        for size, letter in UNITS:
            count, rest = divmod(rest, size)
            text += f"{count}{letter}" if count else ""
        whole, part = divmod(rest, SECOND)
        if whole or part or text.endswith("T"):
            fraction = f".{part:06d}".rstrip("0") if part else ""
            text += f"{whole}{fraction}S"
    return text


def texts(values: Mapping[str, object], what: str) -> Written:
    """Labels, each of which is text. Raises CannotWrite."""
    for name, value in values.items():
        if not isinstance(value, str):
            raise CannotWrite(f'The label "{name}" of {what} is no text.')
    return dict(values)


def declared(made: Input, version: str) -> Written:
    """One input."""
    kind = "BOOL" if version == "2" and made.type == "BOOLEAN" else made.type
    item = "BOOL" if version == "2" and made.item_type == "BOOLEAN" else made.item_type
    low, high = ("after", "before") if made.type in TIMES else ("min", "max")
    written: Written = {"id": made.id, "type": kind}
    written |= kept(displayName=made.display_name, description=made.description)
    if not made.required:
        written["required"] = False
    if made.has_default:
        written["defaults"] = made.default
    written |= kept(
        itemType=item,
        values=list(made.values),
        expression=made.expression,
        allowCustomValue=made.allow_custom,
        validator=made.validator,
        allowedFileExtensions=list(made.extensions),
    )
    written |= {name: bound for name, bound in ((low, made.least), (high, made.most)) if bound is not None}
    if made.depends_on or made.condition:
        written["dependsOn"] = {"inputs": list(made.depends_on), **kept(condition=made.condition)}
    return arranged(written, INPUT)


def handed(made: Output) -> Written:
    """One output of a flow or a loop."""
    written: Written = {"id": made.id, "type": made.type, "value": made.value}
    written |= ({} if made.required else {"required": False}) | kept(description=made.description)
    return arranged(written, OUTPUT)


def retried(made: Retry | None, version: str) -> Written:
    """A retry policy, as the property `retry`. Raises CannotWrite for one that the version has no word for."""
    if made is None:
        return {}
    old = version == "0.20"
    kind = made.backoff.value
    if made.backoff in (Backoff.LINEAR, Backoff.EXPONENTIAL):
        if (made.backoff is Backoff.LINEAR) != old:
            raise CannotWrite(f"Version {version} of the language has no waits that grow so ({kind}).")
        kind = "exponential"
    if made.warn_after != (2 if old else 1) or (kind != "exponential" and made.factor != 2.0):
        raise CannotWrite(f"Version {version} of the language cannot say this retry.")
    if (made.cap is None) != (kind == "constant"):
        raise CannotWrite(f"A retry of type {kind} {'has no' if kind == 'constant' else 'needs a'} longest wait.")
    written: Written = {"type": kind, "minInterval" if kind == "random" else "interval": span(made.interval)}
    written |= kept(maxInterval=span(made.cap))
    if kind == "exponential" and made.factor != 2.0:
        written["delayFactor"] = made.factor
    return {
        "retry": written
        | kept(
            maxAttempts=made.max_attempts,
            maxDuration=span(made.max_duration),
            warningOnRetry=made.warn,
            behavior="CREATE_NEW_EXECUTION" if made.new_run else "",
            jitter=made.jitter,
            exitCodes=list(made.exit_codes),
            errorKinds=list(made.kinds),
        )
    }


def level(made: Sla) -> Written:
    """One service level."""
    kind = "EXECUTION_ASSERTION" if made.duration is None else "MAX_DURATION"
    said = {"assert": made.condition} if made.duration is None else {"duration": span(made.duration)}
    more = kept(labels=texts(made.labels, f'the service level "{made.id}"'))
    return {"id": made.id, "type": kind, **said, "behavior": BREACHES[made.breach.value], **more}


def checked(made: Check) -> Written:
    """One check."""
    return {
        "condition": made.condition,
        "message": made.message,
        "style": made.style.upper(),
        "behavior": UNMET[made.unmet.value],
    }


def concurrency(limits: tuple[Limit, ...]) -> Written:
    """The limit of a flow, as the property `concurrency`."""
    if not limits:
        return {}
    if len(limits) > 1 or limits[0].weight != 1 or not limits[0].count:
        raise CannotWrite("The language knows one limit of a flow, of which each run takes one.")
    made = limits[0]
    more = kept(per=span(made.window), key=made.key, name=made.name)
    return {"concurrency": {"limit": made.count, "behavior": made.when_full.value.upper(), **more}}


def limited(limits: tuple[Limit, ...]) -> Written:
    """The limits of a task, as the properties `pools` and `limits`."""
    pools = [each for each in limits if not each.count]
    rest = [each for each in limits if each.count]
    odd = any(not each.name or each.key or each.window is not None for each in pools)
    if odd or (*pools, *rest) != limits or any(each.when_full is not WhenFull.QUEUE for each in limits):
        raise CannotWrite("A task waits for its pools first, then for its other limits; it is not refused by them.")
    if len({each.name for each in pools}) != len(pools):
        raise CannotWrite("A task can wait for a pool once.")
    written = [
        {
            "count": each.count,
            **kept(
                per=span(each.window), key=each.key, name=each.name, weight=each.weight if each.weight > 1 else None
            ),
        }
        for each in rest
    ]
    return kept(pools={each.name: each.weight for each in pools}, limits=written)


def cached(made: Cache | None) -> Written:
    """A task's cache, as the property `taskCache`."""
    if made is None:
        return {}
    return {"taskCache": {"enabled": True, **kept(ttl=span(made.ttl), key=made.key, version=made.version)}}


def watching(made: Sensor | None) -> Written:
    """How a task waits, as the property `sensor`."""
    if made is None:
        return {}
    more = kept(deadline=span(made.longest), softFail=made.soft)
    return {"sensor": {"interval": span(made.interval), **more}}
