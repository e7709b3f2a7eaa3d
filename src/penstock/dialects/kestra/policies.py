"""How often, how long? `retry` and `sla` become policy values."""

from __future__ import annotations

from typing import Final

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.labels import labels
from penstock.dialects.kestra.page import Page, key_of, tell
from penstock.dialects.kestra.tree import Map, Scalar, as_text
from penstock.errors import Severity, nearest
from penstock.errors.flow import BadPolicy, Deprecated, MissingProperty, UnknownType, WrongValue
from penstock.model.policy import Backoff, Breach, Check, IfUnmet, Retry, Sla
from penstock.model.run import ErrorKind

COMMON: Final = (
    "type",
    "maxAttempt",
    "maxAttempts",
    "maxDuration",
    "warningOnRetry",
    "behavior",
    "jitter",
    "exitCodes",
    "errorKinds",
)
BREACHES: Final = {"FAIL": Breach.FAIL, "CANCEL": Breach.CANCEL, "NONE": Breach.LABEL}
UNMET: Final = {
    "BLOCK_EXECUTION": IfUnmet.BLOCK,
    "FAIL_EXECUTION": IfUnmet.FAIL,
    "CREATE_EXECUTION": IfUnmet.GO_ON,
}
OWN: Final = {
    "constant": ("interval",),
    "exponential": ("interval", "maxInterval", "delayFactor"),
    "random": ("minInterval", "maxInterval"),
}
NEEDED: Final = {
    "constant": ("interval",),
    "exponential": ("interval", "maxInterval"),
    "random": ("minInterval", "maxInterval"),
}


def retry(page: Page, tree: Map, name: str = "retry") -> Retry | None:
    """The retry policy of a task, a group or a flow."""
    found = fields.mapping(page, tree, name)
    if found is None:
        return None
    kind = _kind(page, found)
    if not kind:
        return None
    fields.known(page, found, (*COMMON, *OWN[kind]), f"A retry of type {kind}")
    first = "minInterval" if kind == "random" else "interval"
    for each in NEEDED[kind]:
        fields.needed(page, found, each, f"A retry of type {kind}")
    behavior = fields.choice(
        page, found, "behavior", ("RETRY_FAILED_TASK", "CREATE_NEW_EXECUTION"), "RETRY_FAILED_TASK"
    )
    old = page.version == "0.20"
    made = Retry(
        backoff=_backoff(kind, old),
        interval=fields.duration(page, found, first) or 0,
        factor=_factor(page, found, old),
        cap=fields.duration(page, found, "maxInterval"),
        jitter=_jitter(page, found),
        max_attempts=_attempts(page, found),
        max_duration=fields.duration(page, found, "maxDuration"),
        warn=fields.flag(page, found, "warningOnRetry"),
        warn_after=2 if old else 1,
        new_run=behavior == "CREATE_NEW_EXECUTION",
        exit_codes=_exit_codes(page, found),
        kinds=_kinds(page, found),
    )
    _consistent(page, found, made, first)
    return made


def levels(page: Page, tree: Map) -> tuple[Sla, ...]:
    """The service levels of a flow."""
    made = []
    for item in fields.maps(page, tree, "sla", "A service level"):
        fields.known(page, item, ("id", "type", "behavior", "labels", "duration", "assert"), "A service level")
        fields.needed(page, item, "id", "A service level")
        fields.needed(page, item, "behavior", "A service level")
        kind = fields.choice(page, item, "type", ("MAX_DURATION", "EXECUTION_ASSERTION"), "")
        word = fields.choice(page, item, "behavior", tuple(BREACHES), "NONE")
        by_time = kind == "MAX_DURATION"
        fields.needed(page, item, "duration" if by_time else "assert" if kind else "type", "A service level")
        made.append(
            Sla(
                id=fields.text(page, item, "id"),
                duration=fields.duration(page, item, "duration") if by_time else None,
                condition="" if by_time else fields.template(page, item, "assert", "", "output"),
                breach=BREACHES[word],
                labels=dict(labels(page, item)),
            )
        )
    return tuple(made)


