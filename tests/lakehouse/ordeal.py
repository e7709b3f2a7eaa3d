"""How is a server killed under a running flow, and when do its jobs write checkpoints again?"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from projects.lakehouse.services.stack import Stack
from tests.acceptance.observe import eventually
from tests.lakehouse.pipeline import FLOW, Going, Pipeline, cancelled

EVENTS: Final = 10_000
# So many a second: jobs read and commit while events come.
RATE: Final = 1_000
RUN: Final = ("run", FLOW)
MODE: Final = "streaming"
FIRST: Final = 1_000
SEED: Final = int(os.environ.get("LAKEHOUSE_SEED") or time.time_ns() % 1_000_000)
# The tasks of the flow, and the step that each begins with.
SIX: Final = {
    "create_topics": "schema",
    "generate_events": "generate_events",
    "submit_flink_bronze": "submit_flink_bronze",
    "submit_flink_silver": "submit_flink_silver",
    "wait_for_processing": "through[0]/bronze",
    "dbt_build": "dbt_build",
}
numbers = itertools.count(1)


class Ordeal:
    """A pipeline whose jobs go on from test to test, each of which sends more events and kills somebody meanwhile."""

    def __init__(self, stack: Stack, pipeline: Pipeline) -> None:
        self.stack, self.pipeline = stack, pipeline
        self.chance = random.Random(SEED)
        self.name = ""
        self.sent = 0
        self._going: list[Going] = []

    def fresh(self) -> str:
        """A name that no table has yet."""
        self.sent = 0
        self.name = f"ordeal_{next(numbers)}"
        return self.name

    def begin(self, *words: str, **inputs: object) -> Going:
        """Begin a command."""
        going = self.pipeline.begin(*words, **inputs)
        self._going.append(going)
        return going

    def send(self, rate: int = RATE, events: int = EVENTS, *, how: tuple[str, ...] = RUN, mode: str = MODE) -> Going:
        """Begin the flow over what is there and so many events more."""
        self.sent += events
        return self.begin(*how, name=self.name, events=self.sent, rate=rate, mode=mode)

    def warm(self) -> None:
        """Let both jobs run already."""
        if not self.sent:
            self.fresh()
            self.passes(self.send(0, FIRST))

    def passes(self, going: Going) -> None:
        """Let a run come to a good end, its servers started again where they end, and compare all tables."""
        assert going.ended(self.stack.mend) == 0, going.said
        self.right(going)

    def right(self, going: Going) -> None:
        """Compare all tables with what was sent."""
        said = self.pipeline.check(going.run_id(), self.name)
        assert f"{self.sent:,}" in said, said

    def until(self, so: Callable[[], object], what: str, seconds: float = 600.0) -> None:
        """Wait for something while who ends is started again."""
        eventually(lambda: (self.stack.mend(), so())[1], what, seconds)

    def amid(self, going: Going, share: float = 0.25) -> int:
        """Wait until so much of what is new is in the topic; gives how many are, which are not all."""
        wanted = self.sent - EVENTS * (1 - share)
        self.until(lambda: going.over or self.held() >= wanted, "events come")
        held = self.held()
        assert wanted <= held < self.sent - EVENTS * 0.1, (
            f"{held} of {self.sent} events, when it was looked\n{going.said}"
        )
        return held

    def held(self) -> int:
        """How many events the topic holds."""
        asked = {"bootstrap.servers": self.stack.kafka.address, "group.id": "looks", "log_level": 0}
        with contextlib.closing(Consumer(asked)) as consumer:
            parts = consumer.list_topics(self.name, timeout=10).topics[self.name].partitions
            ends = [consumer.get_watermark_offsets(TopicPartition(self.name, each), timeout=10) for each in parts]
        return sum(end for _, end in ends)

    def checkpointed(self, since: float = 0.0) -> bool:
        """Whether each of the two jobs runs and has completed a checkpoint that was begun since (seconds of 1970)."""
        return all(at >= since for at in self._checkpoints())

    def between(self, going: Going) -> None:
        """Wait until a checkpoint has just been completed while events come."""
        before = self._checkpoints()[0]
        self.until(lambda: self._checkpoints()[0] > before, "a new checkpoint")
        assert self.held() < self.sent, going.said

    def recovered(self, what: str, at: float) -> None:
        """Wait until both jobs write checkpoints again, and tell how long it took since a moment."""
        self.until(lambda: self.checkpointed(at), f"checkpoints after {what}")
        told(what, at, "new checkpoints of both jobs")

    @contextlib.contextmanager
    def telling(self, what: str) -> Iterator[None]:
        """Say of a failure what was done, with which seed, and where the logs are; the next test has a fresh name."""
        try:
            yield
        except BaseException as failed:
            kept = Path(tempfile.mkdtemp(prefix="lakehouse-failed-"))
            shutil.copytree(self.stack.folder / "logs", kept / "logs")
            for heard in self.pipeline.folder.glob("*.heard"):
                shutil.copy(heard, kept)
            failed.add_note(f"{what}: again with LAKEHOUSE_SEED={SEED}; what all said is in {kept}")
            self.leave()
            raise
        finally:
            for going in self._going:
                going.stop()
            self._going.clear()
            self.stack.start()

    def leave(self) -> None:
        """Let go of the jobs, so that others have their slots."""
        self.stack.start()
        for each in ("bronze", "silver"):
            cancelled(self.stack, f"{self.name}-{each}")
        self.sent = 0

    def _checkpoints(self) -> tuple[float, float]:
        """When the newest complete checkpoint of each job was begun; 0 where it has none, or nobody tells."""
        try:
            jobs = [job for job in self._asked("/jobs/overview")["jobs"] if job["state"] == "RUNNING"]
            found = [
                self._asked(f"/jobs/{job['jid']}/checkpoints")["latest"]["completed"]
                for each in ("bronze", "silver")
                for job in jobs
                if job["name"] == f"{self.name}-{each}"
            ]
        except (urllib.error.URLError, OSError, ValueError):
            return 0.0, 0.0
        at = [each["trigger_timestamp"] / 1000 if each else 0.0 for each in found]
        return (at[0], at[1]) if len(at) == 2 else (0.0, 0.0)

    def _asked(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.stack.jobmanager.address}{path}", timeout=5) as answer:
            return json.load(answer)


def told(what: str, at: float, then: str) -> None:
    """Print how long something took since a moment (seconds of 1970)."""
    print(f"{what}: {then} after {time.time() - at:.1f} s (seed {SEED})")
