"""What does the table of routes say of itself? Each address with what it does and the right that it needs."""

from __future__ import annotations

from penstock.api.route import Route, Where
from penstock.api.routes.table import TABLE
from tools.accounts import Account, cell

WHERE = {
    Where.PUBLIC: "nobody is asked",
    Where.SIGNED_IN: "anybody who is known",
    Where.WHOLE: "everywhere",
    Where.PATH: "in the namespace",
    Where.BODY: "in the namespace",
    Where.RUN: "in the run's namespace",
    Where.BACKFILL: "in the backfill's namespace",
    Where.LIST: "shows what lies where one has it",
}


def endpoints() -> Account:
    """Every address, by what it is about."""
    sections = []
    for tag in dict.fromkeys(row.tag for row in TABLE):
        rows = [row for row in TABLE if row.tag == tag]
        lines = [f"## {tag.capitalize()}", "", "| address | what it does | right |", "|---|---|---|", *map(line, rows)]
        sections.append("\n".join(lines))
    return Account(
        "The API",
        "Every address; `/openapi.json` of a server says what each takes and gives, `/docs` shows it.",
        sections,
    )


def line(row: Route) -> str:
    """A row of the table as one of Markdown."""
    right = f"`{row.action}`, {WHERE[row.where]}" if row.action else WHERE[row.where]
    return f"| `{row.method} {row.path}` | {cell(row.summary)} | {right} |"
