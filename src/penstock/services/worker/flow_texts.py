"""What may a task do with flows? Read their texts, make texts their newest revisions, let flows start no more runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from penstock.errors.task import Refused
from penstock.model.run import Run
from penstock.sdk.context import Ask
from penstock.services import flows as verbs
from penstock.services.core import Core
from penstock.services.project import Manner, read_text
from penstock.store import flows


def answer(core: Core, asking: Run, asked: Ask, body: Mapping[str, object]) -> object:
    """Answer a question about flows. Raises Refused, which says why not."""
    namespace = str(body.get("namespace") or asking.namespace)
    match asked:
        case Ask.FLOWS_LIST:
            return _listed(core, namespace, bool(body.get("below")))
        case Ask.FLOW_PUT:
            return _put(core, str(body["source"]), f"run {asking.id}", bool(body.get("dry")))
        case _:
            return verbs.remove(core, namespace, str(body["flow"]))


def _listed(core: Core, namespace: str, below: bool) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for each in core.store.read(lambda tx: flows.list_flows(tx, namespace)):
        if each.namespace != namespace and not below:
            continue
        kept = core.store.read(partial(flows.current, namespace=each.namespace, flow_id=each.id))
        if kept is not None:
            found.append(
                {"namespace": each.namespace, "flow": each.id, "revision": kept.revision, "source": kept.source}
            )
    return found


def _put(core: Core, source: str, by: str, dry: bool) -> dict[str, object]:
    reading = read_text(source, Manner())
    if reading.flow is None:
        told = " ".join(problem.sentence for problem in reading.problems[:5])
        raise Refused(f"The text is no flow: {told}")
    flow = reading.flow
    before = core.store.read(lambda tx: flows.current(tx, flow.namespace, flow.id))
    state = "ADDED" if before is None else "UNCHANGED" if before.source == reading.source else "UPDATED"
    revision = before.revision if before else 0
    if not dry and state != "UNCHANGED":
        revision = verbs.push(core, flow, reading.source, reading.digest, by).flow.revision
    return {"namespace": flow.namespace, "flow": flow.id, "revision": revision, "state": state}