def checks(page: Page, tree: Map) -> tuple[Check, ...]:
    """What must be true of a run before it begins."""
    made = []
    for item in fields.maps(page, tree, "checks", "A check"):
        fields.known(page, item, ("condition", "when", "message", "style", "behavior"), "A check")
        word = "when" if fields.given(item, "when") is not None else "condition"
        fields.needed(page, item, word, "A check")
        fields.needed(page, item, "message", "A check")
        behavior = fields.choice(page, item, "behavior", tuple(UNMET), "BLOCK_EXECUTION")
        made.append(
            Check(
                condition=fields.template(page, item, word, "", "check"),
                message=fields.text(page, item, "message"),
                style=fields.choice(page, item, "style", ("INFO", "ERROR", "SUCCESS", "WARNING"), "INFO").lower(),
                unmet=UNMET[behavior],
            )
        )
    return tuple(made)


def _kind(page: Page, found: Map) -> str:
    written = fields.given(found, "type")
    if written is None:
        hint = f"It is one of {', '.join(OWN)}."
        tell(page, MissingProperty, key_of(found, "type"), 'A retry needs the property "type".', hint)
        return ""
    word = as_text(written) if isinstance(written, Scalar) else ""
    if word in OWN:
        return word
    hint = nearest(word, OWN) or f"It is one of {', '.join(OWN)}."
    tell(page, UnknownType, written, f'There is no retry of type "{word}".', hint)
    return ""


def _backoff(kind: str, old: bool) -> Backoff:
    if kind == "exponential":
        # The release 0.20 multiplies by the number of attempts; spec section 18.
        return Backoff.LINEAR if old else Backoff.EXPONENTIAL
    return Backoff(kind)


def _factor(page: Page, found: Map, old: bool) -> float:
    factor = fields.number(page, found, "delayFactor", 2.0)
    if not 0 < factor <= 1000:
        tell(page, WrongValue, found.entries["delayFactor"], f'"delayFactor" is {factor:g}; it must be above 0.')
        return 2.0
    return float(int(factor)) if old else factor


def _jitter(page: Page, found: Map) -> float:
    jitter = fields.number(page, found, "jitter", 0.0)
    if not 0 <= jitter <= 1:
        tell(
            page, WrongValue, found.entries["jitter"], f'"jitter" is {jitter:g}; it is a part of the wait, from 0 to 1.'
        )
        return 0.0
    return jitter


def _attempts(page: Page, found: Map) -> int | None:
    if page.version == "2" and "maxAttempt" in found.entries:
        sentence = '"maxAttempt" is called "maxAttempts" in version 2.'
        tell(page, Deprecated, found.keys["maxAttempt"], sentence, severity=Severity.NOTE)
    newer = fields.whole(page, found, "maxAttempts", least=1)
    older = fields.whole(page, found, "maxAttempt", least=1)
    return newer if newer is not None else older


def _exit_codes(page: Page, found: Map) -> tuple[int, ...]:
    codes = []
    for item in fields.items(page, found, "exitCodes"):
        value = item.value if isinstance(item, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
            codes.append(value)
        else:
            tell(page, WrongValue, item, "An exit code is a whole number from 0 to 255.")
    return tuple(codes)


def _kinds(page: Page, found: Map) -> tuple[str, ...]:
    words = [str(kind) for kind in ErrorKind]
    kinds = []
    for item in fields.items(page, found, "errorKinds"):
        word = as_text(item) if isinstance(item, Scalar) else ""
        if word.lower() in words:
            kinds.append(word.lower())
        else:
            hint = nearest(word.lower(), words) or f"It is one of {', '.join(words)}."
            tell(page, UnknownType, item, f'There is no kind of error "{word}".', hint)
    return tuple(kinds)


def _consistent(page: Page, found: Map, made: Retry, first: str) -> None:
    if made.max_duration is not None and made.interval and made.interval >= made.max_duration:
        sentence = f'"{first}" must be shorter than "maxDuration".'
        tell(page, BadPolicy, found.entries[first], sentence, "The time would be over before the second attempt.")
    if made.cap is not None and made.interval and made.interval >= made.cap:
        tell(page, BadPolicy, found.entries[first], f'"{first}" must be shorter than "maxInterval".')
