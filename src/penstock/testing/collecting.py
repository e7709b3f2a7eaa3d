"""How does pytest find tests of flows? By `pytest_plugins = ["penstock.testing.collecting"]` in a conftest.py."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.app.manner import manner_of
from penstock.dialects.kestra.suites import Case
from penstock.errors.report import render_problems
from penstock.services.project import ENDINGS, holds_tests
from penstock.services.suites import Found, find_suites
from penstock.settings.read import find
from penstock.testing.suite.cases import Means, State, run_case
from penstock.testing.suite.report import details

PATIENCE = 600.0


class SuiteInvalid(Exception):
    """A file of tests, or the flow that it tests, cannot be used."""


class CaseFailed(Exception):
    """A test of a flow did not pass."""


class SuiteFile(pytest.File):
    """A file with tests of a flow."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each of its tests. Raises SuiteInvalid."""
        project = find(self.path)
        manner = manner_of(project)
        means = Means(project, manner, dict(os.environ), PATIENCE, threading.Event())
        for found in find_suites([self.path], project.flow_places if project.file else [], manner):
            if not found.usable or found.reading.suite is None:
                raise SuiteInvalid(render_problems(found.problems))
            for case in found.reading.suite.cases:
                item: FlowTest = FlowTest.from_parent(self, name=case.id, found=found, case=case, means=means)
                yield item

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """What is wrong, without our own lines."""
        return str(excinfo.value)


class FlowTest(pytest.Item):
    """One test of a flow."""

    def __init__(self, *, name: str, parent: pytest.Collector, found: Found, case: Case, means: Means) -> None:
        super().__init__(name, parent)
        self._found, self._case, self._means = found, case, means

    def runtest(self) -> None:
        """Run it. Raises CaseFailed with all that can be told."""
        result = run_case(self._found, self._case, self._means)
        if result.state is State.SKIPPED:
            pytest.skip("The test is disabled.")
        if result.state is not State.PASSED:
            raise CaseFailed("\n".join(details(result)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """What should have been and what was, without our own lines."""
        return str(excinfo.value) if isinstance(excinfo.value, CaseFailed) else str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the test stands."""
        return self.path, self._case.place.line - 1, self.name


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take a file if it holds tests of a flow."""
    if file_path.suffix not in ENDINGS or not holds_tests(file_path):
        return None
    suite: SuiteFile = SuiteFile.from_parent(parent, path=file_path)
    return suite
