"""What does an expression say of each of many records? Asked for many at once, beside what its run knows anyway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from penstock import expr
from penstock.engine import Loaded
from penstock.errors import PenstockError
from penstock.errors.task import Refused
from penstock.services.core import Core
from penstock.services.reading import on_one_version, with_parts
from penstock.services.render import worker_calls, worker_scope

MOST: Final = 10_000


def rendered(
    core: Core, run: str, step: str, reveal: Callable[[str], None], body: Mapping[str, object]
) -> list[dict[str, object]]:
    """What a template gives for each row, or why it cannot. Raises Refused, PenstockError."""
    rows = msgspec.convert(body.get("rows"), list[object])
    if len(rows) > MOST:
        raise Refused(f"At most {MOST} rows are looked at at once.")
    template = expr.compile(str(body.get("template", "")))

    def ask(loaded: Loaded) -> list[dict[str, object]]:
        used: set[str] = set()
        calls = worker_calls(core, loaded, used)

        def every() -> list[dict[str, object]]:
            scope = worker_scope(core, loaded, step, used)
            return [_one(template, scope, calls, row) for row in rows]

        found = with_parts(core, loaded, every)
        for secret in used:
            reveal(secret)
        return found

    return on_one_version(core, run, ask)


def _one(template: expr.Template, scope: dict[str, object], calls: expr.Calls, row: object) -> dict[str, object]:
    own = {"value": row, **{str(name): item for name, item in row.items()}} if isinstance(row, dict) else {"value": row}
    try:
        return {"value": template.render({**scope, **own}, calls)}
    except PenstockError as error:
        return {"error": error.sentence}
