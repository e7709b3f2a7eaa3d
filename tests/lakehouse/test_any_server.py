"""What does a user see when any one server is killed at any moment, with somebody who starts it again and without?"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Final

import pytest

from projects.lakehouse.services.stack import Stack
from tests.lakehouse.ordeal import SEED, SIX, Ordeal, told
from tests.lakehouse.pipeline import FLOW, copied

pytestmark = [pytest.mark.acceptance, pytest.mark.long, pytest.mark.timeout(1800)]
RATE: Final = 5_000
# What the flow waits for and tries again, made short: nobody is going to come.
SHORT: Final = {
    "patience: &patience PT30S": "patience: &patience PT2S\n      untilRunning: PT20S",
    "maxAttempts: 4": "maxAttempts: 1",
}


@pytest.fixture(scope="module")
def mended(lakehouse: Stack, tmp_path_factory: pytest.TempPathFactory) -> Ordeal:
    """A project whose servers are started again."""
    return Ordeal(lakehouse, copied(lakehouse, tmp_path_factory.mktemp("mended")))


@pytest.fixture(scope="module")
def alone(lakehouse: Stack, tmp_path_factory: pytest.TempPathFactory) -> Ordeal:
    """A project whose flow gives up soon."""
    pipeline = copied(lakehouse, tmp_path_factory.mktemp("alone"))
    flow = pipeline.folder / FLOW
    text = flow.read_text()
    for long, short in SHORT.items():
        assert text.count(long) == 1, long
        text = text.replace(long, short)
    flow.write_text(text)
    return Ordeal(lakehouse, pipeline)


@pytest.fixture(autouse=True)
def left(mended: Ordeal, alone: Ordeal) -> Iterator[None]:
    """The jobs of each test end with it."""
    yield
    for each in (mended, alone):
        if each.sent:
            each.leave()


@pytest.mark.parametrize("server", ["postgres", "catalog", "gateway", "registry"])
def test_a_server_is_killed_at_any_moment(mended: Ordeal, server: str) -> None:
    moment = random.Random(f"{SEED} {server}").choice(list(SIX))
    with mended.telling(f"{server} at {moment}"):
        mended.fresh()
        going = mended.send(RATE)
        going.says(f"{SIX[moment]}  started", mended.stack.mend)
        at = time.time()
        killed = mended.stack.named(server)
        killed.crash()
        mended.until(killed.answers, f"{server} answers")
        told(f"{server} killed at {moment}", at, "it answered")
        mended.passes(going)


@pytest.mark.parametrize(
    "server", ["kafka", "s3", "postgres", "catalog", "gateway", "jobmanager", "taskmanager", "registry"]
)
def test_a_server_that_nobody_starts_again_is_named_and_the_run_restarted(alone: Ordeal, server: str) -> None:
    with alone.telling(f"{server}, nobody mends"):
        alone.fresh()
        gone = alone.stack.named(server)
        gone.crash()
        at = time.time()
        failed = alone.send(RATE)
        assert failed.ended(seconds=900) == 1, failed.said
        told(f"{server} away", at, "the run failed")
        where = gone.address.partition("://")[2].partition("/")[0] or gone.address
        assert where in failed.said, failed.said
        alone.stack.start()
        again = alone.begin("runs", "restart", failed.run_id())
        assert again.ended(alone.stack.mend) == 0, again.said
        alone.right(failed)
