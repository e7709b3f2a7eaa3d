"""Which verbs change something, and whose right do they need? Declared where each verb stands: nobody can forget it.

`@audited` looks whether `core.actor` may do it, and tells the audit that it was done. Whoever calls the verb (a
command, the API, a program) has only to say who asks: `core.asked_by(actor)`. What Penstock does by itself is told by
the stories of runs, and not here.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

import msgspec

from penstock.errors.api import MayNot
from penstock.model import ids
from penstock.model.access import Action, Actor, ActorKind
from penstock.services.access.rights import can
from penstock.services.access.witness import Witness
from penstock.services.core import Core
from penstock.store import audit
from penstock.store.audit import Entry

P = ParamSpec("P")
R = TypeVar("R")
MOST: Final = 4_000


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How a verb is told of: its name, what it is about (`{name}` is an argument of it), and which arguments are kept.

    The namespace is a text like `object`, or that of the run whose id is the argument `run`; with neither the action is
    needed everywhere. Without an action the verb is about who asks, and looks itself. Arguments that may hold a secret
    are never among `keeps`. Where `each` names an argument with many things, the right is needed for each of them,
    which texts call `{each}`, and each is told of.
    """

    action: Action | None
    verb: str
    object: str = ""
    namespace: str = ""
    run: str = ""
    keeps: tuple[str, ...] = ()
    each: str = ""


AUDITED: Final[dict[str, Told]] = {}


def audited(
    action: Action | None,
    verb: str,
    object: str = "",
    *,
    namespace: str = "",
    run: str = "",
    keeps: tuple[str, ...] = (),
    each: str = "",
) -> Callable[[Callable[Concatenate[Core, P], R]], Callable[Concatenate[Core, P], R]]:
    """Declare a verb that changes something; it raises MayNot for who has no right to do it there."""
    about = f"run {{{run}}}" if run else object
    told = Told(action=action, verb=verb, object=about, namespace=namespace, run=run, keeps=keeps, each=each)

    def declared(work: Callable[Concatenate[Core, P], R]) -> Callable[Concatenate[Core, P], R]:
        AUDITED[f"{work.__module__}.{work.__qualname__}"] = told
        shape = inspect.signature(work)

        @functools.wraps(work)
        def witnessed(core: Core, /, *args: P.args, **kwargs: P.kwargs) -> R:
            # an act within an act is part of it
            if core.actor.kind is ActorKind.SYSTEM or isinstance(core.store, Witness):
                return work(core, *args, **kwargs)
            bound = shape.bind(core, *args, **kwargs)
            bound.apply_defaults()
            entries = [_entry(core, told, given) for given in _things(told, bound.arguments)]
            if action is not None:
                for namespace in dict.fromkeys(entry.namespace for entry in entries):
                    need(core.actor, action, namespace)
            witness = Witness(core.store, *entries)
            result = work(core.through(witness), *args, **kwargs)
            witness.finish(result)
            return result

        return cast("Callable[Concatenate[Core, P], R]", witnessed)

    return declared


def _things(told: Told, given: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What texts find in the arguments: once, or once for each thing that the verb is about."""
    if not told.each:
        yield given
    else:
        yield from ({**given, "each": thing} for thing in given[told.each])


def need(actor: Actor, action: Action, namespace: str) -> None:
    """Refuse what an actor may not do. Raises MayNot."""
    if not can(actor, action, namespace):
        where = f'in the namespace "{namespace}"' if namespace else "everywhere"
        raise MayNot(f"{actor.name} lacks the right {action} {where}.")


def _entry(core: Core, told: Told, given: Mapping[str, object]) -> Entry:
    now, actor = core.clock.now(), core.actor
    namespace = told.namespace.format(**given)
    if told.run:
        run_id = str(given[told.run])
        namespace = core.store.glance(lambda tx: audit.namespace_of(tx, run_id))
    return Entry(
        id=ids.run_id(now // 1000, core.entropy()),
        at=now,
        who=actor.name,
        kind=str(actor.kind),
        via=actor.via,
        origin=actor.origin,
        action=str(told.action or ""),
        verb=told.verb.format(**given),
        object=told.object.format(**given),
        namespace=namespace,
        detail=_detail({name: given[name] for name in told.keeps}),
    )


def _detail(kept: Mapping[str, object]) -> str:
    text = msgspec.json.encode(kept, enc_hook=str, order="deterministic").decode()
    return text if len(text) <= MOST else msgspec.json.encode({"characters": len(text)}).decode()
