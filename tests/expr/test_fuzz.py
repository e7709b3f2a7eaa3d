"""Can any text, or any data, make the language fail in another way than with an error of its own?"""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import PenstockError
from penstock.expr import Calls, check, compile
from penstock.expr.registry import FILTERS, FUNCTIONS, TESTS

CALLS = Calls(now=datetime(2024, 1, 2, tzinfo=UTC), fuel=20_000, output=200_000)

_SPELLED = """
    {{ }} {% %} {# #} {{- -}} #{ } { ( ) [ ] , : ? | ~ .. . + - * / % == != < > <= >= ?? ??? ?: = ' " \\ é \0
    and or not is contains isIn equals true null if else elseif endif for in endfor set raw endraw
    filter endfilter macro endmacro block endblock a m.x l[0] 'a' 1 2.5 loop render(x) upper defined "b#{a}" date('y')
"""
WORDS = st.sampled_from([*_SPELLED.split(), "\n", " "])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.datetimes(timezones=st.timezones()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
OPERANDS = st.sampled_from(["v", "w", "m.x", "l", "'text'", "1", "2.5", "null", "[v, w]", "{'k': v}", "-3", "now()"])
OPERATORS = st.sampled_from(
    ["+", "-", "*", "/", "%", "~", "==", "<", ">=", "contains", "isIn", "..", "??", "and", "or"]
)


def evaluated(text: str, scope: dict[str, object]) -> None:
    """Compile, check and render; only errors of our own may come out."""
    try:
        template = compile(text)
        check(template, dict.fromkeys(scope))
        template.render(scope, CALLS)
        template.value(scope, CALLS)
    except PenstockError as error:
        assert error.place is not None
        assert error.sentence


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    evaluated(text, {})
    evaluated("{{" + text + "}}", {})


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=25))
def test_any_row_of_the_languages_words_is_read_or_refused(words: list[str]) -> None:
    scope: dict[str, object] = {"a": 1, "m": {"x": None}, "l": [[1]], "x": "{{ a }}{{ x }}"}

    evaluated(" ".join(words), scope)
    evaluated("{{ " + " ".join(words) + " }}", scope)
    evaluated("".join(words), scope)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(FILTERS)), VALUES, st.lists(OPERANDS, max_size=3), VALUES)
def test_any_filter_takes_any_data_or_refuses_it(name: str, value: object, arguments: list[str], other: object) -> None:
    scope = {"v": value, "w": other, "m": {"x": other}, "l": [value]}

    evaluated(f"{{{{ v | {name}({', '.join(arguments)}) }}}}", scope)
    evaluated(f"{{{{ v | {name} | {name} }}}}", scope)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(FUNCTIONS)), st.sampled_from(sorted(TESTS)), VALUES, st.lists(OPERANDS, max_size=3), VALUES
)
def test_any_function_or_test_takes_any_data_or_refuses_it(
    name: str, test: str, value: object, arguments: list[str], other: object
) -> None:
    scope = {"v": value, "w": other, "m": {"x": other}, "l": [value]}

    evaluated(f"{{{{ {name}({', '.join(['v', *arguments])}) }}}}", scope)
    evaluated(f"{{{{ v is {test} }}}} {{{{ v is not {test}(w) }}}}", scope)


@settings(max_examples=200, deadline=None)
@given(OPERANDS, OPERATORS, OPERANDS, OPERATORS, OPERANDS, VALUES, VALUES)
def test_any_operator_takes_any_two_values_or_refuses_them(
    a: str, one: str, b: str, two: str, c: str, value: object, other: object
) -> None:
    scope = {"v": value, "w": other, "m": {"x": other}, "l": [value, other]}

    evaluated(f"{{{{ {a} {one} {b} {two} {c} }}}}", scope)
    evaluated(f"{{% for i in {a} %}}{{{{ i {one} v }}}}{{% endfor %}}{{{{ -({b}) }}}}{{{{ w[{c}] }}}}", scope)


@settings(deadline=None)
@given(st.text(max_size=30), VALUES, st.sampled_from(["date", "dateAdd(1, 'MONTHS',", "timestamp", "numberFormat("]))
def test_any_pattern_writes_and_reads_any_value_or_is_refused(pattern: str, value: object, word: str) -> None:
    scope = {"v": value, "p": pattern}

    evaluated("{{ v | date(p) }}", scope)
    evaluated("{{ v | date(existingFormat=p) }}", scope)
    evaluated("{{ p | date('iso', timeZone=p, locale=p) }}", scope)
    evaluated("{{ v | numberFormat(p) }}", scope)
    evaluated("{{ p | split(p) | join(p) }}{{ p | regexReplace(p, p) }}", scope)
