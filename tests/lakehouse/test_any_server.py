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
# Who is called by another server, which was told no address, is named by what that one calls it.
CALLED: Final = {"postgres": "postgresql"}
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


@pytest.mark.parametrize("amid", [False, True], ids=["before", "amid"])
@pytest.mark.parametrize(
    "server", ["kafka", "s3", "postgres", "catalog", "gateway", "jobmanager", "taskmanager", "registry"]
)
def test_a_server_that_nobody_starts_again_is_named_and_the_run_restarted(
    alone: Ordeal, server: str, amid: bool
) -> None:
    moment = random.Random(f"{SEED} alone {server}").choice(list(SIX)) if amid else "the beginning"
    with alone.telling(f"{server} at {moment}, nobody mends"):
        alone.fresh()
        gone = alone.stack.named(server)
        if not amid:
            gone.crash()
        going = alone.send(RATE)
        if amid:
            going.says(f"{SIX[moment]}  started")
            gone.crash()
        at = time.time()
        code = going.ended(seconds=900)
        told(f"{server} away from {moment} on", at, "the run failed" if code else "the run came through without it")
        where = gone.address.partition("://")[2].partition("/")[0] or gone.address
        named = where in going.said or CALLED.get(server, where) in going.said
        # what is killed behind its last use may be missed by nobody
        assert (code == 1 and named) or (code == 0 and amid), going.said
        alone.stack.start()
        if code:
            again = alone.begin("runs", "restart", going.run_id())
            assert again.ended(alone.stack.mend) == 0, again.said
        alone.right(going)
