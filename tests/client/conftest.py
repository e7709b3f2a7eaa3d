"""What is a client tried against? A real server on a port, with a store, and a worker that does what there is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.api.serve import Listen, Server
from penstock.api.who import who_of
from penstock.cli.drive import worker_options
from penstock.cli.main import call
from penstock.client import Client
from penstock.services.access import local_key
from penstock.services.worker.loop import Worker
from tests.api.house import House


class Installation:
    """A house whose server answers on a port, and a worker; opens in a folder, closes all of it."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder, str(folder / "penstock.db"))
        self.folder = folder
        self.server = Server(self.house.app, who_of(self.house.app, "ann"))
        self.key = local_key.read(self.house.app.where.state)
        self.server.start()
        self._closing = threading.Event()
        self._worker = Worker(self.house.core, worker_options(self.house.app, "bee", slots=2))
        self._thread = threading.Thread(target=lambda: self._worker.run_until(self._closing.is_set))
        self._thread.start()

    def again(self) -> None:
        """Have the server end, and another one answer at the same address."""
        port = self.server.port
        self.server.close(0)
        self.server = Server(self.house.app, who_of(self.house.app, "ann"), Listen(port=port))
        self.server.start()

    def close(self) -> None:
        """Close all of it."""
        self._closing.set()
        self._worker.wake()
        self._thread.join()
        self._worker.close()
        self.server.close(0)
        self.house.close()


class Done(msgspec.Struct, frozen=True):
    """What a command gave: its exit code and both outputs."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Penstock = Callable[..., Done]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One server for the tests of a page."""
    made = Installation(tmp_path_factory.mktemp("installation"))
    yield made
    made.close()


@pytest.fixture
def client(installation: Installation) -> Iterator[Client]:
    """A client with the rights of the owner."""
    with Client(installation.server.url, installation.key, timeout=20) as made:
        yield made


@pytest.fixture
def penstock(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Penstock:
    """Call a command line in a folder of the test's own, which asks the server by the owner's token."""
    for name in ("PENSTOCK_STORE", "PENSTOCK_BLOBS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PENSTOCK_SERVER", installation.server.url)
    monkeypatch.setenv("PENSTOCK_TOKEN", installation.key)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Done:
        capfd.readouterr()
        code = call(list(arguments))
        out, err = capfd.readouterr()
        return Done(int(code), out, err)

    return run
