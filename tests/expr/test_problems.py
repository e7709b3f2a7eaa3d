"""Does an error of an expression say what is wrong, where, and what was probably meant?"""

from __future__ import annotations

import pytest

from penstock.errors import PenstockError, Place
from penstock.errors.expr import (
    ExprFailed,
    ExprLimit,
    ExprSyntaxError,
    NeedsOutside,
    UnknownName,
    UnknownWord,
    WrongArguments,
    WrongType,
)
from penstock.expr import Calls, compile

SCOPE: dict[str, object] = {
    "inputs": {"batch_date": "2016-01-02", "limit": 5, "none": None},
    "outputs": {"load-all": {"rows": [1, 2]}},
}


def failure(text: str, scope: dict[str, object] | None = None, calls: Calls | None = None) -> PenstockError:
    with pytest.raises(PenstockError) as caught:
        compile(text).render(scope if scope is not None else SCOPE, calls or Calls())
    return caught.value


def caret(error: PenstockError) -> str:
    assert error.place is not None
    return error.place.text + "\n" + " " * (error.place.column - 1) + "^"


def test_an_unknown_name_shows_its_line_its_column_and_the_nearest_name() -> None:
    text = "select *\nfrom t where day = '{{ inputs.batch_dat }}'\nlimit 5"

    error = failure(text)

    assert isinstance(error, UnknownName)
    assert error.sentence == "`inputs` has no `batch_dat`."
    assert error.hint == 'Did you mean "batch_date"?'
    assert caret(error) == "from t where day = '{{ inputs.batch_dat }}'\n                              ^"


def test_an_unknown_first_name_is_told_with_the_nearest_variable_in_scope() -> None:
    text = "{% set counter = 1 %}{{ countr }}{{ input }}"

    own, given = failure(text), failure("{{ input.limit }}")

    assert own.hint == 'Did you mean "counter"?'
    assert given.hint == 'Did you mean "inputs"?'


def test_a_name_with_a_hyphen_is_shown_in_brackets() -> None:
    error = failure("{{ outputs.load.rows }}")

    assert error.hint == "A name with a hyphen stands in brackets: `['load-all']`."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{{ inputs.limit.x }}", "`inputs.limit` is a whole number, which has no `x`."),
        ("{{ inputs.none.x }}", "`inputs.none` is null, which has no `x`."),
        ("{{ outputs['load-all'].rows[7] }}", "`outputs['load-all'].rows` is a list of 2, which has no element `7`."),
        ("{{ inputs.batch_date.year }}", "`inputs.batch_date` is text, which has no `year`."),
    ],
)
def test_what_has_no_such_entry_is_named_with_its_kind(text: str, sentence: str) -> None:
    error = failure(text)

    assert isinstance(error, UnknownName)
    assert error.sentence == sentence


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        ("{{ inputs.limit | uper }}", UnknownWord, 'Did you mean "upper"?'),
        ("{{ upper(inputs.limit) }}", UnknownWord, "It is a filter: `| upper`."),
        ("{{ 'a' | slice(fromIndx=1) }}", WrongArguments, 'Did you mean "fromIndex"?'),
        ("{{ 'a' | replace }}", WrongArguments, "It is written `| replace(pairs, regexp=false)`."),
        ("{{ inputs | first }}", WrongType, ""),
        ("{{ inputs.batch_date.upper() }}", ExprSyntaxError, "Use `| upper`."),
        ("{% elif %}", UnknownWord, "Use `elseif`."),
        ("{{ secret('X') }}", NeedsOutside, ""),
        ("{{ now() }}", NeedsOutside, ""),
        ("{{ 'x' | date }}", ExprFailed, "`existingFormat='dd/MM/yyyy'` tells how it is written."),
        ("{{ a && b }}", ExprSyntaxError, "Use `and`."),
    ],
)
def test_an_error_has_a_class_of_its_own_and_says_the_way_round(
    text: str, kind: type[PenstockError], hint: str
) -> None:
    error = failure(text)

    assert type(error) is kind
    assert hint in error.hint


