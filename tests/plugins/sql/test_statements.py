"""Is SQL text cut and bound where it should be, and nowhere else?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.plugins.sql.splitting import split
from penstock.plugins.sql.statements import Style, bare, bind, first_word, positional

QUOTED = some.sampled_from(
    ["'a;:n?%'", '"c;:n?"', "$$ x; :n ? $$", "$f$ ; $$ ; $f$", "-- ;:n?\n", "/* ; /* :n */ ? */", "'it''s;'", "E'\\';'"]
)
PLAIN = some.sampled_from(["SELECT", " 1 ", "a::int", " , ", "x", "+", " 'y' "])


@given(some.lists(some.lists(QUOTED | PLAIN, max_size=6), min_size=1, max_size=4))
def test_quoted_parts_never_end_a_statement(parts: list[list[str]]) -> None:
    statements = ["SELECT " + " ".join(part) for part in parts]

    found = split(";\n".join(statements))

    assert found == [statement.strip() for statement in statements]


@given(some.lists(QUOTED | PLAIN, max_size=8))
def test_binding_touches_only_parameters_that_are_given(parts: list[str]) -> None:
    sql = "SELECT " + " ".join(parts)

    assert bind(sql, {"n": 1}, Style.DOLLAR) == sql
    assert bind(sql, {"n": 1}, Style.PYFORMAT) == sql.replace("%", "%%")
    assert positional(sql, Style.PYFORMAT) == sql.replace("%", "%%")


@pytest.mark.parametrize(
    ("style", "wanted"),
    [
        (Style.PYFORMAT, "SELECT %(day)s::date, ':day', :other, 5 %% 2"),
        (Style.DOLLAR, "SELECT $day::date, ':day', :other, 5 % 2"),
        (Style.COLON, "SELECT :day::date, ':day', :other, 5 % 2"),
    ],
)
def test_a_parameter_is_written_as_the_driver_wants_it(style: Style, wanted: str) -> None:
    assert bind("SELECT :day::date, ':day', :other, 5 % 2", {"day": 1}, style) == wanted


def test_a_trigger_with_statements_inside_is_one_statement() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET n = CASE WHEN 1 THEN 2 END; DELETE FROM c; END"

    assert split(f"{trigger}; SELECT 1;") == [trigger, "SELECT 1"]


def test_begin_and_end_of_a_transaction_are_statements() -> None:
    assert split("BEGIN; SELECT 1; END; SELECT 2") == ["BEGIN", "SELECT 1", "END", "SELECT 2"]


def test_a_text_of_comments_alone_has_no_statement() -> None:
    assert split("-- one\n/* two */ ; ;") == []
    assert bare("/* a */ SELECT 1 -- b") == "SELECT 1"


@pytest.mark.parametrize(
    "sql",
    ["select 1", "SELECT\n a", "SELECT\t1", "SELECT\r\n1", "-- how many\nSELECT\n*", "SELECT/* all */*", "(SELECT 1)"],
)
def test_the_first_word_of_a_statement_ends_at_any_space(sql: str) -> None:
    assert first_word(sql) == "SELECT"
