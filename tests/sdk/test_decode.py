"""Do rendered properties become what each field wants, and is everything that does not fit told?"""

from __future__ import annotations

import enum
from typing import Annotated, ClassVar

import msgspec
import pytest
from msgspec import Meta, field

from penstock.errors.task import InvalidProperties
from penstock.sdk import Duration, Secret, TaskType
from penstock.sdk.decode import check, decode, field_names


class Colour(enum.StrEnum):
    """A closed set."""

    RED = "RED"
    BLUE = "BLUE"


class Inner(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A property with parts."""

    some_number: int
    text: str = ""


class Example(TaskType, frozen=True, kw_only=True):
    """One field of every kind."""

    type_name: ClassVar[str] = "example"

    text: Annotated[str, Meta(description="Text.")]
    number: Annotated[int, Meta(description="Number.")] = 1
    maybe: Annotated[float | None, Meta(description="Perhaps a number.")] = None
    yes: Annotated[bool, Meta(description="Yes or no.")] = False
    wait_time: Annotated[Duration | None, Meta(description="A while.")] = None
    secret: Annotated[Secret, Meta(description="Hidden.")] = Secret("")
    colour: Annotated[Colour, Meta(description="A colour.")] = Colour.RED
    words: Annotated[list[str], Meta(description="Words.")] = field(default_factory=list)
    env: Annotated[dict[str, str], Meta(description="Pairs.")] = field(default_factory=dict)
    either: Annotated[str | list[str], Meta(description="One or several.")] = ""
    inner: Annotated[Inner | None, Meta(description="Parts.")] = None
    anything: Annotated[object, Meta(description="Anything.")] = None
    from_: Annotated[str, Meta(description="Where from.")] = field(default="", name="from")


def problems(properties: dict[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidProperties) as refused:
        decode(Example, properties)
    return [(problem.path, f"{problem.sentence} {problem.hint}".strip()) for problem in refused.value.problems]


def test_rendered_text_becomes_what_each_field_wants() -> None:
    task = decode(
        Example,
        {
            "text": 5,
            "number": " 12 ",
            "maybe": "",
            "yes": "true",
            "waitTime": "PT5S",
            "secret": "x",
            "colour": "blue",
            "words": '["a", 1]',
            "env": {"A": 1, "B": True},
            "either": '["stays text"]',
            "inner": '{"someNumber": "3"}',
            "anything": {"a": [1]},
            "from": "here",
        },
    )

    assert task == Example(
        text="5",
        number=12,
        maybe=None,
        yes=True,
        wait_time=Duration(5_000_000),
        secret=Secret("x"),
        colour=Colour.BLUE,
        words=["a", "1"],
        env={"A": "1", "B": "true"},
        either='["stays text"]',
        inner=Inner(some_number=3),
        anything={"a": [1]},
        from_="here",
    )


def test_a_property_without_a_value_is_one_not_written() -> None:
    assert decode(Example, {"text": "x", "number": None, "words": None}) == Example(text="x")


def test_everything_that_does_not_fit_is_told_together() -> None:
    told = problems({"txet": "x", "number": "many", "colour": "bleu", "inner": {"sumNumber": 1}, "waitTime": "soon"})

    assert told == [
        ("txet", 'It has no property "txet". Did you mean "text"?'),
        ("text", 'It needs the property "text".'),
        ("number", 'Property "number": Expected "int", got "str".'),
        ("waitTime", 'Property "waitTime": "soon" is no duration: PT5S, PT10M, P1D, or a number of seconds.'),
        ("colour", 'Property "colour": "bleu" is none of RED, BLUE. Did you mean "blue"?'),
        ("inner.sumNumber", 'It has no property "inner.sumNumber". Did you mean "someNumber"?'),
        ("inner.someNumber", 'It needs the property "inner.someNumber".'),
    ]


def test_a_name_like_no_other_is_answered_with_all_names() -> None:
    assert problems({"text": "", "zzz": 1})[0][1].startswith('It has no property "zzz". It has: anything, colour')


def test_templates_are_judged_only_when_rendered() -> None:
    written: dict[str, object] = {
        "text": "{{ x }}",
        "number": "{{ n }}",
        "env": "{{ pairs }}",
        "words": ["{{ w }}"],
        "inner": {"someNumber": "{{ n }}"},
        "wrong": "{{ y }}",
        "yes": "perhaps",
    }

    assert [problem.path for problem in check(Example, written)] == ["wrong", "yes"]


def test_names_are_those_that_flows_write() -> None:
    assert field_names(Example)[:6] == ("text", "number", "maybe", "yes", "waitTime", "secret")