def test_a_place_counts_on_from_where_the_text_stands_in_its_file() -> None:
    outer = Place(12, 9, "flow.yml", "  sql: x {{ a b }}")

    with pytest.raises(ExprSyntaxError) as first:
        compile("x {{ a b }}", outer)
    with pytest.raises(ExprSyntaxError) as second:
        compile("x\n{{ a b }}", outer)

    assert str(first.value.place) == "flow.yml:12:16"
    assert str(second.value.place) == "flow.yml:13:6"


def test_a_tag_that_is_never_ended_is_shown_where_it_begins() -> None:
    error = failure("a\n{% if true %}\nb")

    assert caret(error) == "{% if true %}\n   ^"
    assert "endif" in error.sentence


def test_the_error_of_an_outside_function_is_told_at_its_call() -> None:
    def broken(key: str) -> object:
        raise RuntimeError(f"no key {key}")

    error = failure("x {{ kv('k') }}", calls=Calls(functions={"kv": broken}))

    assert isinstance(error, ExprFailed)
    assert error.sentence == "`kv` failed: no key k"
    assert caret(error) == "x {{ kv('k') }}\n     ^"


def test_a_search_that_would_take_for_ever_is_stopped() -> None:
    error = failure("{{ text | regexMatch('^(a|aa)+$') }}", {"text": "a" * 60 + "!"})

    assert isinstance(error, ExprLimit)
    assert error.sentence == "The pattern takes more than 0.5 s."


@pytest.mark.parametrize(
    "use",
    [
        "{{ x }}",
        "{{ x ~ '' }}",
        "{{ x | toJson | length }}",
        "{{ [x, 1] | distinct | length }}",
        "{{ x == y }}",
        "{{ render(x) }}",
        "{{ x | escapeChar('single') }}",
    ],
)
def test_a_value_that_holds_itself_many_times_over_is_refused(use: str) -> None:
    doubled = "{% for i in range(1, 40) %}{% set x = [x, x] %}{% set y = [y, y] %}{% endfor %}"

    error = failure("{% set x = ['a'] %}{% set y = ['a'] %}" + doubled + use)

    assert isinstance(error, ExprLimit)


def test_an_error_in_a_text_that_is_rendered_again_is_told_where_that_is_asked_for() -> None:
    error = failure("x {{ render(text) }}", {"text": "{{ a ~ nope }}", "a": 1})

    assert isinstance(error, UnknownName)
    assert error.sentence == "There is no `nope` here. At line 1, column 8 of the text that is rendered here."
    assert caret(error) == "x {{ render(text) }}\n     ^"


def test_an_expression_cannot_work_without_end() -> None:
    loop = "{% for i in range(1, 3000) %}{% for j in range(1, 3000) %}{% set x = 1 %}{% endfor %}{% endfor %}"

    error = failure(loop)

    assert isinstance(error, ExprLimit)


@pytest.mark.parametrize(
    "text",
    [
        "{% set s = 'x' %}{% for i in range(1, 64) %}{% set s = s ~ s %}{% endfor %}",
        "{% set s = [1] %}{% for i in range(1, 64) %}{% set s = s + s %}{% endfor %}",
        "{{ range(1, 100000000000) | length }}",
        "{{ 'a' | indent(1000000000000) | nindent(100000000) }}",
        "{{ 'aaaa' | replace({'a': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '': 'x'}) | indent(99999999999) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ render(again) }}",
        "{{ render(grows) }}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "[" * 5000 + "]" * 5000 + " }}",
        "{{ 1" + " + 1" * 5000 + " }}",
        "{{ a" + ".b" * 5000 + " }}",
        "{{ " + "not " * 5000 + "true }}",
        "{{ " + "- " * 5000 + "1 }}",
        "{{ " + "true ? 1 : " * 5000 + "2 }}",
        "{% if true %}" * 5000,
        '{{ "' + '#{"' * 5000 + " }}",
    ],
)
def test_size_and_depth_are_limited_before_they_hurt(text: str) -> None:
    scope: dict[str, object] = {"again": "{{ render(again) }}", "grows": "{{ grows ~ 'x' }}"}

    error = failure(text, scope)

    assert isinstance(error, (ExprLimit, ExprSyntaxError))
