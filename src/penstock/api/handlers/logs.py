"""What did a run's tasks say? Their lines by level and text, or the text as it came."""

from __future__ import annotations

from penstock.api import cursors
from penstock.api.route import Call, Sent
from penstock.api.shapes.lists import Page
from penstock.api.shapes.logs import LogLinesAsked, LogOrder, LogRow, LogTextAsked, log_row
from penstock.errors.api import Unfitting
from penstock.services.log_pages import LogAsked, LogPlace, lines_after, text_of
from penstock.store.chunks import Level, Selected


def list_log_lines(call: Call[LogLinesAsked, None]) -> Page[LogRow]:
    """Lines in the order written, or the newest first."""
    asked = call.query
    selected = Selected(
        step=asked.step,
        attempt=asked.attempt,
        least=asked.level.least() if asked.level else Level.NONE,
        backwards=asked.sort is LogOrder.NEWEST,
    )
    wanted = LogAsked(selected=selected, text=asked.text, limit=asked.limit)
    found, place = lines_after(call.core, call.run.id, wanted, cursors.read(asked.cursor, LogPlace))
    return Page([log_row(each) for each in found], cursors.written(place) if place else "")


def read_log(call: Call[LogTextAsked, None]) -> Sent:
    """The text as it came, to be kept as a file."""
    asked = call.query
    if (asked.start is not None or asked.end is not None) and (asked.step is None or asked.attempt is None):
        raise Unfitting("A part of the text can be told of one attempt only.", hint="Say `step` and `attempt`, too.")
    pieces = text_of(call.core, call.run.id, asked.step, asked.attempt, asked.start or 0, asked.end)
    headers = {"Content-Disposition": f'attachment; filename="{call.run.id}.log"', "Cache-Control": "no-store"}
    return Sent(pieces, "text/plain; charset=utf-8", headers=headers)
