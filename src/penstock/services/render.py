"""What does an attempt work with? Properties with every expression rendered, and the secrets that were used."""

from __future__ import annotations

import datetime
import functools
import time
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from penstock import expr
from penstock.engine import Loaded
from penstock.engine.evaluate import EPOCH
from penstock.engine.finish import outline as outputs_outline
from penstock.engine.groups import branch, foreach, pause, room, subflow, until
from penstock.engine.scope import inputs_told, nested, plain, scope_of
from penstock.engine.values import span_micros
from penstock.errors import PenstockError
from penstock.errors.expr import ExprFailed
from penstock.errors.run import UnknownStep
from penstock.errors.store import StoreError
from penstock.model import ids
from penstock.model.event import Evaluated
from penstock.model.node import Dag, ForEach, If, Node, Parallel, Pause, Subflow, Switch, Task, Until
from penstock.model.plan import ROOT, Plan
from penstock.model.run import ErrorKind, Failure, Step
from penstock.model.trigger import looks_for
from penstock.sdk import registry
from penstock.sdk.describe import describe
from penstock.sdk.launch import HERE, INPUT_FILE, OUTPUT_FOLDER, promised
from penstock.services import looking, reaching
from penstock.services.cached import result_key
from penstock.services.core import Core
from penstock.services.listed import listed
from penstock.services.reading import on_one_version, with_parts
from penstock.services.secrets import given
from penstock.services.secrets.masks import Masks
from penstock.store import attempts
from penstock.store.queue import Claim


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A claim ready to be done: the task, its rendered properties, what its process may know.

    `timeout` of the attempt in microseconds; `secrets` are texts to be masked in logs; `state` is what an earlier
    attempt saved; `cached_as` is the key of its result, where one may be used again.
    """

    loaded: Loaded
    step: Step
    node: Task
    properties: dict[str, object]
    timeout: int | None
    secrets: frozenset[str]
    idempotency_key: str
    state: dict[str, object]
    cached_as: str = ""


def prepare(core: Core, claim: Claim) -> Prepared:
    """Render a claimed task's properties. Raises PenstockError when an expression cannot be rendered."""
    prepared = on_one_version(core, claim.run, lambda loaded: prepare_on(core, claim, loaded))
    core.cache.keep(prepared.loaded)
    return prepared


def prepare_on(core: Core, claim: Claim, loaded: Loaded) -> Prepared:
    """Render a task's properties on a run already loaded. Raises PenstockError."""
    node = loaded.plan.node(ids.node_of(claim.step))
    assert isinstance(node, Task), f"{claim.step} is not a task"
    used: set[str] = set()
    calls = worker_calls(core, loaded, used)

    def render() -> tuple[dict[str, object], object, Step, str]:
        scope = worker_scope(core, loaded, claim.step, used) | promised(node.properties)
        step = loaded.step(claim.step)
        if step is None:
            raise UnknownStep(f'"{claim.step}" is not kept any more: its loop has gone on without it.')
        timeout = expr.render(node.timeout, scope, calls) if node.timeout else None
        own_key = expr.render(node.cache.key, scope, calls) if node.cache else ""
        return _properties(node, scope, calls), timeout, step, str(own_key)

    try:
        properties, timeout, step, own_key = with_parts(core, loaded, render)
    except Exception as error:
        hide(error, used)
        raise
    cached_as = result_key(loaded.plan, node, node.cache, properties, own_key) if node.cache else ""
    state = None
    if step.attempt > 1:
        state = core.store.read(lambda tx: attempts.last_state(tx, claim.run, claim.step))
    if state is None and looks_for(loaded.run.flow):
        state = core.store.read(lambda tx: looking.state_before(tx, loaded.run, node.type))
    return Prepared(
        loaded=loaded,
        step=step,
        node=node,
        properties=properties,
        timeout=_micros(timeout),
        secrets=frozenset(used),
        idempotency_key=f"{claim.run}/{claim.step}",
        state=state or {},
        cached_as=cached_as,
    )


def hide(error: BaseException, used: set[str]) -> None:
    """Take secrets out of what an error tells, and out of what led to it."""
    masks, told = Masks(used), set[int]()
    each: BaseException | None = error
    while masks and each is not None and id(each) not in told:
        told.add(id(each))
        if isinstance(each, PenstockError):
            each.sentence, each.hint = masks.hide_text(each.sentence), masks.hide_text(each.hint)
        each.args = tuple(masks.hide_text(str(part)) for part in each.args)
        each = each.__cause__ or each.__context__


def _properties(node: Task, scope: dict[str, object], calls: expr.Calls) -> dict[str, object]:
    """A task's properties rendered, each as its type declares it."""
    made, asked = dict(node.properties), {}
    for name, value in node.properties.items():
        if isinstance(value, str) and name in fields_that(node.type, "typed"):
            made[name] = _alone(value, scope, calls)
        elif name not in fields_that(node.type, "unrendered"):
            asked[name] = value
    rendered = expr.render(asked, scope, calls)
    assert isinstance(rendered, dict)
    return made | rendered


@functools.lru_cache(maxsize=4096)
def fields_that(kind: str, are: Literal["unrendered", "typed"]) -> frozenset[str]:
    """The properties of a task type that its tasks get as they are written, or as the type that an expression gives."""
    try:
        found = registry.find(kind)
    except PenstockError:
        return frozenset()
    wanted = (field for field in describe(found).fields if (field.typed if are == "typed" else not field.template))
    return frozenset(field.name for field in wanted)


