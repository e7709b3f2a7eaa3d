"""What holds for every test? Hypothesis profiles, and real-process tests known by the folder they stand in."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("quick", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=200, deadline=None, print_blob=True)
hypothesis.settings.register_profile("long", max_examples=5_000, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "quick"))

ALONE = ("acceptance", "chaos")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in folders called acceptance and chaos: those run alone, for they measure seconds."""
    for item in items:
        for folder in ALONE:
            if folder in Path(item.nodeid.partition("::")[0]).parts:
                item.add_marker(folder)
