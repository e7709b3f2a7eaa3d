"""Which flows are there, and what did each of their revisions say?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from penstock.errors.store import StoreBusy
from penstock.model.access import Scope
from penstock.model.flow import Flow
from penstock.store import codec
from penstock.store.port import Row, Tx
from penstock.store.reach import reached

FLOW: Final = msgspec.json.Decoder(Flow)


class Labelled(msgspec.Struct, frozen=True):
    """Of a flow, what lists show."""

    labels: dict[str, str] = {}


LABELLED: Final = msgspec.json.Decoder(Labelled)


class Revision(msgspec.Struct, frozen=True):
    """One frozen text of a flow, and the model it was read into as JSON."""

    namespace: str
    id: str
    revision: int
    dialect: str
    digest: str
    source: str
    model: str
    created_at: int
    created_by: str

    def flow(self) -> Flow:
        """Read the model; its revision is this one."""
        flow = FLOW.decode(self.model)
        return msgspec.structs.replace(flow, revision=self.revision)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A flow's text as somebody hands it in; `digest` is what tells two texts apart, `model` the flow as JSON."""

    namespace: str
    id: str
    dialect: str
    digest: str
    source: str
    model: str


class Listed(msgspec.Struct, frozen=True):
    """A flow in a list."""

    namespace: str
    id: str
    revision: int
    changed_at: int


class Made(msgspec.Struct, frozen=True):
    """A revision in a list, without its text."""

    revision: int
    dialect: str
    digest: str
    created_at: int
    created_by: str


class Shown(msgspec.Struct, frozen=True):
    """A flow in a list, with who made its newest revision, and its labels."""

    namespace: str
    id: str
    revision: int
    changed_at: int
    changed_by: str
    labels: dict[str, str] = {}


def saying(tx: Tx, written: Written) -> int | None:
    """Give the newest revision of a flow that says what is written already; nothing where pushing would make one."""
    head = tx.one("flows.head", namespace=written.namespace, id=written.id)
    return codec.number(head[0]) if head and head[1] == written.digest and not head[2] else None


def push(tx: Tx, written: Written, now: int, by: str = "") -> int:
    """Make a text the flow's newest and give its revision: a new one only when the digest changed or it was deleted."""
    head = tx.one("flows.head", namespace=written.namespace, id=written.id)
    if head and head[1] == written.digest and not head[2]:
        return codec.number(head[0])
    revision = codec.number(head[0]) + 1 if head else 1
    if not _added(tx, written, revision, now, by):
        raise StoreBusy(
            f'Somebody else pushed "{written.namespace}.{written.id}" at the same moment.', hint="Try again."
        )
    tx.run("flows.point", namespace=written.namespace, id=written.id, revision=revision, now=now)
    return revision


def hide(tx: Tx, written: Written, now: int) -> int:
    """Make a text the newest of a flow that nobody sees or starts, and give its revision: a new one if it changed."""
    head = tx.one("flows.head", namespace=written.namespace, id=written.id)
    if head and head[1] == written.digest:
        return codec.number(head[0])
    revision = codec.number(head[0]) + 1 if head else 1
    _added(tx, written, revision, now, "")
    tx.run("flows.hide", namespace=written.namespace, id=written.id, revision=revision, now=now)
    return revision


def current(tx: Tx, namespace: str, flow_id: str) -> Revision | None:
    """Give a flow's newest revision; nothing when it is not there or deleted."""
    return _revision(tx.one("flows.current", namespace=namespace, id=flow_id))


def revision(tx: Tx, namespace: str, flow_id: str, number: int) -> Revision | None:
    """Give one revision of a flow, deleted or not."""
    return _revision(tx.one("flows.revision", namespace=namespace, id=flow_id, revision=number))


def revisions(tx: Tx, namespace: str, flow_id: str) -> list[Revision]:
    """Give every revision of a flow, newest first."""
    found = [_revision(row) for row in tx.all("flows.revisions", namespace=namespace, id=flow_id)]
    return [one for one in found if one]


def of_triggers(tx: Tx, keys: Sequence[str]) -> list[tuple[str, int]]:
    """Give the models, as JSON, and the numbers of the revisions that these triggers are of, each once."""
    return [(str(model), codec.number(number)) for model, number in tx.all("flows.of_triggers", keys=list(keys))]


def newest(tx: Tx, namespace: str, flow_id: str) -> int | None:
    """Give the number of a flow's newest revision; nothing when it is not there or deleted."""
    row = tx.one("flows.newest", namespace=namespace, id=flow_id)
    return codec.number(row[0]) if row else None


def history(tx: Tx, namespace: str, flow_id: str, limit: int, before: int = 2**31) -> list[Made]:
    """Give a flow's revisions before a number, newest first, deleted or not."""
    rows = tx.all("flows.history", namespace=namespace, id=flow_id, before=before, limit=limit)
    return [codec.value(row, Made) for row in rows]


def list_flows(tx: Tx, namespace: str = "") -> list[Listed]:
    """Give the flows of a namespace and those below it (of all, when empty), by name."""
    if namespace:
        below = f"{codec.like(namespace)}.%"
        rows = tx.all("flows.list+namespace", namespace=namespace, below=below)
    else:
        rows = tx.all("flows.list")
    return [codec.value(row, Listed) for row in rows]


def page(
    tx: Tx, scope: Scope, limit: int, after: tuple[str, str] = ("", ""), *, namespace: str = "", text: str = "",
    labels: Mapping[str, str] = MappingProxyType({}),
) -> list[Shown]:  # fmt: skip
    """Give the flows in a scope behind a name (namespace and id), by name."""
    params: dict[str, object] = {}
    if namespace:
        params["namespace"] = namespace
    if text:
        params["text"] = f"%{codec.like(text.lower())}%"
    if labels:
        params["labels"] = codec.text(dict(labels))
    params |= reached(scope)
    query = "+".join(("flows.page", *params))
    if namespace:
        params["below"] = f"{codec.like(namespace)}.%"
    rows = tx.all(query, after=after[0], after_id=after[1], limit=limit, **params)
    return [codec.value((*row[:-1], codec.words(row[-1])), Shown) for row in rows]


def linked(tx: Tx, scope: Scope) -> list[Flow]:
    """Give the flows in a scope that start others or are started by them, as their newest revisions are."""
    params = reached(scope)
    rows = tx.all("+".join(("flows.linked", *params)), **params)
    return [msgspec.structs.replace(FLOW.decode(str(model)), revision=codec.number(number)) for model, number in rows]


def namespaces(tx: Tx, scope: Scope, limit: int, after: str = "") -> list[tuple[str, int]]:
    """Give the namespaces in a scope that have flows, by name, behind one, with how many flows each has."""
    params = reached(scope)
    query = "+".join(("flows.namespaces", *params))
    return [(str(name), codec.number(count)) for name, count in tx.all(query, after=after, limit=limit, **params)]


def delete(tx: Tx, namespace: str, flow_id: str, now: int) -> bool:
    """Let a flow start no more runs; False when it is not there."""
    return tx.run("flows.delete", namespace=namespace, id=flow_id, now=now) == 1


def _added(tx: Tx, written: Written, revision: int, now: int, by: str) -> bool:
    labels = codec.text(LABELLED.decode(written.model).labels)
    row = msgspec.structs.asdict(written) | {"revision": revision, "now": now, "by": by, "labels": labels}
    return tx.run("flows.add", **row) == 1


def _revision(row: Row | None) -> Revision | None:
    return codec.value(row, Revision) if row else None
