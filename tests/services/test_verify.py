"""Does verify find whatever was changed in a store behind the events, and nothing where all is well?"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from penstock.model.event import Ended
from penstock.model.status import Outcome
from penstock.services import runs
from penstock.services.verify import verify
from penstock.store import inbox, outputs, queue
from penstock.store.port import Tx
from penstock.store.postgres.store import open_postgres
from penstock.store.queue import Claim
from penstock.store.sqlite.store import open_sqlite
from tests.servers import database, postgres, server_folder
from tests.services.office import Office

__all__ = ["database", "postgres", "server_folder"]

FLOW = {
    "inputs": [{"id": "n", "type": "INT"}],
    "tasks": [
        "a",
        {"if way": {"condition": "{{ outputs.a.n > 1 }}", "then": ["b"], "else": ["c"]}},
        {"foreach each": {"values": "{{ range(1, inputs.n) }}", "tasks": ["d"]}},
        {"e": {"retry": {"interval": "5s", "max_attempts": 2}}},
        {"f": {"deadline": "1h"}},
        "g",
    ],
}


class Desk:
    """An office on a database that can be changed behind its back."""

    def __init__(self, office: Office, address: str) -> None:
        self.office = office
        self.address = address

    def meddle(self, statement: str) -> None:
        """Change the database as somebody would who goes past Penstock."""
        if self.address.startswith("postgresql://"):
            with psycopg.connect(self.address) as session:
                session.execute(statement.encode())
            return
        with contextlib.closing(sqlite3.connect(self.address)) as light, light:
            light.execute(statement)

    def differences(self, run_id: str) -> tuple[str, ...]:
        """What verify says."""
        self.office.core.cache.forget()
        return verify(self.office.core, run_id).differences


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """An office on each database."""
    address = str(tmp_path / "penstock.db")
    if request.param == "postgres":
        address = request.getfixturevalue("database")
        store: Any = open_postgres(address, migrate=True)
    else:
        store = open_sqlite(address)
    office = Office(store=store)
    yield Desk(office, address)
    store.close()


def half_done(desk: Desk) -> str:
    """A run that has come to `f`, which a worker holds."""
    office = desk.office
    plan = office.push(FLOW)
    run_id = office.start(plan, inputs={"n": 3})
    office.work({"a": {"n": 2}, "e": [Outcome.FAILED, Outcome.DONE]}, most=6)
    office.wait(6)
    office.work(most=1)
    office.claim()
    return run_id


def test_a_run_that_goes_and_one_that_has_ended_are_what_their_events_make_them(desk: Desk) -> None:
    run_id = half_done(desk)

    going = desk.differences(run_id)
    desk.office.wait(3600)
    desk.office.work()
    ended = verify(desk.office.core, run_id)

    assert going == ()
    assert ended.sound
    assert ended.events > 8


MEDDLING = {
    "a step's status": (
        "UPDATE steps SET status = 'failed' WHERE run_id = '{run}' AND key = 'b'",
        'column status of step "b" is "failed"',
    ),
    "a step as a whole": (
        "UPDATE steps SET body = replace(body, 'success', 'failed') WHERE run_id = '{run}' AND key = 'b'",
        'Step "b": status is "failed" in the store, "success" by its events.',
    ),
    "a step removed": (
        "DELETE FROM steps WHERE run_id = '{run}' AND key = 'b'",
        'Step "b" is success by the events, but',
    ),
    "a step invented": (
        "INSERT INTO steps SELECT run_id, 'z', 'z', status, attempt, replace(body, '\"b\"', '\"z\"') FROM steps"
        " WHERE run_id = '{run}' AND key = 'b'",
        'Step "z" is in the store, but no event makes it.',
    ),
    "the run's status": (
        "UPDATE runs SET status = 'success' WHERE id = '{run}'",
        'The run\'s column status is "success"',
    ),
    "the run as a whole": (
        "UPDATE runs SET body = replace(body, '\"open\":1', '\"open\":2') WHERE id = '{run}'",
        "The run: open is 2 in the store, 1 by its events.",
    ),
    "an event dropped": (
        "DELETE FROM events WHERE run_id = '{run}' AND step = 'b'",
        'Step "b": status is "success" in the store, "queued" by its events.',
    ),
    "an event changed": (
        "UPDATE events SET body = replace(body, 'done', 'failed') WHERE run_id = '{run}' AND step = 'b'",
        'Step "b": status is "success" in the store, "failed" by its events.',
    ),
    "an event refused after all": (
        "UPDATE events SET accepted = 0 WHERE run_id = '{run}' AND step = 'b'",
        'Step "b": status is "success" in the store, "queued" by its events.',
    ),
    "an event of another instant": (
        "UPDATE events SET at = at + 1 WHERE run_id = '{run}' AND step = 'b'",
        'Step "b": ended_at is',
    ),
    "what the engine handed on": (
        "UPDATE outputs SET body = '{{\"evaluationResult\":false}}' WHERE run_id = '{run}' AND step = 'way'",
        'The outputs that the engine made of step "way" (attempt 1) are {"evaluationResult":false} in the store',
    ),
    "what a decision saw": (
        "UPDATE outputs SET body = '{{\"n\":1}}' WHERE run_id = '{run}' AND step = 'a'",
        'Step "c" is queued by the events, but is not in the store.',
    ),
    "outputs invented": (
        "INSERT INTO outputs (run_id, step, attempt, node, body, size) VALUES ('{run}', 'f', 1, 'f', '{{}}', 2)",
        'Attempt 1 of step "f" has outputs in the store, but no event ended it.',
    ),
    "a loop's values": (
        "UPDATE loop_values SET body = '[1,2,4]' WHERE run_id = '{run}'",
        'The values of loop "each" from number 0 on are not those that it was begun with.',
    ),
    "an attempt's outcome": (
        "UPDATE attempts SET outcome = 'lost' WHERE run_id = '{run}' AND step = 'b'",
        'Attempt 1 of step "b" has the outcome lost as a column, and done in itself.',
    ),
    "an attempt removed": (
        "DELETE FROM attempts WHERE run_id = '{run}' AND step = 'e' AND number = 1",
        'Attempt 1 of step "e" has ended by the events, but is not in the store.',
    ),
    "a claim removed": (
        "DELETE FROM claimed_attempts WHERE run_id = '{run}'",
        'Attempt 1 of step "f" was made ready, and is neither ready nor held nor answered.',
    ),
    "work invented": (
        "UPDATE claimed_attempts SET attempt = 2 WHERE run_id = '{run}'",
        'Attempt 2 of step "f" may be claimed or is held, but no event made it ready.',
    ),
    "a timer removed": (
        "DELETE FROM due WHERE run_id = '{run}'",
        'Attempt 1 of step "f": its timer "step_timeout" is not set.',
    ),
    "a timer moved": (
        "UPDATE due SET at = at + 1 WHERE run_id = '{run}'",
        'Attempt 1 of step "f": its timer "step_timeout" rings at',
    ),
    "a kind of event that nobody knows": (
        "UPDATE events SET body = '{{\"type\":\"teleported\"}}' WHERE run_id = '{run}' AND step = 'b'",
        "An event of this run is not understood",
    ),
}


@pytest.mark.parametrize("what", MEDDLING)
def test_what_was_changed_behind_the_events_is_told(desk: Desk, what: str) -> None:
    run_id = half_done(desk)
    statement, sentence = MEDDLING[what]

    desk.meddle(statement.format(run=run_id))
    told = desk.differences(run_id)

    assert any(sentence in each for each in told), told


def test_a_replay_is_verified_without_the_run_that_it_was_begun_from(desk: Desk) -> None:
    office = desk.office
    old = half_done(desk)
    office.wait(3600)
    office.work()
    new = runs.replay(office.core, old, "me", from_step="each[1]/d")
    office.work({"c": {"n": 1}})
    office.wait(3600)
    office.work()

    desk.meddle(f"DELETE FROM runs WHERE id = '{old}'")
    for table in ("steps", "events", "outputs", "loop_values", "attempts"):
        desk.meddle(f"DELETE FROM {table} WHERE run_id = '{old}'")

    assert desk.differences(new) == ()
    assert office.run(new).status.ended


def leave(office: Office, held: Claim, made: dict[str, object]) -> None:
    """Report as a worker does that finds its run in another's hands: accepted, and not folded yet."""
    now = office.clock.now()
    ended = Ended(step=held.step, attempt=held.attempt, outcome=Outcome.DONE, worker=held.worker, ended_at=now)

    def work(tx: Tx) -> None:
        queue.give_back(tx, held.run, held.step, held.attempt, held.fence)
        outputs.put(tx, held.run, held.step, held.attempt, msgspec.json.encode(made))
        inbox.put(tx, held.run, ended, now)

    office.store.write(work)


def test_a_decision_does_not_see_outputs_before_the_end_that_they_came_with(desk: Desk) -> None:
    # given: two tasks at once, and a third that looks at what the first has handed on
    office = desk.office
    look = {"c": {"run_if": "{{ (outputs.a.n ?? 0) == 0 }}"}}
    run_id = office.start(office.push([{"parallel p": ["a", {"sequence s": ["b", look]}]}]))
    first, second = sorted(office.claim(room=2), key=lambda held: held.step)
    # when: the first report is left for another process, whose fold sees the second event only
    leave(office, first, {"n": 1})
    office.end(second)
    desk.office.core.cache.forget()
    # then
    assert office.statuses(run_id)["c"] == "queued"
    assert desk.differences(run_id) == ()
