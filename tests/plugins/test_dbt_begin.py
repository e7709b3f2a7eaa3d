"""Does dbt begin as it would by itself, whichever Python it is for?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.plugins.dbt import telling
from penstock.plugins.dbt.options import BEGIN

RUN = "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"


@pytest.mark.parametrize(
    ("begins", "known"),
    [
        ("#!{python}\n", True),
        ("#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n' '''\n", True),
        ("#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n", True),
        ("#!/bin/sh\n'''exec' /usr/bin/env python \"$0\" \"$@\"\n' '''\n", False),
        ("#!/usr/bin/env python3\n", False),
        ("#!/bin/sh\nexec other\n", False),
        ("\x7fELF\x00\n", False),
    ],
)
def test_what_is_for_a_python_is_begun_by_it(tmp_path: Path, begins: str, known: bool) -> None:
    found = tmp_path / "dbt"
    found.write_text(begins.format(python=sys.executable))
    assert telling.program(str(found))[0] == (sys.executable if known else str(found))


def test_a_program_that_nobody_may_read_begins_as_it_is(tmp_path: Path) -> None:
    assert telling.program(str(tmp_path / "none")) == [str(tmp_path / "none")]


def test_a_program_of_pythons_is_begun_as_by_itself_and_takes_no_module_from_where_it_is_called(tmp_path: Path) -> None:
    found, link, here = tmp_path / "home" / "dbt", tmp_path / "bin" / "dbt", tmp_path / "here"
    for folder in (found.parent, link.parent, here):
        folder.mkdir()
    for shadow in ("runpy", "linecache", "atexit", "os"):
        (here / f"{shadow}.py").write_text("raise SystemExit('taken from here')")
    told = "import gc, sys; print(__name__, sys.argv, sys.path[0], gc.get_threshold()[0] > 2000); sys.exit(3)"
    found.write_text(f"#!{sys.executable}\n{told}\n")
    link.symlink_to(found)
    begin = tmp_path / "begun" / "begin.py"
    begin.parent.mkdir()
    begin.write_text(BEGIN)
    command = [sys.executable, str(begin), str(link), "build", "-c", "x"]
    said = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (3, "")
    assert said.stdout == f"__main__ {[str(link), 'build', '-c', 'x']} {found.parent} True\n"


@pytest.mark.parametrize(("imports", "looked_through"), [("duckdb", True), ("json", False)])
def test_what_is_left_is_looked_through_only_where_a_library_counts_it(
    tmp_path: Path, imports: str, looked_through: bool
) -> None:
    found, begin = tmp_path / "dbt", tmp_path / "begun" / "begin.py"
    begin.parent.mkdir()
    begin.write_text(BEGIN)
    found.write_text(f"import {imports}\n")
    # told by what is called after the program's own end: the first that is registered is the last that is called
    first = f"import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() == 0)); {RUN}"
    command = [sys.executable, "-c", first, str(begin), str(found)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr, said.stdout) == (0, "", f"{looked_through}\n")
