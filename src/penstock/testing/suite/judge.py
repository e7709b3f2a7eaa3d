"""Is what a case asserts true? Each operator's verdict, and where it is not, what was expected beside what was."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock import expr
from penstock.dialects.kestra.suites import Assertion, Check
from penstock.engine.scope import plain
from penstock.errors import PenstockError, Place
from penstock.errors.expr import ExprFailed, UnknownName
from penstock.model.plan import ROOT
from penstock.services.core import Core
from penstock.services.reading import load, with_parts
from penstock.services.render import worker_calls, worker_scope
from penstock.store import steps

WORDS: Final = {
    "isNull": "be null",
    "isNotNull": "not be null",
    "equalTo": "equal",
    "notEqualTo": "not equal",
    "contains": "contain",
    "startsWith": "start with",
    "endsWith": "end with",
    "greaterThan": "be greater than",
    "greaterThanOrEqualTo": "be at least",
    "lessThan": "be less than",
    "lessThanOrEqualTo": "be at most",
    "in": "be one of",
    "notIn": "be none of",
}
WIDE: Final = 100


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One operator of an assertion as it came out; `trouble` says why it could not be judged."""

    place: Place
    value: str
    operator: str
    expected: object = None
    actual: object = None
    ok: bool = False
    trouble: str = ""
    task: str = ""
    message: str = ""
    description: str = ""

    @property
    def sentence(self) -> str:
        """What should be true, in a line; the words of its author where there are some."""
        if self.message:
            return self.message
        if self.trouble:
            return f"{self.value}: {self.trouble}"
        other = "" if self.operator in ("isNull", "isNotNull") else f" {brief(self.expected)}"
        return f"{self.value} should {WORDS[self.operator]}{other}"


class Judge:
    """Judges the assertions about one run that is over."""

    def __init__(self, core: Core, run_id: str, files: Mapping[str, str]) -> None:
        self._core = core
        self._loaded = load(core, run_id)
        self._files = dict(files)

    def judge(self, assertion: Assertion) -> list[Verdict]:
        """The verdict of every operator of an assertion."""
        wants_null = any(
            check.operator in ("isNull", "isNotNull") and (check.operator == "isNull") is (check.expected is True)
            for check in assertion.checks
        )
        blank = Verdict(
            place=assertion.place,
            value=_written(assertion.value),
            operator=assertion.checks[0].operator,
            task=assertion.task,
            description=assertion.description,
        )
        try:
            key = self._key(assertion.task)
            message = str(self._value(assertion.message, key)) if assertion.message else ""
            actual = self._value(assertion.value, key)
        except PenstockError as error:
            if not (wants_null and isinstance(error, UnknownName)):
                trouble = f"{error.sentence} {error.hint}".strip()
                return [replace(blank, trouble=trouble)]
            message, actual = assertion.message, None
        told = replace(blank, message=message, actual=actual)
        return [self._one(check, key, told) for check in assertion.checks]

    def _one(self, check: Check, key: str, told: Verdict) -> Verdict:
        expected: object = check.expected
        try:
            expected = self._value(check.expected, key)
            ok, trouble = holds(check.operator, told.actual, expected), ""
        except PenstockError as error:
            ok, trouble = False, f"{error.sentence} {error.hint}".strip()
        return replace(told, place=check.place, operator=check.operator, expected=expected, ok=ok, trouble=trouble)

    def _value(self, written: object, key: str) -> object:
        core, loaded = self._core, self._loaded
        calls = worker_calls(core, loaded, set())

        def value() -> object:
            scope = worker_scope(core, loaded, key, set()) | {"files": self._files}
            if isinstance(written, str):
                return plain(expr.compile(written).value(scope, calls))
            return plain(expr.render(written, scope, calls))

        return with_parts(core, loaded, value)

    def _key(self, task: str) -> str:
        """The step as which a task's assertion sees the run: its first one."""
        if not task or task not in self._loaded.plan.seats:
            return ROOT
        run = self._loaded.run.id
        found = self._core.store.read(lambda tx: steps.of_nodes(tx, run, [task]))
        return min((step.key for step in found), key=lambda name: (len(name), name), default=ROOT)


