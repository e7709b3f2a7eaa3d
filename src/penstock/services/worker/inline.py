"""How is a task done in the worker's own thread? At once, with the context that a process of its own would have."""

from __future__ import annotations

import traceback

from penstock.engine import Loaded
from penstock.errors import PenstockError
from penstock.model import ids
from penstock.model.effect import Ready, Work
from penstock.model.event import Ended
from penstock.model.node import Task
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import Outcome
from penstock.sdk import registry
from penstock.sdk.child import perform
from penstock.sdk.context import Context
from penstock.sdk.task import Mode
from penstock.services import cached
from penstock.services.render import Prepared, prepare_on
from penstock.services.worker import answers
from penstock.services.worker.channel import read_outcome
from penstock.services.worker.ending import Told
from penstock.services.worker.shop import Shop
from penstock.services.worker.slot import Inline, work_of
from penstock.services.worker.story import Story
from penstock.store.chunks import Level
from penstock.store.queue import Claim

Outputs = dict[str, object] | None
EXPRESSION_CODES = "PS-1"


class Transport:
    """The way to the worker for a task that runs inside it."""

    def __init__(self, shop: Shop, story: Story, asker: answers.Asker) -> None:
        self._shop = shop
        self._story = story
        self._asker = asker

    def send(self, frame: dict[str, object]) -> None:
        """Tell the worker something."""
        self._story.hear(frame)

    def ask(self, what: str, body: dict[str, object]) -> object:
        """Ask the worker; Refused when it declines."""
        return answers.answer(self._shop.core, self._asker, what, body)


def successor(shop: Shop, plan: Plan, loaded: Loaded, ready: Ready) -> tuple[Ended, Outputs] | None:
    """Do a step that has just become ready, when it is of the inline kind; nothing for all others."""
    node = plan.node(ids.node_of(ready.step))
    if ready.work is not Work.TASK or not isinstance(node, Task) or not is_inline(node):
        return None
    run = loaded.run
    claim = Claim(
        run=run.id,
        step=ready.step,
        attempt=ready.attempt,
        work=ready.work,
        fence=0,
        priority=run.priority,
        killing="",
        owner=run.owner,
        claimed_at=shop.core.clock.now(),
        worker=shop.worker,
    )
    try:
        prepared = prepare_on(shop.core, claim, loaded)
        work = work_of(shop, claim, prepared)
    except PenstockError as error:
        return refused(shop, claim, error), None
    assert isinstance(work, Inline)
    return run_inline(shop, claim, prepared, work)


def from_cache(shop: Shop, claim: Claim, prepared: Prepared) -> tuple[Ended, Outputs] | None:
    """The end of a task whose result of an earlier run may be used again; nothing when there is none."""
    found = cached.find(shop.core, prepared.cached_as) if prepared.cached_as else None
    if found is None:
        return None
    story = Story(shop, claim, lambda _question: None)
    story.say(f"Its result is taken from run {found.run}, step {found.step}.")
    story.end()
    told = Told(Outcome.DONE)
    return _ended(shop, claim, told, shop.core.clock.now(), None), found.outputs


def is_inline(node: Task) -> bool:
    """Whether a task needs no process, nor a look for an earlier result."""
    if node.cache is not None:
        return False
    try:
        return registry.find(node.type).mode is Mode.INLINE
    except PenstockError:
        return False


def run_inline(shop: Shop, claim: Claim, prepared: Prepared, work: Inline) -> tuple[Ended, Outputs]:
    """Do a task now; its outcome and outputs."""
    began = shop.core.clock.now()
    story = Story(shop, claim, lambda _question: None)
    asker = answers.Asker(prepared.loaded.run, claim.step, claim.attempt, None, story.masks.add, story.masks)
    frame = perform(work.task, Context(work.about, Transport(shop, story, asker)))
    told = read_outcome(frame)
    if told.failure is not None:
        story.say(told.failure.message, Level.ERROR)
    elif told.message:
        story.say(told.message, Level.WARNING if told.outcome is Outcome.WARNING else Level.INFO)
    story.end()
    return story.hidden(_ended(shop, claim, told, began, story), story.outputs | told.outputs)


def refused(shop: Shop, claim: Claim, error: PenstockError) -> Ended:
    """The end of an attempt that could not begin: its properties could not be rendered, or do not fit."""
    sentence = f"{error.sentence} {error.hint}".strip()
    kind = ErrorKind.EXPRESSION if error.code.startswith(EXPRESSION_CODES) else ErrorKind.TASK
    story = Story(shop, claim, lambda _question: None)
    story.say(str(error), Level.ERROR)
    told = Told(Outcome.FAILED, {}, Failure(kind, sentence, None, error.code))
    return story.hidden(_ended(shop, claim, told, shop.core.clock.now(), None), None)[0]


def broken(shop: Shop, claim: Claim, error: Exception) -> Ended:
    """The end of an attempt whose task type raised what no task type should."""
    story = Story(shop, claim, lambda _question: None)
    story.say("".join(traceback.format_exception(error)).rstrip(), Level.ERROR)
    failure = Failure(ErrorKind.SYSTEM, f"{type(error).__name__}: {error}".rstrip(": "))
    return story.hidden(_ended(shop, claim, Told(Outcome.FAILED, {}, failure), shop.core.clock.now(), None), None)[0]


def _ended(shop: Shop, claim: Claim, told: Told, began: int, story: Story | None) -> Ended:
    return Ended(
        step=claim.step,
        attempt=claim.attempt,
        outcome=told.outcome,
        worker=shop.worker,
        started_at=began,
        ended_at=shop.core.clock.now(),
        failure=told.failure,
        state=story.state if story else None,
        orders=story.orders if story else (),
        until=None if told.wait is None else shop.core.clock.now() + round(max(told.wait, 0) * SECOND),
    )
