"""Does a check find, before anything runs, every name and word that cannot exist?"""

from __future__ import annotations

import pytest

from penstock.errors.problem import Severity
from penstock.expr import Known, check, compile
from penstock.expr.catalogue import catalogue

KNOWN = Known(
    {
        "inputs": {"day": None, "limit": None},
        "outputs": {"load": None, "load-all": None},
        "vars": {"db": {"host": None}},
        "execution": None,
    }
)


def problems(text: str) -> list[tuple[str, str]]:
    return [(problem.code, str(problem.place)) for problem in check(compile(text), KNOWN)]


@pytest.mark.parametrize(
    "text",
    [
        "{{ inputs.day }} {{ outputs.load.anything[0].below }} {{ execution.id }} {{ vars.db.host }}",
        "{{ inputs.typo ?? 'x' }} {{ typo | default('x') }} {{ typo is defined }}",
        "{% if typo is defined %}{{ typo.x }}{% endif %}",
        "{% for row in outputs.load.rows %}{{ row.id }} {{ loop.index }}{% endfor %}",
        "{% set x = 1 %}{{ x }}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1) }}",
        "{{ {key: inputs.day} }}",
        "{{ inputs['day'] }} {{ inputs[inputs.day] }}",
        "no braces",
    ],
)
def test_what_can_exist_passes(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ inputs.dya }}", [("PS-102", "line 1, column 11")]),
        ("{{ inptus.day }}", [("PS-102", "line 1, column 4")]),
        ("{{ vars.db.hots }}", [("PS-102", "line 1, column 12")]),
        ("{{ vars['db'].hots }}", [("PS-102", "line 1, column 15")]),
        ("{{ inputs.day | uper }}", [("PS-103", "line 1, column 17")]),
        ("{{ inputs.day is emtpy }}", [("PS-103", "line 1, column 18")]),
        ("{{ nwo() }}", [("PS-103", "line 1, column 4")]),
        ("{{ inputs.day | date(timezone='UTC') }}", [("PS-104", "line 1, column 17")]),
        ("{{ inputs.day | upper(1) }}", [("PS-104", "line 1, column 17")]),
        ("{{ secret() }}", [("PS-104", "line 1, column 4")]),
        ("{{ a.b ?? typo }}", [("PS-102", "line 1, column 11")]),
        ("{% filter uper %}{% endfilter %}", [("PS-103", "line 1, column 11")]),
        ("{{ typo }}\n{{ inputs[typo] }}", [("PS-102", "line 1, column 4"), ("PS-102", "line 2, column 11")]),
        ("{{ inputs.day | json }}", [("PS-109", "line 1, column 17")]),
    ],
)
def test_what_cannot_exist_is_told_with_its_place(text: str, found: list[tuple[str, str]]) -> None:
    assert problems(text) == found


def test_a_problem_names_the_nearest_and_an_older_name_is_a_note_only() -> None:
    typo, older = check(compile("{{ inputs.dya }}{{ inputs.day | json }}"), KNOWN)

    assert typo.hint == 'Did you mean "day"?'
    assert typo.severity is Severity.ERROR
    assert older.severity is Severity.NOTE
    assert older.sentence == "`json` is the older name of `toJson`."


def test_the_catalogue_lists_every_word_with_signature_and_sentence() -> None:
    entries = {(entry.kind, entry.name): entry for entry in catalogue()}

    date = entries["filter", "date"]

    assert date.signature == "| date(format='iso', timeZone=null, existingFormat=null, locale=null)"
    assert not entries["function", "secret"].pure
    assert entries["function", "now"].pure
    assert all(entry.doc.endswith((".", ":")) and "\n" not in entry.doc for entry in entries.values())
