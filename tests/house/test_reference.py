"""Does everything that people can meet have its line in the reference?"""

from __future__ import annotations

import re
from collections import defaultdict

from penstock.errors import PenstockError
from tests.house.source import ROOT, offenders
from tools import accounts, reference, task_index


def test_every_error_has_a_code_of_its_own() -> None:
    accounts.error_modules()
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for kind in accounts.error_classes():
        owners[kind.code].append(kind.__qualname__)

    shared = [f"{code}: {', '.join(names)}" for code, names in owners.items() if len(names) > 1]
    odd = [code for code in owners if not re.fullmatch(r"PS-\d{3}", code)]

    assert not shared, offenders("Codes that several errors share", shared)
    assert not odd, offenders("Codes of another form", odd)


def test_every_error_says_in_a_sentence_what_it_is() -> None:
    accounts.error_modules()

    silent = [kind.__qualname__ for kind in accounts.error_classes() if not (kind.__doc__ or "").rstrip().endswith(".")]

    assert not silent, offenders("Errors without a sentence", silent)


def test_errors_live_on_the_floor_of_errors() -> None:
    accounts.error_modules()

    strays = [
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in accounts.error_classes()
        if not kind.__module__.startswith(PenstockError.__module__)
    ]

    assert not strays, offenders("Errors that stand elsewhere", strays)


def test_the_reference_says_what_the_code_says() -> None:
    stale = [
        path.name for path, text in reference.pages() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]

    assert not stale, offenders("Pages of the reference that are out of date: make docs", stale)


def test_the_reference_has_no_page_that_nothing_describes() -> None:
    told = {path.name for path, _ in reference.pages()}

    orphans = [path.name for path in (ROOT / "docs/en/reference").iterdir() if path.name not in told]

    assert not orphans, offenders("Pages of the reference about nothing", orphans)


def test_the_index_of_task_types_lists_what_the_plugins_hold() -> None:
    kinds = task_index.own_types()
    project = task_index.PROJECT.read_text(encoding="utf-8")

    assert task_index.INDEX.read_text(encoding="utf-8") == task_index.index(kinds)
    assert task_index.ALIASES.read_text(encoding="utf-8") == task_index.aliases(kinds)
    assert task_index.with_entry_points(project, kinds) == project
