"""How does a run end? With its flow's outputs, its last status, and word to the run that waits for it."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.around import status_word
from penstock.engine.draft import AT_REST, Draft
from penstock.engine.evaluate import converted, failure_of, is_pure, outputs_of
from penstock.engine.rule import Rule
from penstock.errors import PenstockError
from penstock.model import ids
from penstock.model.effect import Ready, StartAgain, TellParent, Withdraw, Work
from penstock.model.inputs import Output
from penstock.model.plan import AFTER, ROOT, Plan
from penstock.model.run import ErrorKind, Failure, Phase, Run
from penstock.model.status import RunStatus, StepStatus


def finish(draft: Draft, result: StepStatus, failure: Failure | None = None) -> None:
    """End the run as its root group ended; outputs that reach out are evaluated by a worker first."""
    declared = draft.plan.flow.outputs
    if declared and result is not StepStatus.KILLED and not is_pure(outline(declared), draft.run):
        root = draft.run.root
        draft.run = replace(draft.run, root=replace(root, result=result, evaluation=root.evaluation + 1, lost=0))
        draft.rule(ROOT, Rule.OUTPUTS_ASKED)
        # Not held back by a pause: nothing of the flow's own begins by it.
        draft.emit(Ready(ROOT, draft.run.root.evaluation, Work.EVALUATE))
        return
    outputs, problem = (
        outputs_of(draft, ROOT, declared) if declared and result is not StepStatus.KILLED else (None, None)
    )
    _end(draft, result, failure, outputs, problem)


def leave(draft: Draft, result: StepStatus, failure: Failure | None) -> None:
    """End the run before its tasks are over; it hands on nothing, since what that is made of may not be there."""
    root = draft.run.root
    draft.run = replace(draft.run, root=replace(root, result=result, failure=failure))
    _end(draft, result, failure, None, None)


def evaluate_again(draft: Draft, evaluation: int) -> None:
    """Have outputs evaluated after all that were taken back with what else was ready, when the run was paused."""
    run = draft.run
    if evaluation == run.root.evaluation and not run.status.ended and run.status is not RunStatus.KILLING:
        draft.emit(Ready(ROOT, evaluation, Work.EVALUATE))


def finish_with(draft: Draft, values: dict[str, object], problem: Failure | None) -> None:
    """End the run with outputs that a worker evaluated."""
    root = draft.run.root
    outputs = None
    if problem is None:
        try:
            outputs = {o.id: converted(o, values.get(o.id)) for o in draft.plan.flow.outputs}
        except PenstockError as error:
            problem = failure_of(error)
    _end(draft, root.result or StepStatus.SUCCESS, root.failure, outputs, problem)


def awaits_outputs(draft: Draft) -> bool:
    """May a worker's answer about the outputs of the flow still count?"""
    run = draft.run
    return not run.status.ended and run.status is not RunStatus.KILLING and run.root.verdict is None


def outline(declared: tuple[Output, ...]) -> dict[str, object]:
    """The templates of a flow's outputs, by id."""
    return {output.id: output.value for output in declared}


def _end(
    draft: Draft,
    result: StepStatus,
    failure: Failure | None,
    outputs: dict[str, object] | None,
    problem: Failure | None,
) -> None:
    # Outputs that cannot be rendered fail a run that was well; they do not hide why another one failed.
    if problem is not None and result in (StepStatus.SUCCESS, StepStatus.WARNING):
        draft.rule(ROOT, Rule.OUTPUTS_FAILED)
        message = f"The outputs of the flow cannot be rendered. {problem.message}"
        result, failure = StepStatus.FAILED, Failure(ErrorKind.EXPRESSION, message, code=problem.code)
    draft.run = replace(draft.run, outputs=outputs, failure=failure)
    after = draft.plan.children(ROOT, AFTER)
    root = replace(draft.run.root, verdict=result)
    if after:
        draft.rule(ROOT, Rule.AFTER_ENTERED)
        draft.run = replace(draft.run, root=replace(root, phase=Phase.AFTER, next=1, closing=False))
        draft.starting.append((draft.plan.child_key(ROOT, after[0], AFTER), after[0]))
    else:
        draft.run = replace(draft.run, root=root)
        close(draft)


def close(draft: Draft) -> None:
    """Give the run the last status that was found for it, and end what merely waits."""
    verdict = draft.run.root.verdict
    assert verdict is not None
    draft.move_run(RunStatus(verdict.value))
    draft.run = replace(draft.run, ended_at=draft.now, reason="", held_by="")
    _wait_no_longer(draft)
    tell_parent(draft, draft.run.outputs)


def retire(draft: Draft, at: int) -> None:
    """End the run as retried: another one like it begins at an instant, and stands for it from then on."""
    draft.retired_at = None
    run = draft.run
    successor = ids.child_run_id(run.id, "", run.number + 1)
    draft.rule(ROOT, Rule.RETRY_AS_NEW_RUN)
    draft.move_run(RunStatus.RETRIED)
    draft.run = replace(draft.run, ended_at=draft.now, reason="", held_by="", successor=successor)
    draft.emit(StartAgain(successor, at))
    tell_parent(draft, None)


def _wait_no_longer(draft: Draft) -> None:
    """What still runs beside the end may end by itself; what merely waits for its time would wait for ever."""
    if draft.run.open:
        for step in draft.open_under(ROOT):
            if step.waits_for:
                draft.emit(Withdraw((step.key,)))
            if step.status in AT_REST or step.held or step.waits_for:
                draft.rule(step.key, Rule.BESIDE_THE_END)
                draft.end(step, StepStatus.CANCELLED)


def tell_parent(draft: Draft, outputs: dict[str, object] | None) -> None:
    """Let the run that waits for this one know how it ended; one that somebody restarts is waited for by nobody."""
    for word in words_to_parent(draft.plan, draft.run, outputs):
        draft.emit(word)


def words_to_parent(plan: Plan, run: Run, outputs: dict[str, object] | None) -> tuple[TellParent, ...]:
    """What an ended run says to the run that waits for it, if one does."""
    if run.parent is None or not run.parent.wait or run.rounds != run.parent.round:
        return ()
    handed: dict[str, object] = {
        "executionId": run.id,
        "state": status_word(plan, run.status),
        "outputs": outputs or {},
    }
    return (TellParent(run.parent, run.status, handed, run.failure, run.origin or run.id),)
