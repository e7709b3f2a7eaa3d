"""What do tests of tests need? A project with flows, and their suites run in this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.app.manner import manner_of
from penstock.services.suites import Found, find_suites
from penstock.settings.read import find
from penstock.testing.suite.cases import CaseResult, Means, run_case

Suites = Callable[[str], Found]
Runs = Callable[[str], dict[str, CaseResult]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("flows", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "penstock.yaml").write_text("namespace: shop\n")
    return tmp_path


@pytest.fixture
def found(project: Path) -> Suites:
    """Read a suite that stands in the project."""

    def read(text: str) -> Found:
        path = project / "tests" / "suite.yml"
        path.write_text(text)
        return find_suites([path], [project / "flows"], manner_of(find(project)))[0]

    return read


@pytest.fixture
def run(project: Path, found: Suites) -> Runs:
    """Run every test of a suite, and give what came of each by its id."""

    def every(text: str) -> dict[str, CaseResult]:
        suite = found(text)
        assert suite.usable, suite.problems
        assert suite.reading.suite is not None
        home = find(project)
        means = Means(home, manner_of(home), dict(os.environ), 60.0, threading.Event())
        return {case.id: run_case(suite, case, means) for case in suite.reading.suite.cases}

    return every
