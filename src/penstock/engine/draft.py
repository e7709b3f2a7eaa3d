"""Where is a decision written while it is made? A sheet that opens with what is loaded and closes as a Decision."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from msgspec.structs import replace

from penstock.engine.decision import Decision
from penstock.engine.loaded import Loaded
from penstock.engine.rule import Noted, Rule
from penstock.model import ids
from penstock.model.effect import Announce, Effect, Produce, Ready
from penstock.model.node import Node
from penstock.model.plan import ROOT, Plan
from penstock.model.run import Change, Failure, GroupState, Phase, Run, Step
from penstock.model.status import RunStatus, StepStatus, check_run_move, check_step_move

OPEN = "open"
WAITING_FOR_TIME = frozenset({StepStatus.RETRYING, StepStatus.SNOOZED})
GOING = frozenset({RunStatus.RUNNING, RunStatus.RETRYING, RunStatus.PAUSED})
UNSUCCESSFUL = frozenset({StepStatus.FAILED, StepStatus.KILLED, StepStatus.CANCELLED})
AT_REST = WAITING_FOR_TIME | {StepStatus.PAUSED}


class Draft:
    """The run as it stands in the middle of a decision.

    `starting` holds the nodes that a group has decided to start, `ended` the steps whose groups have not yet heard;
    both
    are worked off in `settle`, so that nothing recurses, however long a row of skipped tasks is. `reopening` holds the
    groups whose turn has come to go on from what a restart left of them. `retired_at` is set when another run is to
    take this one's place, at that instant; `leaving` is the step with whose end the run is to end.
    """

    def __init__(self, loaded: Loaded, now: int, *, operator: bool = False) -> None:
        self.loaded = loaded
        self.plan: Plan = loaded.plan
        self.run: Run = loaded.run
        self.now = now
        self.operator = operator
        self.starting: deque[tuple[str, Node]] = deque()
        self.ended: deque[str] = deque()
        self.reopening: deque[str] = deque()
        self.retired_at: int | None = None
        self.leaving = ""
        self._changed: dict[str, Step] = {}
        self._effects: list[Effect] = []
        self._rules: list[Noted] = []
        self._produced: dict[str, dict[str, object]] = {}

    def close(self) -> Decision:
        """Give the decision; a run that merely waits, for a retry or for somebody, is called so."""
        if self.run.status in GOING:
            self.move_run(self._standing())
        return Decision(self.run, tuple(self._changed.values()), tuple(self._effects), rules=tuple(self._rules))

    def _standing(self) -> RunStatus:
        run = self.run
        if run.held_by:
            return RunStatus.PAUSED
        if not run.active and run.retrying:
            return RunStatus.RETRYING
        return RunStatus.PAUSED if not run.active and run.waiting else RunStatus.RUNNING

    def make_ready(self, ready: Ready) -> None:
        """Let an attempt be claimed; in a run that is paused, its step is held until the run goes on."""
        if self.run.held_by:
            self.put(replace(self.held(ready.step), held=True))
            self.rule(ready.step, Rule.HELD)
        else:
            self.emit(ready)

    def rule(self, key: str, rule: Rule, *facts: object) -> None:
        """Note by which rule something was decided about a step, a group or (the empty key) the run."""
        self._rules.append((key, rule, facts))

    @property
    def is_empty(self) -> bool:
        """Has nothing been decided?"""
        return not self._changed and not self._effects and self.run is self.loaded.run

    def emit(self, effect: Effect) -> None:
        """Ask something of the world."""
        self._effects.append(effect)
        if isinstance(effect, Produce):
            self._produced[effect.step] = effect.outputs

    def step(self, key: str) -> Step | None:
        """The step as this decision has it."""
        changed = self._changed.get(key)
        return changed if changed is not None else self.loaded.step(key)

    def output(self, key: str) -> dict[str, object] | None:
        """The newest outputs of a step, those of this decision first."""
        made = self._produced.get(key)
        return made if made is not None else self.loaded.output(key)

    def steps_of(self, node_id: str) -> list[Step]:
        """Every step of one node as this decision has it."""
        found = {step.key: step for step in self.loaded.steps_of(node_id)}
        found |= {key: step for key, step in self._changed.items() if step.node == node_id}
        return list(found.values())

    def held(self, key: str) -> Step:
        """A step that must exist."""
        step = self.step(key)
        assert step is not None, f"step {key} has no row"
        return step

    def earlier(self, key: str) -> Step | None:
        """What an earlier going-through left of a step about to start; not looked up in a run never restarted."""
        if key in self._changed:
            return self._changed[key]
        return self.step(key) if self.begun_anew() else None

    def been_through(self, key: str) -> bool:
        """Has a restart left this child as it ended, so that a group which goes through its list again passes it?"""
        earlier = self.earlier(key)
        return earlier is not None and earlier.status is not StepStatus.WAITING

    def rows(self, keys: list[str]) -> list[Step]:
        """Those of these steps that there are, looked up at once."""
        self.loaded.look_up(key for key in keys if key not in self._changed)
        return [step for key in keys if (step := self.step(key)) is not None]

    def begun_anew(self) -> bool:
        """May steps about to start have earlier attempts?"""
        return bool(self.run.rounds or self.run.redone)

    def put(self, step: Step) -> None:
        """Write a step; a move that the status table does not have is refused, and the run's counts follow."""
        self._write(step, operator=self.operator)

    def adopt(self, steps: Iterable[Step]) -> None:
        """Write steps that an earlier run has ended, as they are; nothing else of this run is there yet."""
        for step in steps:
            self._changed[step.key] = self.loaded.steps[step.key] = step

    def put_back(self, step: Step, *, half_done: bool = False, only: tuple[str, ...] = ()) -> None:
        """Let a step wait for its turn again; its attempts go on counting. A group then begins anew, or where it is
        but `half_done` goes on from what it has done; a task does `only` these of its parts.
        """
        group = step.group if half_done or step.group is None else GroupState()
        fresh = replace(step, status=StepStatus.WAITING, group=group, ended_at=None, due_at=None, failure=None)
        failed = step.child if step.status in UNSUCCESSFUL else step.failed_child
        fresh = replace(fresh, child="", failed_child=failed, evaluating=False, held=False, waits_for=(), only=only)
        self._write(fresh, operator=True)

    def put_part(self, part: Step) -> None:
        """Write a step that an attempt reported; it is shown, and counts for nothing."""
        self._changed[part.key] = part

    def forget(self, iteration: str) -> None:
        """Leave out what this decision has written inside an iteration that is not kept."""
        for key in [key for key in self._changed if key == iteration or key.startswith(f"{iteration}/")]:
            del self._changed[key]

    def _write(self, step: Step, *, operator: bool) -> None:
        old = self._changed.get(step.key)
        if old is None and (step.key in self.loaded.steps or self.begun_anew()):
            old = self.loaded.step(step.key)
        if old is not None:
            check_step_move(old.status, step.status, operator=operator)
        opened = step.status.open - (old is not None and old.status.open)
        activated = _active(step) - (old is not None and _active(old))
        retrying = (step.status is StepStatus.RETRYING) - (old is not None and old.status is StepStatus.RETRYING)
        waiting = (step.status is StepStatus.PAUSED) - (old is not None and old.status is StepStatus.PAUSED)
        if opened or activated or retrying or waiting:
            run = self.run
            self.run = replace(
                run,
                open=run.open + opened,
                active=run.active + activated,
                retrying=run.retrying + retrying,
                waiting=run.waiting + waiting,
            )
        self._changed[step.key] = step
        if old is not None and old.reports and (step.attempt != old.attempt or not is_at_work(step)):
            self._close_parts(step.key)

    def _close_parts(self, key: str) -> None:
        """What an attempt had reported as under way ends with it."""
        found = {part.key: part for part in self.loaded.parts_of(key)}
        found |= {name: part for name, part in self._changed.items() if name.startswith(ids.part_key(key, ""))}
        for part in found.values():
            if part.status.open:
                self.put_part(replace(part, status=StepStatus.CANCELLED, ended_at=self.now))

    def end(self, step: Step, status: StepStatus, failure: Failure | None = None) -> None:
        """End a step and let its group hear of it."""
        over = replace(step, status=status, ended_at=self.now, due_at=None, failure=failure)
        self.put(replace(over, evaluating=False, held=False, waits_for=()))
        self.ended.append(step.key)

    def move_run(self, status: RunStatus, by: str = "") -> None:
        """Move the run, remember when and by whom, and make it news."""
        check_run_move(self.run.status, status, operator=self.operator)
        if self.run.status is status and self.run.history:
            return
        history = (*self.run.history, Change(status, self.now, by))
        held_by = "" if status.ended else self.run.held_by
        self.run = replace(self.run, status=status, history=history, held_by=held_by)
        self.emit(Announce(status))

    def group(self, key: str) -> GroupState:
        """The memory of a group; the root's lies in the run."""
        if key == ROOT:
            return self.run.root
        state = self.held(key).group
        assert state is not None, f"step {key} is not a group"
        return state

    def set_group(self, key: str, state: GroupState) -> None:
        """Write a group's memory."""
        if key == ROOT:
            self.run = replace(self.run, root=state)
        else:
            self.put(replace(self.held(key), group=state))

    def node(self, key: str) -> Node:
        """The node of a step key; of an iteration, its loop."""
        return self.plan.node("" if key == ROOT else key[key.rfind("/") + 1 :].partition("[")[0])

    def is_over(self, key: str) -> bool:
        """Has this group itself ended?"""
        return self.run.status.ended if key == ROOT else self.held(key).status.ended

    def orphaned(self, key: str) -> bool:
        """Has a group around this one ended, so that nothing more may start in it?"""
        return self.run.status.ended or any(self.is_over(around) for around in self.plan.ancestors(key) if around)

    def stopping(self, key: str) -> bool:
        """May nothing more start where this step stands: is it being killed, or a group around it over?"""
        return self.killing(key) or self.orphaned(key)

    def killing(self, key: str) -> bool:
        """Is what stands here being killed? The tasks after the end outlive a kill of their run before the end."""
        if self.run.root.phase is Phase.AFTER and self.plan.is_after(key):
            return self.run.root.closing
        return self.run.status is RunStatus.KILLING

    def stopped_as(self, key: str) -> StepStatus:
        """How a step ends where nothing more may start: killed with its run, or cancelled with a group around it."""
        return StepStatus.KILLED if self.killing(key) else StepStatus.CANCELLED

    def worker_of(self, key: str) -> str:
        """The worker that alone can do a step, because it holds its folder; empty when any can."""
        folder = self.plan.folder_of(key)
        return self.group(folder).worker if folder else ""

    def open_under(self, key: str) -> list[Step]:
        """Every open step inside a group, in the newest form; not what attempts have merely reported."""
        found = {step.key: step for step in self.loaded.all_open()} | self._changed
        steps = [step for step in found.values() if step.status.open and "#" not in step.key]
        return [step for step in steps if key == ROOT or key in self.plan.ancestors(step.key)]


def is_half_done(step: Step | None) -> bool:
    """Is this a group that waits for its turn with a part of it done?"""
    return step is not None and step.status is StepStatus.WAITING and step.group not in (None, GroupState())


def _active(step: Step) -> bool:
    return step.group is None and is_at_work(step)


def is_at_work(step: Step) -> bool:
    """Has a step begun, and waits neither for its time nor for anybody?"""
    return step.status.open and step.status not in AT_REST
