"""How do traces reach a collector? Runs that are over, with all their steps and attempts, from the feed's place on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from penstock import __version__
from penstock.errors import PenstockError
from penstock.errors.work import Unanswered
from penstock.model.plan import Plan
from penstock.model.run import Run
from penstock.services import outward
from penstock.services.core import Core
from penstock.services.exporting.following import Following
from penstock.services.exporting.spans import goings, spans_of
from penstock.store import attempts, steps
from penstock.telemetry import Level, otlp
from penstock.telemetry.traces import Span

NAME: Final = "traces"
PATH: Final = "/v1/traces"
AT_ONCE: Final = 1_000
REMEMBERED: Final = 10_000


class Collector(msgspec.Struct, frozen=True, kw_only=True):
    """Where traces go: an address of OTLP over HTTP, what is sent with each call, what this installation is called."""

    url: str
    headers: dict[str, str] = {}
    service: str = "penstock"
    resource: dict[str, str] = {}

    @property
    def address(self) -> str:
        """The address of traces: the collector's own unless it is said whole."""
        return self.url if self.url.endswith(PATH) else self.url.rstrip("/") + PATH


class Traces:
    """Tells a collector of runs that are over."""

    name = NAME

    def __init__(self, core: Core, collector: Collector) -> None:
        self._core = core
        self._collector = collector
        self._following = Following(core, NAME)
        # Until when what ended of a run was told; what is forgotten is told again, by the same ids.
        self._told: OrderedDict[str, int] = OrderedDict()

    def turn(self) -> bool:
        """Tell of some runs; False when there is no more. Raises Unanswered."""
        news = self._following.look()
        if news is None:
            return False
        waiting: list[Span] = []
        ends: dict[str, int] = {}
        for run in news.runs:
            spans = self._spans(run)
            if spans:
                ends[run.id] = max(each.ended for each in spans)
            waiting += spans
        for some in _pieces(waiting):
            self._send(some)
        for run_id, at in ends.items():
            self._told[run_id] = at
            self._told.move_to_end(run_id)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        self._following.keep(news.further)
        return news.more

    def _spans(self, run: Run) -> list[Span]:
        if not any(each.ended is not None for each in goings(run)):
            return []
        tried, rows = self._core.store.read(lambda tx: (attempts.every(tx, run.id), steps.every(tx, run.id)))
        return spans_of(run, self._plan(run), rows, tried, self._core.knobs.traces, self._told.get(run.id, 0))

    def _plan(self, run: Run) -> Plan | None:
        try:
            return self._core.plan(run.namespace, run.flow, run.revision)
        except PenstockError:
            return None  # its revision is gone: its steps hang at the run

    def _send(self, spans: Sequence[Span]) -> None:
        where = self._collector
        resource = {"service.name": where.service, "service.version": __version__, **where.resource}
        body = otlp.message(spans, resource, __version__)
        headers: Mapping[str, str] = {"Content-Type": otlp.MEDIA, **where.headers}
        answer = outward.post(where.address, body, headers)
        if answer.taken:
            return
        said = f"The collector answers {answer.status}: {answer.text}"
        if answer.worth_trying:
            raise Unanswered(said)
        now = self._core.clock.now()
        self._core.notices.say("export.refused", now, Level.ERROR, export=NAME, why=said, lost=len(spans))


def _pieces(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    for begin in range(0, len(spans), AT_ONCE):
        yield spans[begin : begin + AT_ONCE]
