"""Which flow looks, or listens, for a trigger? A hidden one with a single task, whose runs are runs like any other.

So what a look does is what every attempt does: it is claimed, leased, killed, retried and logged, and keeps its state.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from penstock.errors import PenstockError
from penstock.model.event import Kill
from penstock.model.flow import Flow
from penstock.model.node import Sequence, Task
from penstock.model.policy import SECOND
from penstock.model.run import Run
from penstock.model.trigger import Listening, Polling, looker, looks_for
from penstock.sdk import registry
from penstock.store import feed, flows, inbox, triggers
from penstock.store.port import Tx

TASK: Final = "look"
# A look that hangs must not keep its trigger for ever.
LONGEST: Final = 3_600 * SECOND
# A trigger that runs a script bears the name of the task type that it runs; these say what is made of the script's end.
SCRIPT: Final = ("ScriptTrigger", "CommandsTrigger")
JUDGES: Final = ("exitCondition", "edge")


def runs_script(trigger: Polling | Listening) -> bool:
    """Whether what a trigger looks with is a script."""
    return trigger.type.rpartition(".")[2] in SCRIPT


def hide(tx: Tx, flow: Flow, trigger: Polling | Listening, now: int) -> int:
    """Keep the flow that looks for a trigger, and give its revision: a new one where it says something else."""
    hidden = _hidden(flow, trigger)
    model = msgspec.json.encode(hidden)
    written = flows.Written(
        namespace=hidden.namespace,
        id=hidden.id,
        dialect=hidden.language.dialect,
        digest=hashlib.sha256(model).hexdigest(),
        source="",
        model=model.decode(),
    )
    return flows.hide(tx, written, now)


def stop(tx: Tx, run: str, now: int, by: str) -> None:
    """Have a run end that looks or listens. The sweep folds it: nothing waits for this end but the next look."""
    inbox.put(tx, run, Kill(by), now)
    feed.append(tx, [("event", run, now)], now)


def state_before(tx: Tx, run: Run, kind: str) -> dict[str, object] | None:
    """What the look before this one kept for it; nothing for a run that is no look."""
    if (found := looks_for(run.flow)) is None:
        return None
    state = triggers.get(tx, triggers.key_of(run.namespace, *found))
    return state.known.saved.get(kind) if state is not None else None


def _hidden(flow: Flow, trigger: Polling | Listening) -> Flow:
    kind, properties = trigger.type, dict(trigger.properties)
    if runs_script(trigger):
        kind = kind.removesuffix("Trigger")
        properties = {name: value for name, value in properties.items() if name not in JUDGES}
    task = Task(
        id=TASK,
        type=_short(kind),
        properties=properties,
        timeout=max(trigger.interval, LONGEST) if isinstance(trigger, Polling) else "",
        log_level=trigger.log_level,
        queue=trigger.queue,
    )
    return Flow(
        id=looker(flow.id, trigger.id),
        namespace=flow.namespace,
        body=Sequence(id="", nodes=(task,)),
        language=flow.language,
        variables=flow.variables,
        globals=flow.globals,
    )


def _short(kind: str) -> str:
    """The type's one name; a type that is not there is asked for by its author's, and says so when it is to look."""
    try:
        return registry.short_name(kind)
    except PenstockError:
        return kind
