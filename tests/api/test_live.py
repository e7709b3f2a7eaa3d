"""Do those who listen hear each thing that concerns them, once, and go on where they were?"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from penstock.api.serve import Server
from penstock.services import runs as verbs
from penstock.store.chunks import Level, Piece, Stream, Tail, pack
from tests.api.house import HELLO, WAITS, WHO, House, who

Told = tuple[str, Any, str]


class Ear:
    """An open stream of events."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()
        self.last = ""

    def next(self) -> Told:
        """The next event: its name, its data, its id."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and "event" in fields:
                self.last = fields.get("id", self.last)
                return fields["event"], json.loads(fields["data"]), fields.get("id", "")
            name, sign, value = line.partition(": ")
            if sign and name:
                fields[name] = value
        raise AssertionError("the stream has ended")

    def rest(self) -> list[str]:
        """All lines up to the end of the stream."""
        return [line for line in self._lines if line]

    def until(self, name: str) -> list[Told]:
        """Everything up to an event of this name."""
        found = [self.next()]
        while found[-1][0] != name:
            found.append(self.next())
        return found


@pytest.fixture
def server(either: House) -> Iterator[Server]:
    """The house's application on a port."""
    made = Server(either.app, who)
    made.start()
    yield made
    made.close()


@contextlib.contextmanager
def listening(server: Server, path: str, name: str = "ann", last: str = "", **asked: str | int) -> Iterator[Ear]:
    """Listen to something as somebody."""
    headers = {WHO: name} | ({"Last-Event-ID": last} if last else {})
    with httpx.stream("GET", server.url + path, params=asked, headers=headers, timeout=20) as answer:
        assert answer.status_code == 200, answer.read()
        yield Ear(answer)


def write(house: House, run_id: str, tail: Tail, first: int, count: int, at: int = 0) -> Tail:
    """Log some lines as the next chunk of a step."""
    pieces = [
        Piece(at + 1000 * number, Stream.LOG, f"line {number}\n".encode(), Level.INFO)
        for number in range(first, first + count)
    ]
    packed, tail = pack(run_id, "ask", 1, tail, pieces)
    house.core.store.logs.append([packed])
    return tail


def lines(told: list[Told]) -> list[str]:
    """The texts of the lines among some events."""
    return [line["text"] for name, data, _ in told if name == "log" for line in data]


def test_who_listens_hears_of_each_run_in_their_scope(server: Server, either: House) -> None:
    mine = either.push(WAITS)
    other = either.push(HELLO.replace("namespace: shop", "namespace: other"))

    with listening(server, "/v1/changes", "viewer") as ear:
        either.start(other)
        run_id = either.start(mine)
        told = [row for _, rows, _ in ear.until("changes")[-1:] for row in rows]

    assert {row["run"] for row in told if row["what"] == "run"} == {run_id}
    assert {row["namespace"] for row in told} == {"shop"}
    assert told[-1]["status"] in ("running", "paused")


def test_who_comes_again_hears_what_they_missed(server: Server, either: House) -> None:
    plan = either.push(WAITS)
    with listening(server, "/v1/changes", what="run") as ear:
        ear.until("here")
    missed = either.start(plan)

    with listening(server, "/v1/changes", last=ear.last, what="run") as again:
        told = again.until("here")

    assert missed in {row["run"] for name, rows, _ in told if name == "changes" for row in rows}


def test_who_was_away_for_longer_than_the_feed_is_kept_is_told_to_begin_anew(house: House) -> None:
    house.start(house.push(WAITS))
    house.core.store.forget_feed(2**62)
    house.start(house.push(HELLO))
    server = Server(house.app, who)
    server.start()

    with listening(server, "/v1/changes", last="1") as ear:
        first = ear.next()
    server.close()

    assert first[0] == "reload"


def test_a_flow_that_changes_is_told_to_those_who_may_see_it(server: Server, either: House) -> None:
    with listening(server, "/v1/changes", "viewer", what="flow") as ear:
        ear.until("here")
        either.push(HELLO.replace("namespace: shop", "namespace: other"))
        either.push()
        told = ear.until("changes")[-1][1]

    assert [row["key"] for row in told] == ["shop/hello"]


def test_a_run_is_followed_from_its_first_line_to_its_end(server: Server, either: House) -> None:
    run_id = either.start(either.push(WAITS))
    tail = Tail()
    for number in range(8):
        tail = write(either, run_id, tail, number * 5, 5)

    with listening(server, f"/v1/runs/{run_id}/follow") as ear:
        told = [ear.next()]
        while len(lines(told)) < 40:
            told.append(ear.next())
        tail = write(either, run_id, tail, 40, 5)
        while len(lines(told)) < 45:
            told.append(ear.next())
        verbs.kill(either.core, run_id, "ann")
        told += ear.until("end")

    assert lines(told) == [f"line {number}" for number in range(45)]
    assert told[-1][1]["status"] == "killed"
    assert [data["status"] for name, data, _ in told if name == "run"][-1] == "killed"


def test_who_follows_again_is_told_no_line_twice(server: Server, either: House) -> None:
    run_id = either.start(either.push(WAITS))
    tail = write(either, run_id, Tail(), 0, 5)
    with listening(server, f"/v1/runs/{run_id}/follow") as ear:
        ear.until("log")
    write(either, run_id, tail, 5, 5)

    with listening(server, f"/v1/runs/{run_id}/follow", last=ear.last) as again:
        told = again.until("log")

    assert lines(told) == [f"line {number}" for number in range(5, 10)]


def test_a_chunk_that_comes_late_is_told_too(house: House) -> None:
    server = Server(house.app, who)
    server.start()
    run_id = house.start(house.push(WAITS))
    write(house, run_id, Tail(), 0, 1, at=10_000_000)

    with listening(server, f"/v1/runs/{run_id}/follow") as ear:
        ear.until("log")
        packed, _ = pack(run_id, "after", 1, Tail(), [Piece(5_000_000, Stream.LOG, b"late\n", Level.INFO)])
        house.core.store.logs.append([packed])
        told = ear.until("log")
    server.close()

    assert lines(told) == ["late"]


def test_only_what_is_wanted_of_a_log_is_told(house: House) -> None:
    server = Server(house.app, who)
    server.start()
    run_id = house.start(house.push(WAITS))
    tail = write(house, run_id, Tail(), 0, 5)

    with listening(server, f"/v1/runs/{run_id}/follow", text="line 7", from_now="true") as ear:
        ear.until("run")
        write(house, run_id, tail, 5, 5)
        told = ear.until("log")
    server.close()

    assert lines(told) == ["line 7"]


def test_a_server_that_closes_lets_everybody_go_at_once(house: House) -> None:
    server = Server(house.app, who)
    server.start()
    run_id = house.start(house.push(WAITS))

    with listening(server, "/v1/changes") as changes, listening(server, f"/v1/runs/{run_id}/follow") as run:
        changes.until("here")
        run.until("run")
        server.close()

        assert changes.rest() == run.rest() == []


def test_an_id_that_is_none_is_refused(house: House) -> None:
    run_id = house.start(house.push(WAITS))

    for path in ("/v1/changes", f"/v1/runs/{run_id}/follow"):
        answer = house.client.get(path, headers={"Last-Event-ID": "x!"})

        assert (answer.status_code, answer.json()["code"]) == (400, "PS-821")
