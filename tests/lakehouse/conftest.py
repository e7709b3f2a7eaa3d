"""Which servers do these tests talk to? All of the lakehouse, started once for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from projects.lakehouse.services.stack import Stack, stack
from tests.servers import DEMANDED, server_folder

__all__ = ["done", "lakehouse", "local", "message", "server_folder"]


@pytest.fixture(scope="session")
def lakehouse(server_folder: Path) -> Iterator[Stack]:
    """The running servers."""
    if shutil.which("mvn") is None:
        if DEMANDED:
            pytest.fail("mvn is not here: apt-get install maven")
        pytest.skip("mvn is not here, which fetches the servers' jars")
    folder = server_folder / "lakehouse"
    with stack(folder, folder / "no.env") as running:
        yield running


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalContext]:
    """A folder in which task types run in this process."""
    with LocalContext(tmp_path) as context:
        yield context


def done(told: Told) -> dict[str, object]:
    """What a task handed on, having succeeded."""
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    """What a task says of its failure."""
    assert told.failure is not None, told.outputs
    return str(told.failure["message"])
