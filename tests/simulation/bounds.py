"""Do limits hold? Whoever is in is counted from the rows, and never is more in than what the flows say."""

from __future__ import annotations

from penstock.model.node import Task
from penstock.model.plan import Plan
from penstock.model.policy import Limit
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.store import limits
from penstock.store.port import Tx

VALUES = ("a", "b", "c", "low0", "low1", "top0", "top1")
EVER = 1 << 62


class Bounds:
    """The limits of all flows by the names under which they are counted; pools are left out, which people resize."""

    def __init__(self, plans: list[Plan]) -> None:
        self._most: dict[str, int] = {}
        self._rates: dict[str, Limit] = {}
        self._runs = {plan.flow.id: plan.flow.limit for plan in plans if plan.flow.limit is not None}
        for plan in plans:
            self._take(plan.flow.name, plan.flow.limits)
            for node_id in plan.seats:
                node = plan.node(node_id)
                if isinstance(node, Task):
                    self._take(f"{plan.flow.name}/{node_id}", node.limits)

    def _take(self, scope: str, several: tuple[Limit, ...]) -> None:
        for place, limit in enumerate(several, start=1):
            name = limit.name or (scope if place == 1 else f"{scope}#{place}")
            names = [f"{name}[{value}]" for value in VALUES] if limit.key else [name]
            for each in names if limit.count else ():
                if limit.window is None:
                    self._most[each] = max(limit.count, self._most.get(each, 0))
                else:
                    self._rates[each] = limit

    def hold(self, tx: Tx, found: list[Run], lease_now: int) -> None:
        """Count who is in, and who has started within the window of each rate."""
        for name, most in self._most.items():
            used = limits.live(tx, name)
            assert used <= most, f"{used} slots of {most} are used of {name}"
        for name, rate in self._rates.items():
            assert rate.window is not None
            starts = sum(weight for _, weight in limits.started(tx, name, rate.window, lease_now))
            assert starts <= rate.count, f"{starts} started in the window of {name}, which lets {rate.count}"
        self._runs_have_slots(tx, found)
        left = limits.left_behind(tx, EVER)
        assert not left, f"a slot outlives its attempt: {left}"

    def idle(self, tx: Tx) -> set[str]:
        """The limits behind which somebody waits who would have room, if he waits for nothing else."""
        found = set()
        for name in limits.waiting_names(tx):
            if name in self._most:
                line, used = limits.waiting(tx, name), limits.live(tx, name)
                alone = all(len(limits.wants_of(tx, one.run, one.step, one.attempt)) == 1 for one in line)
                if line and alone and all(used + one.limit.weight <= one.limit.count for one in line):
                    found.add(name)
        return found

    def _runs_have_slots(self, tx: Tx, found: list[Run]) -> None:
        """Every run that goes is in, where its flow has a limit."""
        for flow, limit in self._runs.items():
            going = [run for run in found if run.flow == flow]
            live = sum(not run.status.ended and run.status is not RunStatus.QUEUED for run in going)
            names = [f"{going[0].namespace}.{flow}"] if going else []
            if limit.key:
                names = [f"{name}[{value}]" for name in names for value in VALUES]
            used = sum(limits.live(tx, name) for name in names)
            assert live <= used, f"{live} runs of {flow} go, and {used} slots are used"
