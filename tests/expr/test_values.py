"""Do whole trees render, typed values keep their type, and conditions hold as the language says?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from penstock.expr import Calls, compile, render, truthy

SCOPE: dict[str, object] = {"n": 3, "rows": [1, 2], "name": "day", "none": None, "x": "{{ n }}", "y": "{{ x }}"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ n }}", 3),
        ("{{ rows }}", [1, 2]),
        ("{{ none }}", None),
        ("{{ n == 3 }}", True),
        ("{{ rows }}\n", [1, 2]),
        ("{% if n > 1 %}{{ rows }}{% endif %}", [1, 2]),
        ("{{ n }}{{ n }}", "33"),
        ("n = {{ n }}", "n = 3"),
        ("{{ name }} ", "day "),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_a_value_keeps_its_type_when_nothing_else_is_printed(text: str, value: object) -> None:
    template = compile(text)

    result = template.value(SCOPE)

    assert result == value
    assert type(result) is type(value)


def test_a_tree_renders_its_texts_and_its_keys_and_nothing_else() -> None:
    tree = {"{{ name }}": ["{{ n }}", 4, None, True, {"a": "b{{ rows }}"}], "plain": 1.5}

    result = render(tree, SCOPE, Calls())

    assert result == {"day": ["3", 4, None, True, {"a": "b[1,2]"}], "plain": 1.5}


@pytest.mark.parametrize("value", [None, "", " ", "false", " false", "0", "-0", False, 0])
def test_only_these_do_not_hold_as_a_condition(value: object) -> None:
    assert not truthy(value)


@pytest.mark.parametrize("value", ["null", "[]", "0.0", "False", "no", True, 1, -1, [], {}])
def test_everything_else_holds_as_a_condition(value: object) -> None:
    assert truthy(value)


def test_an_expression_within_a_variable_is_printed_until_render_asks_for_it() -> None:
    plain, once, whole = (compile(text).render(SCOPE) for text in ("{{ y }}", "{{ renderOnce(y) }}", "{{ render(y) }}"))

    assert (plain, once, whole) == ("{{ x }}", "{{ n }}", "3")


def test_raw_parts_stay_raw_however_often_the_text_is_rendered() -> None:
    scope = {"t": "{% raw %}{{ n }}{% endraw %} {{ x }}", **SCOPE}

    result = compile("{{ render(t) }}").render(scope)

    assert result == "{{ n }} 3"


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (1e20, "1.0E20"),
        (0.0001, "1.0E-4"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (123456789.125, "1.23456789125E8"),
        (float("inf"), "Infinity"),
        (2**70, "1180591620717411303424"),
        (datetime(2013, 9, 8, 16, 19, tzinfo=timezone(timedelta(hours=2))), "2013-09-08T16:19+02:00"),
        (
            datetime(2013, 9, 8, 16, 19, 5, 120000, ZoneInfo("Europe/Paris")),
            "2013-09-08T16:19:05.120+02:00[Europe/Paris]",
        ),
        (datetime(2013, 9, 8, 16, 19, tzinfo=UTC), "2013-09-08T16:19:00Z"),
        (datetime(2013, 9, 8), "2013-09-08T00:00"),
        (date(2013, 9, 8), "2013-09-08"),
        (time(7, 5), "07:05"),
        (timedelta(hours=26, seconds=4.5), "PT26H4.5S"),
        (timedelta(0), "PT0S"),
        ({"a": [1.0, None, {"b": None}]}, '{"a":[1.0,null,{}]}'),
        (
            {"at": datetime(2013, 9, 8, 16, 19, tzinfo=timezone(timedelta(hours=2)))},
            '{"at":"2013-09-08T16:19:00+02:00"}',
        ),
    ],
)
def test_values_print_in_the_forms_that_flows_know(value: object, printed: str) -> None:
    template = compile("{{ v }}")

    result = template.render({"v": value})

    assert result == printed


def test_now_is_the_time_that_the_caller_gives() -> None:
    calls = Calls(now=datetime(2024, 1, 2, 3, 4, 5, 678901, UTC))

    result = compile(
        "{{ now() }} {{ now('yyyy', timeZone='Asia/Tokyo') }} {{ now() | dateAdd(1, 'DAYS', 'dd') }}"
    ).render({}, calls)

    assert result == "2024-01-02T03:04:05.678901Z 2024 03"


def test_functions_that_reach_out_are_the_callers() -> None:
    seen: list[object] = []

    def kv(key: str, **named: object) -> object:
        seen.append((key, named))
        return {"field": 7}

    result = compile("{{ kv('k', errorOnMissing=false).field ?? 'no' }}{{ (kv('j')).field }}").render(
        {}, Calls(functions={"kv": kv})
    )

    assert result == "77"
    assert seen == [("k", {"errorOnMissing": False}), ("j", {})]


def test_the_outputs_of_a_loop_are_found_by_the_values_around() -> None:
    scope: dict[str, object] = {
        "outputs": {"load": {"eu": {"mon": {"rows": 3}}}},
        "parents": [{"taskrun": {"value": "eu"}}, {"flow": {}}],
        "taskrun": {"value": "mon"},
    }

    result = compile("{{ currentEachOutput(outputs.load).rows }}").render(scope)

    assert result == "3"


def test_a_scope_may_be_lazy_and_only_what_is_named_is_loaded() -> None:
    loaded: list[str] = []

    class Outputs(Mapping[str, object]):
        def __getitem__(self, key: str) -> object:
            loaded.append(key)
            if key != "load":
                raise KeyError(key)
            return {"rows": 5}

        def __iter__(self) -> Iterator[str]:
            return iter(["load", "other"])

        def __len__(self) -> int:
            return 2

    result = compile("{{ outputs.load.rows }} {{ outputs['nope'].x ?? 'none' }}").render({"outputs": Outputs()})

    assert result == "5 none"
    assert set(loaded) == {"load", "nope"}


def test_no_python_attribute_is_ever_read() -> None:
    class Secret(dict[str, object]):
        token = "hidden"

    scope: dict[str, object] = {"s": Secret(a=1), "f": compile, "t": "text"}

    results = [
        compile(f"{{{{ {path} ?? 'nothing' }}}}").render(scope)
        for path in ("s.token", "s.__class__", "f.__globals__", "t.__class__.__mro__", "t['__len__']", "s.keys")
    ]

    assert results == ["nothing"] * 6


def test_a_template_tells_what_it_reads_and_whether_it_is_pure() -> None:
    template = compile(
        "{% set own = 1 %}{{ outputs.load.rows[0].x | upper }} {{ outputs[inputs.which].y ?? own }} {{ secret('k') }}"
    )

    uses = template.uses

    assert uses.paths == {("outputs", "load", "rows"), ("outputs",), ("inputs", "which")}
    assert uses.functions == {"secret"}
    assert uses.filters == {"upper"}
    assert not template.pure
    assert compile("{{ now() }}").pure


def test_a_text_without_braces_costs_nothing_and_is_itself() -> None:
    template = compile("echo ${HOME} {not an expression}")

    result = template.render({})

    assert template.constant
    assert result == "echo ${HOME} {not an expression}"


def test_the_same_text_is_compiled_once() -> None:
    assert compile("{{ only.once }}") is compile("{{ only.once }}")
