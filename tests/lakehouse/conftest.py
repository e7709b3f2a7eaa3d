"""Which servers do these tests talk to? All of the lakehouse, started once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from projects.lakehouse.services.needs import missing
from projects.lakehouse.services.stack import Stack, stack
from projects.servers import find_versitygw
from tests.servers import DEMANDED, server_folder

__all__ = ["done", "lakehouse", "local", "machine", "message", "server_folder"]


@pytest.fixture(scope="session")
def machine() -> None:
    """A machine that has what the servers need; where it lacks something these tests are skipped, but in CI."""
    lacking = missing()
    if find_versitygw() is None:
        lacking.append("versitygw is not here, the S3 server: make versitygw")
    if lacking:
        (pytest.fail if DEMANDED else pytest.skip)("; ".join(lacking))


@pytest.fixture(scope="session")
def lakehouse(server_folder: Path, machine: None) -> Iterator[Stack]:
    """The running servers."""
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
