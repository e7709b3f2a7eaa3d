"""Is anything silenced, slept through or faked that should be heard, waited for or real?"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePath

from tests.house.source import Page, offenders, pages

SILENCED = re.compile(r"#\s*(type:\s*ignore|noqa)")
SILENCED_MOST = 9
SLEEPERS = frozenset({"acceptance", "chaos"})


def test_checks_are_silenced_fewer_than_ten_times_in_all() -> None:
    silenced = [
        f"{page.path}:{line} {text}" for page in pages() for line, text in comments(page) if SILENCED.search(text)
    ]

    assert len(silenced) <= SILENCED_MOST, offenders("Silenced checks", silenced)


def test_every_silenced_check_names_what_it_silences() -> None:
    blanket = [
        f"{page.path}:{line} {text}"
        for page in pages()
        for line, text in comments(page)
        if SILENCED.search(text) and not re.search(r"type:\s*ignore\[|noqa:\s*[A-Z]", text)
    ]

    assert not blanket, offenders("Checks silenced wholesale", blanket)


def comments(page: Page) -> Iterator[tuple[int, str]]:
    """Every comment of a file, by line."""
    for token in tokenize.generate_tokens(io.StringIO(page.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_no_test_sleeps_but_where_real_processes_are_killed() -> None:
    asleep = [
        f"{page.path}:{node.lineno} {ast.unparse(node)}"
        for page in pages_of_tests()
        if not SLEEPERS & set(PurePath(page.path).parts)
        for node in ast.walk(page.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep", "asyncio.sleep")
    ]

    assert not asleep, offenders("Sleeps in tests", asleep)


def test_nothing_is_mocked() -> None:
    mocked = [
        f"{page.path}:{node.lineno} {ast.unparse(node)}"
        for page in pages_of_tests()
        for node in ast.walk(page.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and "unittest.mock" in ast.unparse(node)
    ]

    assert not mocked, offenders("Mocks", mocked)


def pages_of_tests() -> list[Page]:
    """The Python files under tests."""
    return [page for page in pages() if page.path.startswith("tests/")]


def test_no_unfinished_mark_is_left() -> None:
    unfinished = [
        f"{page.path}:{line} {text}"
        for page in pages()
        for line, text in comments(page)
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text)
    ]

    assert not unfinished, offenders("Unfinished marks", unfinished)
