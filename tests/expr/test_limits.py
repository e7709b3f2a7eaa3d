"""Does every expression end in its time and its size, whatever it is made of?"""

from __future__ import annotations

import itertools
import time

import pytest

from penstock.errors import PenstockError
from penstock.errors.expr import ExprFailed, ExprLimit, UnknownWord
from penstock.expr import Calls, compile

SCOPE: dict[str, object] = {
    "l": list(range(100)),
    "s": "x" * 100,
    "m": {"a": 1},
    "deep": "{{ deep }}x",
    "y": "a" * 60 + "!",
}


@pytest.mark.parametrize(
    "text",
    [
        "{{ l | jq('[range(1e12)] | length') }}",
        "{{ l | jq('def f: f; f') }}",
        "{{ l | jq('[limit(1e9; repeat(1))] | length') }}",
        "{{ l | jq('until(false; .)') }}",
        "{{ l | jq('reduce range(1e9) as $x (0; . + 1)') }}",
        "{{ l | jq('[.[] as $a | .[] as $b | .[] as $c | .[] as $d | 1] | length') }}",
        "{{ l | jq('[.,.] | [.,.] | [.,.] | [.,.] | [.,.] | [.,.] | [.,.] | [.,.] | [.,.] | [.,.] | [.,.] | [.,.] | "
        "[.,.] | [.,.] | [.,.] | [..] | length') }}",
        "{{ l | jq('\"x\" * 1e9') }}",
        "{{ l | jq('.[1e9] = 1') }}",
        "{{ s | jq('.') }}",
        "{{ [y] | jq('.[0] | test(\"(a|aa)+$\")') }}",
        "{{ y | regexMatch('(a|aa)+$') }}",
        "{% for a in l %}{% for b in l %}{% for c in l %}{{ a }}{% endfor %}{% endfor %}{% endfor %}",
        "{{ range(1, 100000000) | length }}",
        "{{ yaml('a: ' ~ s) | jq('[recurse(.)] | length') }}",
        "{% macro a(x) %}{{ a(x) }}{% endmacro %}{{ a(1) }}",
        "{{ render(deep) }}",
        "{{ '%100000000d' | format(1) }}",
        "{{ 1 | numberFormat('" + "0" * 200 + "') }}",
    ],
)
def test_what_would_not_end_is_refused_in_time(text: str) -> None:
    began = time.process_time()

    with pytest.raises(PenstockError):
        compile(text).render(SCOPE, Calls(fuel=200_000))

    assert time.process_time() - began < 5


def test_an_evaluation_with_a_clock_ends_when_its_time_is_over() -> None:
    ticks = itertools.count(0, 100_000)
    calls = Calls(clock=lambda: next(ticks))

    with pytest.raises(ExprLimit, match="more than 1 s"):
        compile("{% for a in l %}{% for b in l %}{% for c in l %}{% endfor %}{% endfor %}{% endfor %}").render(
            SCOPE, calls
        )


def test_the_time_that_others_take_is_not_an_expressions_own() -> None:
    now = [0]

    def slow() -> str:
        now[0] += 30_000_000
        return "done"

    calls = Calls(clock=lambda: now[0], functions={"uuid": slow})

    assert (
        compile("{{ uuid() }}{% for a in l %}{% for b in l %}{% endfor %}{% endfor %}").render(SCOPE, calls) == "done"
    )


def test_an_output_beyond_its_limit_is_refused() -> None:
    with pytest.raises(ExprLimit):
        compile("{% for a in l %}{{ s }}{% endfor %}").render(SCOPE, Calls(output=1_000))


def test_a_setting_renders_again_what_comes_out() -> None:
    scope: dict[str, object] = {"a": "{{ b }}", "b": "{{ c }}!", "c": 1, "l": [1]}
    calls = Calls(recursive=True)

    assert compile("{{ a }}").render(scope, calls) == "1!"
    assert compile("x{{ a }}{% raw %}{{ a }}{% endraw %}").render(scope, calls) == "x1!{{ a }}"
    assert compile("{{ l }}").value(scope, calls) == [1]
    assert compile("{{ a }}").value(scope, calls) == "1!"
    assert compile("{{ a }}").render(scope) == "{{ b }}"


def test_there_is_no_render_where_everything_is_rendered_again() -> None:
    with pytest.raises(UnknownWord):
        compile("{{ render('x') }}").render({}, Calls(recursive=True))


def test_what_renders_itself_for_ever_is_refused() -> None:
    with pytest.raises(ExprLimit, match="100 times"):
        compile("{{ deep }}").render(SCOPE, Calls(recursive=True))


@pytest.mark.parametrize("version", ["1", "2"])
def test_yaml_of_null_is_null_only_in_the_first_version(version: str) -> None:
    assert compile("{{ yaml(n) }}").render({"n": None}, Calls(version="0.20")) == ""
    with pytest.raises(ExprFailed):
        compile("{{ yaml(n) }}").render({"n": None}, Calls(version=version))
