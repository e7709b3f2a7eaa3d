"""What can be asked of a server about flows, and done with them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from penstock.client.paging import Everything, Page, paged, whole
from penstock.client.shapes.around import BranchRow, BranchWanted, Dependencies
from penstock.client.shapes.flows import (
    Diff,
    FlowDetail,
    FlowPut,
    FlowRow,
    Graph,
    NamespaceRow,
    Pushed,
    RevisionRow,
    TypeDetail,
    TypeRow,
    Validated,
)
from penstock.client.wire import Ask, Wire, path


@dataclass(frozen=True, slots=True)
class Branches:
    """The branches of git that the flows of a server come from."""

    wire: Wire

    def get(self, name: str) -> BranchRow:
        """How a branch stands: what was looked at, what stands there, what is wrong."""
        return self.wire.ask(Ask(method="GET", path=path("git", name), safe=True), BranchRow)

    def pull(self, name: str) -> None:
        """Have a branch looked at now; what comes of it, `get` tells."""
        self.wire.ask(Ask(method="POST", path=path("git", name, "pull"), safe=True), BranchWanted)

    def list(self) -> tuple[BranchRow, ...]:
        """The branches that flows come from."""
        return whole(self.wire, path("git"), {}, Everything[BranchRow])


@dataclass(frozen=True, slots=True)
class Flows:
    """The flows of a server; a name is given as namespace and id."""

    wire: Wire

    def get(self, namespace: str, flow: str, revision: int | None = None) -> FlowDetail:
        """One flow: what it takes, what starts it. Raises UnknownFlow."""
        return self.wire.ask(self._get(namespace, flow, query={"revision": revision}), FlowDetail)

    def source(self, namespace: str, flow: str, revision: int | None = None) -> str:
        """Its text, as its author wrote it. Raises UnknownFlow."""
        with self.wire.given(self._get(namespace, flow, "source", query={"revision": revision})) as answer:
            return answer.read().decode()

    def revisions(self, namespace: str, flow: str) -> Iterator[RevisionRow]:
        """Its revisions, newest first; those of a removed one, too."""
        return paged(self.wire, path("flows", namespace, flow, "revisions"), {"limit": 200}, Page[RevisionRow])

    def diff(self, namespace: str, flow: str, older: int, newer: int | None = None) -> Diff:
        """What two of its revisions differ in; the newest, where only one is named."""
        return self.wire.ask(self._get(namespace, flow, "diff", query={"from": older, "to": newer}), Diff)

    def graph(self, namespace: str, flow: str, revision: int | None = None) -> Graph:
        """Its tasks and groups as a graph."""
        return self.wire.ask(self._get(namespace, flow, "graph", query={"revision": revision}), Graph)

    def put(self, namespace: str, flow: str, text: str, *, on_top_of: int | None = None) -> FlowPut:
        """Make a text its newest revision. Raises InvalidFlows; Changed where `on_top_of` is not its newest one."""
        headers = {} if on_top_of is None else {"If-Match": f'"r{on_top_of}"'}
        place = path("flows", namespace, flow)
        # the same text again makes no other revision
        asked = Ask(method="PUT", path=place, text=text, headers=headers, safe=on_top_of is None)
        return self.wire.ask(asked, FlowPut)

    def validate(self, text: str) -> Validated:
        """What is wrong with a text of one flow or several; nothing is kept."""
        return self.wire.ask(Ask(method="POST", path=path("validate", "flows"), text=text, safe=True), Validated)

    def push(
        self,
        texts: Mapping[str, str],
        *,
        within: str | None = None,
        prune: bool = False,
        dry_run: bool = False,
        project: Mapping[str, object] | None = None,
    ) -> Pushed:
        """Make many texts, by the names of their files, the newest revisions: all, or none. Raises InvalidFlows.

        `prune` removes flows that are not among them: of the namespace `within` and below (the empty one: of all), else
        of the very namespaces of these texts. Dry, it is only told what that would change, schedules and dates too.
        """
        body = {
            "texts": [{"file": file, "text": text} for file, text in texts.items()],
            "project": project,
            "within": within,
            "prune": prune,
            "dry_run": dry_run,
        }
        return self.wire.ask(Ask(method="POST", path=path("push", "flows"), body=body, safe=True), Pushed)

    def dependencies(
        self, namespace: str, flow: str = "", *, depth: int = 1, up: bool = True, down: bool = True
    ) -> Dependencies:
        """Which flows it starts and which start it, so many flows away; of a whole namespace where no flow is named."""
        if not flow:
            return self.wire.ask(
                Ask(method="GET", path=path("namespaces", namespace, "dependencies"), safe=True), Dependencies
            )
        query = {"depth": depth, "up": "true" if up else "false", "down": "true" if down else "false"}
        return self.wire.ask(self._get(namespace, flow, "dependencies", query=query), Dependencies)

    def delete(self, namespace: str, flow: str) -> None:
        """Let it start no more runs; its revisions and runs stay. Raises UnknownFlow."""
        self.wire.ask(Ask(method="DELETE", path=path("flows", namespace, flow)), type(None))

    def namespaces(self) -> Iterator[NamespaceRow]:
        """Namespaces that have flows."""
        return paged(self.wire, path("namespaces"), {"limit": 500}, Page[NamespaceRow])

    def types(self) -> tuple[TypeRow, ...]:
        """The task types that flows may name."""
        return whole(self.wire, path("types"), {}, Everything[TypeRow])

    def type(self, name: str) -> TypeDetail:
        """One task type with the schema of its properties. Raises UnknownTaskType."""
        return self.wire.ask(Ask(method="GET", path=path("types", name), safe=True), TypeDetail)

    def list(self, *, namespace: str = "", text: str = "") -> Iterator[FlowRow]:
        """Flows by name: of a namespace and those below it, with a text in their names."""
        return paged(self.wire, path("flows"), {"namespace": namespace, "text": text, "limit": 500}, Page[FlowRow])

    def _get(self, namespace: str, flow: str, *more: str, query: Mapping[str, object]) -> Ask:
        return Ask(method="GET", path=path("flows", namespace, flow, *more), query=query, safe=True)
