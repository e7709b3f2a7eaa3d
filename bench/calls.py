"""How soon does a server answer, how soon is done what it is asked for, and what does it hold while nobody asks?"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import msgspec

from bench.figure import Figure, figure
from bench.house import DATABASES
from bench.served import FLOW, SETTINGS, Served, answered, free_port, served, standing

TIMES = 9
SINGLE = 200
RUNS = 1_000
# Seconds in which a server that has nothing to do gives back what it held.
SETTLE = 10.0
# Clients that start runs, how many runs they let go on at once, and for how long each part is measured.
CLIENTS, AT_ONCE, LASTS = 4, 64, 20.0
# Task runs a second that are wanted; the time from start to end is measured at half of that.
WANTED = 300
TWO = (
    "id: two\nnamespace: bench\ntasks:\n"
    "  - {id: one, type: return, format: hello}\n  - {id: more, type: return, format: hello}\n"
)
LINES, BETWEEN = 200, 0.05
PRINTS = f"import time\nfor _ in range({LINES}):\n    print(repr(time.time()), flush=True)\n    time.sleep({BETWEEN})\n"
SAYS = "id: says\nnamespace: bench\ntasks:\n  - id: say\n    type: python.script\n    script: |\n" + "".join(
    f"      {line}\n" for line in PRINTS.splitlines()
)


def server_up() -> list[Figure]:
    """`penstock dev` from the shell to the first answer of its API, in a folder where nothing is yet: ms."""
    return [figure("server_up", "ms", [_up() for _ in range(TIMES + 1)][1:], bar=1_500)]


def idle_memory() -> list[Figure]:
    """All processes of `penstock dev` in an empty project, and again after 1,000 runs: MB; the ratio is of the two."""
    with served("sqlite") as stand:
        time.sleep(SETTLE)
        empty = stand.memory
        stand.push(FLOW)
        with heard(stand) as ends:
            ends.wait([stand.start("one") for _ in range(RUNS)])
        time.sleep(SETTLE)
        after = stand.memory
    return [
        figure("idle_memory", "MB", [empty], bar=100),
        figure("idle_memory", "MB", [after], floor=[empty], ratio_bar=1.2, note=f"after {RUNS:,} runs"),
    ]


def trigger_latency() -> list[Figure]:
    """A run of one task, from the call that starts it to the word that it is a success, one at a time: ms."""
    found = []
    for database in DATABASES:
        with served(database) as stand:
            stand.push(FLOW)
            with heard(stand) as ends:
                seen = [_started_and_done(stand, ends) for _ in range(SINGLE + 20)][20:]
        found.append(figure("trigger_latency", "ms", seen, database=database, alone=True, bar=20, p95_bar=60))
    return found


def api_throughput() -> list[Figure]:
    """Flows of two tasks started one by one through the API: task runs per second; and start to end at half of that."""
    with served("postgres") as stand:
        stand.push(TWO)
        with heard(stand) as ends:
            _as_fast_as_it_goes(stand, ends, LASTS / 4)
            rate = _as_fast_as_it_goes(stand, ends, LASTS)
            took = sorted(_at_pace(stand, ends, WANTED / 4, LASTS))
    late = took[int(len(took) * 0.99)]
    note = f"start to end at {WANTED // 2}/s; p99 {late:.0f}"
    return [
        figure("api_throughput", "task runs/s", [rate], database="postgres", alone=True, bar=WANTED),
        figure("api_throughput_half", "ms", took, database="postgres", note=note),
    ]


def log_tail() -> list[Figure]:
    """A line from when a task prints it to when it is at a client that follows its run: ms."""
    found = []
    for database in DATABASES:
        with served(database) as stand:
            stand.push(SAYS)
            seen = _tailed(stand)
        found.append(figure("log_tail", "ms", seen, database=database, alone=True, p95_bar=200))
    return found


class Ends:
    """When runs ended, as a client hears it."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.bad: list[str] = []
        self.over = False
        self._news = threading.Condition()

    def take(self, row: dict[str, object]) -> None:
        """Hear of a change."""
        status = row.get("status")
        if row.get("what") != "run" or status in (None, "queued", "running"):
            return
        with self._news:
            self.at.setdefault(str(row["key"]), time.perf_counter())
            if status != "success":
                self.bad.append(f"{row['key']} is {status}")
            self._news.notify_all()

    def wait(self, runs: list[str], seconds: float = 300.0) -> None:
        """Wait until all of these have ended."""
        with self._news:
            done = self._news.wait_for(lambda: all(run in self.at for run in runs), seconds)
        assert done, f"not all of {len(runs)} runs have ended"
        assert not self.bad, self.bad[:3]


