"""Does every expression of the tables print what it should, or fail with its code at its place?"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from penstock.errors import PenstockError
from penstock.expr import compile

_TABLES = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted((Path(__file__).parent / "cases").glob("*.yml"))
}
_GIVES = [(name, *case) for name, table in _TABLES.items() for case in table["gives"]]
_FAILS = [(name, *case) for name, table in _TABLES.items() for case in table["fails"]]


@pytest.mark.parametrize(("table", "text", "printed"), _GIVES)
def test_an_expression_prints_what_its_table_says(table: str, text: str, printed: str) -> None:
    scope = _TABLES[table]["scope"]

    result = compile(text).render(scope)

    assert result == printed


@pytest.mark.parametrize(("table", "text", "code", "where"), _FAILS)
def test_an_expression_fails_with_the_code_and_place_of_its_table(table: str, text: str, code: str, where: str) -> None:
    scope = _TABLES[table]["scope"]

    with pytest.raises(PenstockError) as caught:
        compile(text).render(scope)

    place = caught.value.place
    assert place is not None
    assert (caught.value.code, f"{place.line}:{place.column}") == (code, where)
