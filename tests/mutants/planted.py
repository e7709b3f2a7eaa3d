"""Which bugs are planted? Small exact replacements in the engine and the protocol, each with what it breaks."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

World: TypeAlias = Literal["runs", "time"]


class Mutant(msgspec.Struct, frozen=True):
    """One bug: in the file (below `src/penstock`) the text `old`, which stands there exactly once, becomes `new`.

    `world` is what of the simulation must find it: that of workers and runs, or that of servers and dates.
    """

    name: str
    file: str
    old: str
    new: str
    world: World = "runs"


PLANTED: Final = (
    Mutant(
        "a report whose claim is gone is believed",
        "services/apply.py",
        "        if not held():\n            return _was_it_said(tx, sheets[0]), seen\n",
        "",
    ),
    Mutant(
        "a child's end is believed by a later attempt, whose run has the same name",
        "model/ids.py",
        'f"{parent}\\n{step}\\n{attempt}".encode()',
        'f"{parent}\\n{step}".encode()',
    ),
    Mutant(
        "the deadline of an earlier going-through is believed",
        "engine/due.py",
        "step.first_at is None or draft.now < step.first_at + node.deadline:",
        "step.first_at is None:",
    ),
    Mutant(
        "a parallel group begins one more than its limit",
        "engine/groups/parallel.py",
        "counts.open_children(state) < limit",
        "counts.open_children(state) <= limit",
    ),
    Mutant(
        "a loop begins one more than its limit",
        "engine/groups/foreach.py",
        "counts.open_children(state) < limit",
        "counts.open_children(state) <= limit",
    ),
    Mutant(
        "a limit lets in one too many",
        "services/admission.py",
        "self._taken(want) + want.limit.weight <= size",
        "self._taken(want) + want.limit.weight <= size + 1",
    ),
    Mutant(
        "a retry policy allows one try too many",
        "engine/retry.py",
        "step.tries >= policy.max_attempts",
        "step.tries > policy.max_attempts",
    ),
    Mutant(
        "an attempt may be lost once too often",
        "engine/leaf.py",
        "step.lost + 1 < MOST_LOST_IN_A_ROW",
        "step.lost < MOST_LOST_IN_A_ROW",
    ),
    Mutant(
        "looking again counts as a try",
        "engine/leaf.py",
        "    draft_step = replace(step, attempt=step.attempt + 1, queued_at=draft.now)",
        "    draft_step = replace(step, attempt=step.attempt + 1, tries=step.tries + 1, queued_at=draft.now)",
    ),
    Mutant(
        "nobody is woken when work is ready",
        "services/commit.py",
        "line=line)\n        after.wake = True",
        "line=line)",
    ),
    Mutant(
        "nobody tries to fold the run whose child has ended",
        "services/commit.py",
        "                after.fold.add(up.run)\n",
        "",
    ),
    Mutant(
        "whoever waits for a limit is not let in when a slot is free",
        "services/commit.py",
        "                after.limits.update(limits.release(tx, run.id, event.step, event.attempt))",
        "                limits.release(tx, run.id, event.step, event.attempt)",
    ),
    Mutant(
        "the slots of an attempt are not given back with its end",
        "services/commit.py",
        "            if isinstance(node, Task) and node.limits:\n                after",
        "            if isinstance(node, Task) and not node.limits:\n                after",
    ),
    Mutant(
        "a timer is lost when there is another one of its step",
        "services/commit.py",
        "                timers.set_timer(tx, run.id, effect.step, effect.attempt, effect.timer, effect.at)\n",
        '                if not tx.one("timers.any_for", run_id=run.id):\n'
        "                    timers.set_timer(tx, run.id, effect.step, effect.attempt, effect.timer, effect.at)\n",
    ),
    Mutant(
        "a failed transaction is committed",
        "store/sqlite/store.py",
        '                if session.in_transaction:\n                    session.execute("ROLLBACK")\n',
        '                if session.in_transaction:\n                    session.execute("COMMIT")\n',
    ),
    Mutant(
        "an event leaves the inbox before it is folded",
        "services/fold.py",
        "    result = core.store.write(work)\n",
        "    core.store.write(lambda tx: inbox.drop(tx, batch.folded))\n    result = core.store.write(work)\n",
    ),
    Mutant(
        "the version of a run is not compared",
        "services/commit.py",
        "        if version != batch.expected:\n            return Result.STALE\n",
        "        batch.expected = version\n",
    ),
    Mutant(
        "a kill misses what is ready and not yet claimed",
        "services/commit.py",
        "(*queue.withdraw(tx, run_id, effect.steps), *limits.withdraw(tx, run_id, effect.steps))",
        "limits.withdraw(tx, run_id, effect.steps)",
    ),
    Mutant(
        "a kill misses what waits for a limit",
        "services/commit.py",
        "(*queue.withdraw(tx, run_id, effect.steps), *limits.withdraw(tx, run_id, effect.steps))",
        "queue.withdraw(tx, run_id, effect.steps)",
    ),
    Mutant(
        "a parent is not told of a child that was killed while it was queued",
        "engine/kill.py",
        "        tell_parent(draft, None)\n        return\n    if run.status is RunStatus.RETRIED",
        "        return\n    if run.status is RunStatus.RETRIED",
    ),
    Mutant(
        "a rule is judged while what it needs is still open",
        "engine/groups/rules.py",
        "    if early or _any(marks, UNDONE):",
        "    if early or _any(marks, WAITING):",
    ),
    Mutant(
        "an iteration that is not kept stays",
        "services/commit.py",
        "                steps.forget(tx, run.id, effect.iteration)",
        "                pass",
    ),
    Mutant(
        "a pause may be resumed twice",
        "engine/hold.py",
        "step is not None and step.status is StepStatus.PAUSED and step.attempt == event.attempt",
        "step is not None and step.attempt == event.attempt",
    ),
    Mutant(
        "a result of other code is used again",
        "services/cached.py",
        "node.id, cache.version, about]",
        "node.id, about]",
    ),
    Mutant(
        "a run that another one has replaced can be restarted",
        "engine/restart.py",
        "run.status in (RunStatus.SUCCESS, RunStatus.RETRIED):",
        "run.status is RunStatus.SUCCESS:",
    ),
    Mutant(
        "a restarted run shows the outputs of its last going-through",
        "engine/restart.py",
        'outputs=None, failure=None, killed_by="")\n    if draft.plan.flow.limit is not None:\n'
        "        draft.move_run(RunStatus.QUEUED, event.by)",
        'failure=None, killed_by="")\n    if draft.plan.flow.limit is not None:\n'
        "        draft.move_run(RunStatus.QUEUED, event.by)",
    ),
    Mutant(
        "a finally is skipped",
        "engine/groups/guard.py",
        "    if draft.plan.children(draft.node(key).id, FINALLY):",
        "    if state.phase is Phase.ERRORS and draft.plan.children(draft.node(key).id, FINALLY):",
    ),
    Mutant(
        "the errors of a group that takes too long are skipped",
        "engine/groups/guard.py",
        "    elif result is StepStatus.FAILED and draft",
        "    elif result is StepStatus.FAILED and counts.has_bad(state) and draft",
    ),
    Mutant(
        "an attempt begins though its run is paused",
        "engine/draft.py",
        "        if self.run.held_by:\n            self.put(",
        '        if self.run.held_by == "nobody":\n            self.put(',
    ),
    Mutant(
        "what a dead worker held is not reported as lost",
        "services/sweep.py",
        "    lost = core.store.read(lambda tx: [held for name in dead for held in queue.held(tx, name)])\n",
        "    lost: list[Claim] = []\n",
    ),
    Mutant(
        "a run that moves is no news",
        "services/commit.py",
        '    feed.append(tx, [("run", run.id, batch.committed().version)], now)\n    return Result.WRITTEN',
        "    return Result.WRITTEN",
    ),
    Mutant(
        "one key starts two runs",
        "services/starting.py",
        "replace(run, version=0), each.key)",
        'replace(run, version=0), "")',
    ),
    Mutant(
        "a retry begins before its time",
        "engine/leaf.py",
        "        draft.emit(SetTimer(step.key, step.attempt, Timer.RETRY, at))",
        "        draft.emit(SetTimer(step.key, step.attempt, Timer.RETRY, draft.now))",
    ),
    Mutant(
        "a sibling that is cancelled is not counted",
        "engine/groups/guard.py",
        "            draft.set_group(parent, counts.ended(draft.group(parent), status, None))",
        "            pass",
    ),
    Mutant(
        "a run that takes another's place later never begins",
        "services/commit.py",
        '        timers.set_timer(tx, fresh.id, "", 0, Timer.BEGIN, effect.at)\n',
        "",
    ),
    Mutant(
        "a group that ends because a task ends its run is not counted",
        "engine/settle.py",
        "            return\n        _count(draft, draft.ended.pop())\n",
        "            return\n        draft.ended.pop()\n",
    ),
)
