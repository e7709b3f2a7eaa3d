"""What do people say to runs, fitting or not? Every verb that there is, by chance, and each is counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

from penstock.errors import PenstockError
from penstock.errors.run import CheckUnmet
from penstock.errors.store import StoreError
from penstock.model.plan import Plan
from penstock.model.run import Run, Step
from penstock.model.status import StepStatus
from penstock.services import operate, pools, runs
from penstock.services.core import Core
from penstock.services.reading import plan_of
from penstock.store import runs as run_rows
from penstock.store import steps as step_rows
from tests.simulation.flows import POOL

BY = "operator"
MOST_RUNS = 4
MOST_REPLAYS = 3
ROOMY = 9
DONE, REFUSED = "done", "refused"
VERBS = (
    "kill",
    "kill by force",
    "restart",
    "restart",
    "restart parts",
    "replay",
    "replay from",
    "replay alone",
    "pause",
    "resume",
    "resume",
    "resume step",
    "mark",
    "mark",
    "mark run",
    "skip",
    "size pool",
)


class Operator:
    """Somebody who starts runs, some twice with one key, and meddles with them; opens with the world, ends with it."""

    def __init__(self, rng: random.Random, core: Core, plans: list[Plan]) -> None:
        self._rng = rng
        self._sound = core
        self._plans = plans
        self._tried = 0
        self._replayed = 0
        self._roomy = False
        self._begun: list[str] = []
        self.said: Counter[tuple[str, str]] = Counter()

    def every_run(self) -> list[Run]:
        """All runs, children too."""
        return self._sound.store.read(lambda tx: run_rows.list_runs(tx, run_rows.Filter(), limit=1000))

    def act(self, core: Core, owners: list[str]) -> None:
        """Start a run, or say something to one; `owners` are the workers that one may belong to."""
        known = self.every_run()
        if self._tried < 2 * MOST_RUNS and len(self._begun) < MOST_RUNS and self._rng.random() < 0.3:
            self._say("start", partial(self._start, core, owners))
        elif known and self._rng.random() < 0.15:
            run, verb = self._rng.choice(known), self._rng.choice(VERBS)
            keys = sorted({*plan_of(self._sound, run).seats, *(step.key for step in self._steps(run.id))})
            self._say(verb, partial(self._try, core, verb, run.id, self._rng.choice(keys) if keys else ""))

    def let_go(self, core: Core) -> None:
        """Let everything go on that only somebody's word moves: whatever has begun is to end."""
        if not self._roomy:
            self._say("size pool", partial(pools.set_slots, core, POOL, ROOMY))
            self._roomy = True
        for run in self.every_run():
            paused = [step for step in self._steps(run.id) if step.status is StepStatus.PAUSED]
            if run.held_by:
                self._say("resume", partial(operate.resume, core, run.id, BY))
            elif paused and not run.status.ended:
                self._say("resume step", partial(operate.resume, core, run.id, BY, step=paused[0].key))

    def _say(self, verb: str, act: Callable[[], object]) -> None:
        try:
            act()
        except StoreError:
            raise
        except PenstockError:
            self.said[verb, REFUSED] += 1  # it does not fit just now
        else:
            self.said[verb, DONE] += 1

    def _start(self, core: Core, owners: list[str]) -> None:
        rng = self._rng
        plan, key = rng.choice(self._plans), f"key {self._tried}"
        self._tried += 1
        inputs: dict[str, object] = {"k": rng.choice("ab")} if rng.random() < 0.5 else {}
        owner = rng.choice(owners) if owners and rng.random() < 0.1 else ""
        asked = runs.Start(key=key, priority=rng.randint(0, 2), by=BY, inputs=inputs, owner=owner)
        try:
            run_id = runs.start(core, plan, asked)
        except CheckUnmet:
            assert plan.flow.checks
            raise
        if run_id not in self._begun:
            self._begun.append(run_id)
        assert runs.start(core, plan, asked) == run_id, "one key, two runs"

    def _try(self, core: Core, verb: str, run: str, step: str) -> None:
        rng = self._rng
        match verb:
            case "kill" | "kill by force":
                runs.kill(core, run, BY, force=verb != "kill")
            case "restart":
                runs.restart(core, run, BY)
            case "restart parts":
                parts = [row.key for row in self._steps(run) if "#" in row.key]
                operate.restart_parts(core, run, BY, parts[:1] or ["none#none"])
            case "replay" | "replay from" | "replay alone":
                self._replay(core, run, "" if verb == "replay" else step, alone=verb == "replay alone")
            case "pause":
                operate.pause(core, run, BY)
            case "resume":
                operate.resume(core, run, BY)
            case "resume step":
                operate.resume(core, run, BY, step=step)
            case "mark":
                operate.mark(core, run, BY, rng.choice(operate.MARKS), step=step)
            case "mark run":
                operate.mark(core, run, BY, rng.choice(operate.MARKS))
            case "skip":
                operate.skip(core, run, BY, step)
            case "size pool":
                pools.set_slots(core, POOL, rng.randint(0, 3))
            case _:
                raise AssertionError(f"nobody can say {verb}")

    def _replay(self, core: Core, run: str, step: str, *, alone: bool) -> None:
        """Not without end: each is a whole run more, and may be followed by others."""
        if self._replayed < MOST_REPLAYS:
            asked = runs.Start(inputs={"k": "c"} if self._rng.random() < 0.3 else {})
            runs.replay(core, run, BY, from_step=step, asked=asked, alone=alone)
            self._replayed += 1

    def _steps(self, run: str) -> list[Step]:
        return self._sound.store.read(lambda tx: step_rows.every(tx, run))