@contextlib.contextmanager
def heard(stand: Served) -> Iterator[Ends]:
    """Follow what becomes of all runs, by a connection of its own."""
    ends, ready = Ends(), threading.Event()

    def listen() -> None:
        with (
            contextlib.suppress(httpx.TransportError, httpx.StreamError),
            httpx.Client(base_url=stand.url, headers=stand.client.headers, timeout=600.0) as client,
            client.stream("GET", "/v1/changes", params={"what": "run"}) as answer,
        ):
            ready.set()
            for _, data in events_of(answer):
                if ends.over:
                    return
                ends.take(data)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert ready.wait(30), "nobody hears what changes"
    yield ends
    ends.over = True
    stand.start(flow_of(stand))  # one more, so that it hears something and looks whether it is over
    thread.join(30)


def flow_of(stand: Served) -> str:
    """The flow that a bench has stored."""
    text = (stand.folder / "flows" / "flow0.yml").read_text()
    return text.partition("\n")[0].removeprefix("id: ")


def events_of(answer: httpx.Response) -> Iterator[tuple[str, dict[str, object]]]:
    """The events of a stream, each with its name; what comes as a list comes one by one."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data = msgspec.json.decode(line.removeprefix("data:"))
            for each in data if isinstance(data, list) else [data]:
                yield name, each


def _up() -> float:
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        folder, port = Path(name), free_port()
        (folder / "penstock.yaml").write_text(SETTINGS)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            began = time.perf_counter()
            with standing(folder, "dev", "--port", port):
                answered(client, folder)
                return (time.perf_counter() - began) * 1e3


def _started_and_done(stand: Served, ends: Ends) -> float:
    began = time.perf_counter()
    run = stand.start("one")
    ends.wait([run])
    return (ends.at[run] - began) * 1e3


def _as_fast_as_it_goes(stand: Served, ends: Ends, seconds: float) -> float:
    """Start runs by several clients, never more than some at once; task runs a second, until the last has ended."""
    began = time.perf_counter()
    until = began + seconds

    def go(_: int) -> list[str]:
        mine: list[str] = []
        waiting: list[str] = []
        with httpx.Client(base_url=stand.url, headers=stand.client.headers, timeout=30.0) as client:
            while time.perf_counter() < until:
                answer = client.post("/v1/runs", json={"namespace": "bench", "flow": "two"})
                assert answer.status_code == 201, answer.text
                waiting.append(str(answer.json()["id"]))
                while len(waiting) >= AT_ONCE // CLIENTS:
                    mine.append(waiting.pop(0))
                    ends.wait(mine[-1:])
        return [*mine, *waiting]

    with ThreadPoolExecutor(CLIENTS) as pool:
        runs = [run for each in pool.map(go, range(CLIENTS)) for run in each]
    ends.wait(runs)
    return 2 * len(runs) / (max(ends.at[run] for run in runs) - began)


def _at_pace(stand: Served, ends: Ends, rate: float, seconds: float) -> list[float]:
    """Start so many runs a second, whether those before have ended or not; the ms of each from its call to its end."""
    began: dict[str, float] = {}
    first = time.perf_counter()
    for number in itertools.count():
        due = first + number / rate
        if due > first + seconds:
            break
        time.sleep(max(0.0, due - time.perf_counter()))
        called = time.perf_counter()
        began[stand.start("two")] = called
    ends.wait(list(began))
    return [(ends.at[run] - at) * 1e3 for run, at in began.items()]


def _tailed(stand: Served) -> list[float]:
    run = stand.start("says")
    seen: list[float] = []
    with stand.client.stream("GET", f"/v1/runs/{run}/follow", timeout=60.0) as answer:
        for name, data in events_of(answer):
            if name == "log":
                with contextlib.suppress(ValueError):
                    seen.append((time.time() - float(str(data["text"]))) * 1e3)
    assert len(seen) == LINES, f"{len(seen)} lines of {LINES} came"
    return seen