def properties_of(
    core: Core, claim: Claim, written: Callable[[Plan], dict[str, object]], used: set[str]
) -> dict[str, object]:
    """Render properties of a claimed group; secrets that it unseals go to `used`. Raises PenstockError when an
    expression cannot be rendered.
    """

    def rendered(loaded: Loaded) -> dict[str, object]:
        calls = worker_calls(core, loaded, used)
        tree = written(loaded.plan)
        found = with_parts(core, loaded, lambda: expr.render(tree, worker_scope(core, loaded, claim.step, used), calls))
        assert isinstance(found, dict)
        return {str(name): value for name, value in found.items()}

    try:
        return on_one_version(core, claim.run, rendered)
    except PenstockError as error:
        hide(error, used)
        raise


def evaluate(core: Core, claim: Claim) -> Evaluated:
    """Evaluate what a decision needs and what reaches out, to be recorded; or say why it cannot be. Raises
    StoreError.
    """
    used: set[str] = set()
    try:
        values = on_one_version(core, claim.run, lambda loaded: _evaluate_on(core, claim, loaded, used))
        return Evaluated(claim.step, claim.attempt, Masks(used).hide_data(values))
    except StoreError:
        raise
    except PenstockError as error:
        hide(error, used)
        failure = Failure(ErrorKind.EXPRESSION, f"{error.sentence} {error.hint}".strip(), None, error.code)
        return Evaluated(claim.step, claim.attempt, failure=failure)


def _evaluate_on(core: Core, claim: Claim, loaded: Loaded, used: set[str]) -> dict[str, object]:
    calls = worker_calls(core, loaded, used)

    def render() -> dict[str, object]:
        scope = worker_scope(core, loaded, claim.step, used)
        values = {name: _typed(value, scope, calls) for name, value in _outline(loaded, claim.step).items()}
        node = loaded.plan.seats.get(ids.node_of(claim.step))
        if node is not None and isinstance(node.node, ForEach) and node.node.gathers and "values" in values:
            values["values"] = listed(core, values["values"])
        if node is not None and isinstance(node.node, Subflow) and isinstance(inputs := values.get("inputs"), dict):
            asked = subflow.given(node.node, inputs, lambda tree: _typed(tree, scope, calls))
            values["inputs"] = given.handed(core, loaded.plan.flow, asked, used)
        return values

    return with_parts(core, loaded, render)


def worker_scope(core: Core, loaded: Loaded, key: str, used: set[str]) -> dict[str, object]:
    """What an expression sees in a worker: the run's data, the environment meant for flows, where scripts will be.

    Inputs that are secrets are unsealed, and added to `used`. Raises NoMasterKey, CannotUnseal.
    """
    places = {"workingDir": HERE, "outputDir": f"{HERE}/{OUTPUT_FOLDER}", INPUT_FILE: f"{HERE}/{INPUT_FILE}"}
    flow, inputs = loaded.plan.flow, loaded.run.inputs
    told = given.opened_inputs(core, flow, inputs, used)
    scope = scope_of(loaded, key) | {"envs": core.envs} | places
    if told != inputs:
        scope["inputs"] = nested(inputs_told(flow, told))
    if pauses := loaded.plan.secret_pauses:
        outputs = scope["outputs"]
        assert isinstance(outputs, Mapping)
        scope["outputs"] = given.Opened(outputs, pauses, lambda found: given.opened(core, flow, plain(found), used))
    return scope


def worker_calls(core: Core, loaded: Loaded, used: set[str]) -> expr.Calls:
    """What an expression of a run may call in a worker; every secret it unseals is added to `used`."""
    asker = reaching.Asker(loaded.run.namespace, loaded.plan.flow.language.version, loaded.run)
    return _calls(core, asker, used)


def calls_in(core: Core, namespace: str, used: set[str]) -> expr.Calls:
    """What an expression may call that belongs to a namespace and to no run yet; secrets it unseals go to `used`."""
    return _calls(core, reaching.Asker(namespace), used)


def _calls(core: Core, asker: reaching.Asker, used: set[str]) -> expr.Calls:
    return expr.Calls(
        now=EPOCH + datetime.timedelta(microseconds=core.clock.now()),
        functions=reaching.functions(core, asker, used),
        version=asker.version,
        clock=_stopwatch,
    )


def _stopwatch() -> int:
    return time.monotonic_ns() // 1_000


def _outline(loaded: Loaded, key: str) -> dict[str, object]:
    if key == ROOT:
        return outputs_outline(loaded.plan.flow.outputs)
    node: Node = loaded.plan.node(ids.node_of(key))
    step = loaded.step(key)
    if node.run_if and step is not None and step.group is None:
        # A group that is wanted asks for the rest when it begins.
        return {"runIf": node.run_if} | (_outline_of(node) if isinstance(node, Subflow | Pause) else {})
    return _outline_of(node)


def _outline_of(node: Node) -> dict[str, object]:
    match node:
        case If() | Switch():
            return branch.outline(node)
        case ForEach():
            return foreach.outline(node)
        case Parallel() | Dag():
            return room.outline(node)
        case Subflow():
            return subflow.outline(node)
        case Until():
            return until.outline(node)
        case Pause():
            return pause.outline(node)
        case _:
            return {}


def _alone(text: str, scope: dict[str, object], calls: expr.Calls) -> object:
    """A text as what its expression gives, where it is nothing but one expression."""
    template = expr.compile(text)
    return plain(template.value(scope, calls)) if template.is_one else template.render(scope, calls)


def _typed(tree: object, scope: dict[str, object], calls: expr.Calls) -> object:
    found = expr.compile(tree).value(scope, calls) if isinstance(tree, str) else expr.render(tree, scope, calls)
    return plain(found)


def _micros(timeout: object) -> int | None:
    if timeout is None or timeout == "":
        return None
    try:
        return timeout if isinstance(timeout, int) else span_micros(str(timeout))
    except ValueError:
        raise ExprFailed(f'The timeout is "{timeout}", which is no duration such as PT5M.') from None
