"""Is a secret nowhere but sealed after a run that told it in every way that we could think of?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.services.secrets import verbs
from penstock.store import attempts, events, outputs, runs, steps
from penstock.store.chunks import unpack
from tests.api.house import House
from tests.planted import CALLED, GIVEN, LINES, SECRET, files_below, flow, told


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A project with a server."""
    made = House(tmp_path, str(tmp_path / ".penstock" / "penstock.db"))
    yield made
    made.close()


def everything(house: House, run_id: str) -> dict[str, bytes]:
    """All that is kept of a run, and all that the API tells of it, by where it stands."""
    store, client = house.core.store, house.client
    found: dict[str, bytes] = {}
    for what, rows in {
        "run": store.read(lambda tx: runs.load(tx, run_id)),
        "steps": store.read(lambda tx: steps.every(tx, run_id)),
        "attempts": store.read(lambda tx: attempts.every(tx, run_id)),
        "events": store.read(lambda tx: events.every(tx, run_id)),
        "outputs": store.read(lambda tx: outputs.every(tx, run_id)),
    }.items():
        found[what] = repr(rows).encode()
    found["log"] = b"".join(piece.text for chunk in store.logs.read(run_id) for piece in unpack(chunk))
    ours = [
        "",
        "/outputs?step=gives",
        "/steps",
        "/logs",
        "/logs/text",
        "/outputs?step=script",
        "/metrics",
        "/files",
        "/attempts?step=script",
        "/document",
        "/explain",
    ]
    others = ["/v1/secrets/shop", "/v1/secret-keys", "/v1/kv/shop.daily", "/v1/flows/shop.daily/tells", "/v1/runs"]
    for path in [*(f"/v1/runs/{run_id}{path}" for path in ours), *others]:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        found[f"GET {path}"] = answer.content
    return found


def test_a_secret_that_was_told_in_every_way_is_nowhere_but_sealed(house: House, tmp_path: Path) -> None:
    put = [
        house.client.put(f"/v1/secrets/shop/{name}", json={"value": text})
        for name, text in (("PLANTED", SECRET), ("LINES", LINES))
    ]
    assert [answer.status_code for answer in put] == [200, 200]

    house.push(CALLED)
    run_id = house.ran(flow(), {"given": GIVEN})

    found = everything(house, run_id)
    found |= {f"PUT {number}": answer.content for number, answer in enumerate(put)} | files_below(tmp_path)
    shown = told(found, (SECRET, LINES, GIVEN))
    assert not shown, "\n".join(shown)
    assert verbs.verify(house.core).good == 2
    # it was there, though: stars stand everywhere that it was told
    for where in ("log", "outputs", "attempts", "run"):
        assert b"********" in found[where], where