def holds(operator: str, actual: object, expected: object) -> bool:
    """Whether a value is as an operator wants it. Raises ExprFailed where the two cannot be compared."""
    match operator:
        case "isNull":
            return (actual is None) is bool(expected)
        case "isNotNull":
            return (actual is not None) is bool(expected)
        case "equalTo":
            return same(actual, expected)
        case "notEqualTo":
            return not same(actual, expected)
        case "contains":
            return _contains(actual, expected)
        case "startsWith":
            return text(actual).startswith(text(expected))
        case "endsWith":
            return text(actual).endswith(text(expected))
        case "in":
            return any(same(actual, each) for each in _list(expected))
        case "notIn":
            return not any(same(actual, each) for each in _list(expected))
        case "greaterThan":
            return _number(actual) > _number(expected)
        case "greaterThanOrEqualTo":
            return _number(actual) >= _number(expected)
        case "lessThan":
            return _number(actual) < _number(expected)
        case _:
            return _number(actual) <= _number(expected)


def same(one: object, other: object) -> bool:
    """Whether two values are the same: 200 and "200" are, a list and its JSON text are."""
    if isinstance(one, dict | list) or isinstance(other, dict | list):
        one, other = _parsed(one), _parsed(other)
        if isinstance(one, dict) and isinstance(other, dict):
            return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(map(same, one, other))
        return False
    if one is None or other is None:
        return one is other
    both = isinstance(one, int | float) and isinstance(other, int | float)
    if both and not isinstance(one, bool) and not isinstance(other, bool):
        return one == other
    return text(one) == text(other)


def text(value: object) -> str:
    """A value as an expression prints it."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case _:
            return str(value)


def brief(value: object) -> str:
    """A value in a line: text in quotation marks, all else as JSON."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    return line if len(line) <= WIDE else f"{line[:WIDE]}…"


def difference(verdict: Verdict) -> list[str]:
    """What was expected beside what was, in lines: of long values only where they differ."""
    if verdict.trouble:
        return []
    if verdict.operator in ("isNull", "isNotNull"):
        return [f"was       {brief(verdict.actual)}"]
    expected, actual = _lines(verdict.expected), _lines(verdict.actual)
    if verdict.operator == "equalTo" and (len(expected) > 1 or len(actual) > 1):
        found = difflib.unified_diff(expected, actual, "expected", "was", lineterm="", n=2)
        return [line for line in found if not line.startswith("@@")]
    lines = [f"expected  {brief(verdict.expected)}", f"was       {brief(verdict.actual)}"]
    if verdict.operator == "equalTo" and isinstance(verdict.expected, str) and isinstance(verdict.actual, str):
        lines.append(" " * (10 + _differ_at(lines[0][10:], lines[1][10:])) + "^")
    return lines


def _differ_at(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _lines(value: object) -> list[str]:
    value = _parsed(value)
    whole = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return whole.splitlines() or [""]


def _contains(actual: object, expected: object) -> bool:
    match actual:
        case list():
            return any(same(each, expected) for each in actual) or text(expected) in text(actual)
        case dict():
            return text(expected) in actual or text(expected) in text(actual)
        case _:
            return text(expected) in text(actual)


def _list(value: object) -> list[object]:
    found = _parsed(value)
    if not isinstance(found, list):
        raise ExprFailed(f"A list was expected to look in, not {brief(value)}.")
    return found


def _number(value: object) -> float:
    try:
        if value is None or isinstance(value, bool | dict | list):
            raise ValueError
        return float(str(value))
    except ValueError:
        raise ExprFailed(f"{brief(value)} is no number.") from None


def _parsed(value: object) -> object:
    """The list or map that a text holds as JSON; other values as they are."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _written(value: object) -> str:
    return value if isinstance(value, str) else brief(value)
