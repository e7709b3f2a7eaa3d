"""Does the server stand on a real port, answer real clients, and leave nothing behind?"""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from penstock.api.route import Call, Route, Where
from penstock.api.serve import Listen, Server
from penstock.errors.api import NotServed
from tests.api.house import WHO, House, who


def test_a_server_answers_as_soon_as_it_has_started_and_no_more_once_closed(house: House) -> None:
    server = Server(house.app, who)
    server.start()
    server.start()

    live = httpx.get(f"{server.url}/live")
    ready = httpx.get(f"{server.url}/ready")
    runs = httpx.get(f"{server.url}/v1/runs", headers={WHO: "ann"})
    server.close()
    server.close()

    assert live.json()["status"] == "live"
    assert ready.json() == {"ready": True, "troubles": []}
    assert runs.json() == {"items": [], "next": ""}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/live")


def test_a_port_that_is_taken_is_passed_over_where_that_is_wanted(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        server = Server(house.app, who, Listen(port=port, next_free=True))
        with pytest.raises(NotServed, match=str(port)):
            Server(house.app, who, Listen(port=port))

        assert server.port > port
        server.close()


def test_a_server_whose_store_is_gone_is_live_and_not_ready(tmp_path: Path) -> None:
    house = House(tmp_path, str(tmp_path / "penstock.db"))
    house.app.close()

    assert house.client.get("/live").status_code == 200
    answer = house.client.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["troubles"][0]["part"] == "store"
    house.close()


def test_an_answer_does_not_wait_until_its_caller_has_confirmed_its_head(house: House) -> None:
    server = Server(house.app, who)

    # only then asyncio switches off that small pieces are held back
    assert server._socket.proto == socket.IPPROTO_TCP
    server.close()


def test_a_call_that_is_under_way_is_answered_before_its_server_has_closed(house: House) -> None:
    came, may_go = threading.Event(), threading.Event()

    def slow(call: Call[None, None]) -> list[str]:
        came.set()
        may_go.wait(20)
        return [call.by]

    row = Route(method="GET", path="/slow", summary="", handler=slow, where=Where.SIGNED_IN, answer=list[str])
    server = Server(house.app, who, table=(row,))
    server.start()
    with ThreadPoolExecutor(2) as threads:
        answer = threads.submit(httpx.get, f"{server.url}/slow", headers={WHO: "ann"}, timeout=20)
        came.wait(20)
        closing = threads.submit(server.close)
        while not server._server.should_exit:
            pass
        may_go.set()

        assert answer.result().json() == ["ann"]
        closing.result()


def test_many_callers_at_once_are_all_answered(either: House) -> None:
    either.push()
    server = Server(either.app, who)
    server.start()

    def calls(number: int) -> list[int]:
        with httpx.Client(base_url=server.url, headers={WHO: "ann"}, timeout=60) as client:
            started = client.post("/v1/runs", json={"namespace": "shop", "flow": "hello"})
            where = started.headers["location"]
            rest = [client.get("/v1/runs"), client.get(f"{where}/steps"), client.post(f"{where}/kill", json={})]
            return [started.status_code, *(each.status_code for each in rest)]

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(calls, range(24)))
    server.close()

    assert {tuple(each) for each in found} == {(201, 200, 200, 200)}
