"""Does every page of the code keep to its size and shape?"""

from __future__ import annotations

import ast
import re
import statistics
from collections import defaultdict
from pathlib import PurePath

from tests.house.source import ROOT, files, functions, offenders, pages, texts

LINES, MEDIAN_LINES = 400, 200
FUNCTION_LINES, PARAMETERS = 60, 7
VAGUE = frozenset({"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"})

# Folders whose one file is right, each with its reason.
SINGLE_FILE = {
    ".ci": "the machine that checks changes looks for `.ci/run`",
    "projects/warehouse/flows": "the pipeline is one flow, and flows stand in `flows`",
    "projects/warehouse/scripts": "the pipeline has one script, and scripts stand in `scripts`",
}


def test_no_file_is_longer_than_a_page_and_the_median_is_half_of_that() -> None:
    lengths = {page.path: page.lines for page in pages()}

    long = [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > LINES]

    assert not long, offenders(f"Files over {LINES} lines", long)
    assert statistics.median(lengths.values()) <= MEDIAN_LINES


def test_every_function_fits_a_screen() -> None:
    long = [
        f"{page.path}:{node.lineno} {node.name}: {lines} lines"
        for page in pages()
        for node in functions(page.tree)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]

    assert not long, offenders(f"Functions over {FUNCTION_LINES} lines", long)


def test_no_function_needs_more_than_seven_parameters() -> None:
    wide = [
        f"{page.path}:{node.lineno} {node.name}: {count} parameters"
        for page in pages()
        for node in functions(page.tree)
        if (count := parameters(node)) > PARAMETERS
    ]

    assert not wide, offenders(f"Functions with more than {PARAMETERS} parameters", wide)


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many things a caller may have to say."""
    arguments = node.args
    named = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in named if name not in ("self", "cls")])


def test_every_page_begins_with_the_question_it_answers() -> None:
    silent = [page.path for page in pages() if not opens_with_a_sentence(page.tree, page.text)]

    assert not silent, offenders("Files whose first line is not a docstring sentence", silent)


def opens_with_a_sentence(tree: ast.Module, text: str) -> bool:
    """Whether the first line (after a `#!`) opens a docstring and ends a sentence."""
    docstring = ast.get_docstring(tree, clean=False)
    first = next(iter(line for line in text.splitlines() if not line.startswith("#!")), "")
    return bool(docstring) and first.startswith(('"""', 'r"""')) and re.search(r"[.?!]", first) is not None


def test_every_sql_file_begins_with_a_sentence_too() -> None:
    silent = [path for path, text in texts(".sql") if not text.startswith("-- ")]

    assert not silent, offenders("SQL files whose first line is not a comment", silent)


def test_no_file_has_a_name_that_says_nothing() -> None:
    vague = [path for path in files() if VAGUE & {PurePath(path).stem, *PurePath(path).parts}]

    assert not vague, offenders("Names that say nothing", vague)


def test_no_folder_holds_a_single_file() -> None:
    held: defaultdict[str, set[str]] = defaultdict(set)
    for path in files():
        parts = PurePath(path).parts
        for depth in range(1, len(parts)):
            held["/".join(parts[:depth])].add(parts[depth])

    lonely = [
        f"{folder}: only {name}"
        for folder, names in held.items()
        if len(names) == 1 and (ROOT / folder / (name := next(iter(names)))).is_file() and folder not in SINGLE_FILE
    ]

    assert not lonely, offenders("Folders with a single file", lonely)


def test_the_excepted_folders_still_need_their_exception() -> None:
    stale = [folder for folder in SINGLE_FILE if sum(path.startswith(f"{folder}/") for path in files()) > 1]

    assert not stale, offenders("Exceptions to remove", stale)
