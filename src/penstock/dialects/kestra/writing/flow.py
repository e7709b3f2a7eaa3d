"""What text is read as this flow? The model written as Kestra's YAML, in the order that `flows fmt` keeps."""

from __future__ import annotations

from penstock.dialects.kestra.labels import is_key
from penstock.dialects.kestra.writing.emit import emitted
from penstock.dialects.kestra.writing.nodes import listed
from penstock.dialects.kestra.writing.parts import checked, concurrency, declared, handed, kept, level, retried, span
from penstock.dialects.kestra.writing.triggers import trigger
from penstock.errors.flow import CannotWrite
from penstock.model.flow import Flow, Language


def write(flow: Flow, version: str = "1") -> str:
    """The text of a flow, which reads as the same flow where texts that name no version are of `version`.

    Its revision and its project's globals are not part of a text. Raises CannotWrite where the language has no words.
    """
    if flow.language != Language(version=flow.language.version):
        raise CannotWrite(f"The flow {flow.name} behaves as flows of another language do ({flow.language.dialect}).")
    body, own = flow.body, flow.language.version
    if body.run_if or body.retry or body.timeout != "" or body.deadline is not None or body.disabled:
        raise CannotWrite(f"What the flow {flow.name} says of its body is said by the flow itself.")
    if not body.nodes:
        raise CannotWrite(f"The flow {flow.name} has no tasks.")
    parts = {
        "id": flow.id,
        "namespace": flow.namespace,
        **kept(description=flow.description, labels=_labels(flow), disabled=flow.disabled),
        **kept(inputs=[declared(each, own) for each in flow.inputs], variables=flow.variables),
        **concurrency(flow.limits),
        **kept(checks=[checked(each) for each in flow.checks], sla=[level(each) for each in flow.sla]),
        **retried(flow.retry, own),
        **kept(timeout=span(flow.timeout)),
        "tasks": listed(body.nodes, own),
        **kept(errors=listed(body.errors, own), **{"finally": listed(body.finally_, own)}),
        **kept(afterExecution=listed(flow.after, own), outputs=[handed(each) for each in flow.outputs]),
        **kept(triggers=[trigger(each, own) for each in flow.triggers]),
    }
    first = "" if own == version else f"# kestra: {own}\n"
    return first + emitted(parts)


def _labels(flow: Flow) -> dict[str, str]:
    for key, value in flow.labels.items():
        if flow.language.version != "0.20" and not (is_key(key) and value):
            raise CannotWrite(f'The language has no such label of a flow: "{key}" of {flow.name}.')
    return flow.labels
