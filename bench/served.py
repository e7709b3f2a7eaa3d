"""How does a bench call a server? One that stands in a folder of its own, and a client with its key."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from bench.house import folder_on
from bench.memory import megabytes, open_files

READY = 30.0
FLOW = "id: one\nnamespace: bench\ntasks:\n  - {id: say, type: return, format: hello}\n"
SETTINGS = "namespace: bench\n"


class Served:
    """The processes that serve a folder, their address, and a client that keeps its connections."""

    def __init__(self, folder: Path, store: list[str], url: str, pids: list[int], client: httpx.Client) -> None:
        self.folder = folder
        self.store = store
        self.url = url
        self.pids = pids
        self.client = client

    @property
    def memory(self) -> float:
        """Megabytes of all of them."""
        return sum(map(megabytes, self.pids))

    @property
    def files(self) -> int:
        """Open files of all of them."""
        return sum(map(open_files, self.pids))

    def push(self, *texts: str) -> None:
        """Store flows, by the command that people use."""
        (self.folder / "flows").mkdir(exist_ok=True)
        for number, text in enumerate(texts):
            (self.folder / "flows" / f"flow{number}.yml").write_text(text)
        subprocess.run(command("flows", "push", *self.store), cwd=self.folder, check=True, capture_output=True)

    def start(self, flow: str, **given: object) -> str:
        """Start a run, and give its id."""
        answer = self.client.post("/v1/runs", json={"namespace": "bench", "flow": flow, **given})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def count(self, status: str) -> int:
        """How many runs stand so."""
        answer = self.client.get("/v1/runs", params={"status": status, "limit": 1000})
        assert answer.status_code == 200, answer.text
        return len(answer.json()["items"])


@contextlib.contextmanager
def served(database: str) -> Iterator[Served]:
    """An empty project served: on SQLite by `penstock dev`, on PostgreSQL by `penstock serve` and one worker."""
    with folder_on(database) as (folder, store), contextlib.ExitStack() as stack:
        (folder / "penstock.yaml").write_text(SETTINGS)
        port = free_port()
        kinds = [("dev", "--port", port)] if database == "sqlite" else [("serve", "--port", port), ("worker",)]
        pids = [stack.enter_context(standing(folder, *words, *store)).pid for words in kinds]
        url = f"http://127.0.0.1:{port}"
        client = stack.enter_context(httpx.Client(base_url=url, timeout=30.0))
        answered(client, folder)
        client.headers["Authorization"] = bearer(folder)
        yield Served(folder, store, url, pids, client)


@contextlib.contextmanager
def standing(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that stands for the length of the block, and then is asked to stop."""
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(command(*words), cwd=folder, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def answered(client: httpx.Client, folder: Path) -> None:
    """Wait until a server answers who knows the key of its folder."""
    until = time.monotonic() + READY
    while True:
        with contextlib.suppress(httpx.TransportError, OSError):
            if client.get("/v1/flows", headers={"Authorization": bearer(folder)}).status_code == 200:
                return
        assert time.monotonic() < until, (folder / "said").read_text()
        time.sleep(0.002)


def bearer(folder: Path) -> str:
    """What the owner of this machine says who he is."""
    return f"Bearer {(folder / '.penstock' / 'key').read_text().strip()}"


def command(*words: str) -> list[str]:
    """A command of Penstock in our Python."""
    return [sys.executable, "-m", "penstock", *words]


def free_port() -> str:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return str(taken.getsockname()[1])
