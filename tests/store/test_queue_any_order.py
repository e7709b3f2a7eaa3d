"""Whatever is done in whatever order: does every attempt stand in one place, under fences that only grow?"""

from __future__ import annotations

import functools
from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.model.effect import Work
from penstock.store import queue
from penstock.store.port import Tx
from penstock.store.sqlite.store import open_sqlite
from tests.store.makers import NOW

STEPS = st.sampled_from(["a", "b", "c", "d"])
ACTS = st.one_of(
    st.tuples(st.just("ready"), STEPS),
    st.tuples(st.just("claim"), st.integers(1, 3)),
    st.tuples(st.just("withdraw"), STEPS),
    st.tuples(st.just("flag"), STEPS),
    st.tuples(st.just("report"), st.integers(0, 30)),
    st.tuples(st.just("hand back"), st.integers(0, 30)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTS, max_size=40))
def test_an_attempt_stands_in_one_place_and_a_fence_is_good_once(acts: list[tuple[str, str | int]]) -> None:
    with closing(open_sqlite(":memory:")) as store:
        world = World()

        for act in acts:
            store.write(functools.partial(world.do, act=act[0], what=act[1]))
            ready, held = store.read(_places)

            assert ready == world.ready
            assert held == {one.step: one.fence for one in world.held.values()}
            assert world.fences == sorted(set(world.fences))


class World:
    """What ought to be, kept in plain dictionaries beside the store."""

    def __init__(self) -> None:
        self._attempts: dict[str, int] = {}
        self.ready: set[str] = set()
        self.held: dict[int, queue.Claim] = {}
        self.fences: list[int] = []
        self.seen: list[queue.Claim] = []

    def do(self, tx: Tx, act: str, what: str | int) -> None:
        match act, what:
            case "ready", str(step) if step not in self.ready and step not in {c.step for c in self.held.values()}:
                self._attempts[step] = self._attempts.get(step, 0) + 1
                queue.make_ready(tx, "r", [(step, self._attempts[step], Work.TASK)], 0, "", NOW)
                self.ready.add(step)
            case "claim", int(room):
                for claim in queue.claim(tx, "w", room, NOW):
                    self.ready.remove(claim.step)
                    self.held[claim.fence] = claim
                    self.fences.append(claim.fence)
                    self.seen.append(claim)
            case "withdraw", str(step):
                gone = queue.withdraw(tx, "r", [step])
                assert {key for key, _ in gone} == self.ready & {step}
                self.ready.discard(step)
            case "flag", str(step):
                flagged = queue.flag(tx, "r", [step], force=False)
                assert {key for key, _, _ in flagged} == {c.step for c in self.held.values()} & {step}
            case (("report" | "hand back"), int(number)) if self.seen:
                claim = self.seen[number % len(self.seen)]
                good = self.held.pop(claim.fence, None) is not None
                if act == "report":
                    assert queue.give_back(tx, "r", claim.step, claim.attempt, claim.fence) == good
                else:
                    assert queue.hand_back(tx, claim) == good
                    self.ready |= {claim.step} if good else set()


def _places(tx: Tx) -> tuple[set[str], dict[str, int]]:
    return {step for step, _, _ in queue.ready_of(tx, "r")}, {one.step: one.fence for one in queue.claims_of(tx, "r")}
