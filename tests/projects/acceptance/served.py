"""How does a test use the project as programs elsewhere do? By HTTP, of a server beside a worker on one PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.projects.acceptance.project import Project, until

YAML = "application/yaml"


@dataclass(frozen=True)
class Answer:
    """What a call was answered with."""

    status: int
    body: Any

    @property
    def good(self) -> Any:
        """What it says, where the call went well."""
        assert 200 <= self.status < 300, self
        return self.body


@dataclass(frozen=True)
class Service:
    """A server and a worker that stand, in the project's folder and on a store of their own."""

    url: str
    key: str

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Call the API as the owner of this machine; a text goes as YAML, all else as JSON."""
        headers = {"Authorization": f"Bearer {self.key}"}
        data = None
        if isinstance(body, str):
            headers["Content-Type"], data = YAML, body.encode()
        elif body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, json.loads(answer.read() or b"null"))
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, json.loads(refused.read() or b"null"))

    def get(self, path: str) -> Any:
        """What an address tells."""
        return self.ask("GET", path).good

    def listed(self, path: str) -> list[dict[str, Any]]:
        """A list to its end, however many pages it has."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
            found += page["items"]
            cursor = page["next"]
            if not cursor:
                return found


@contextlib.contextmanager
def service(project: Project, store: str) -> Iterator[Service]:
    """Let a server and a worker stand; both are asked to stop at the end, and must do so in order."""
    with contextlib.ExitStack() as standing:
        said = standing.enter_context(_stands(project, "serve", "--port", "0", "--store", store))
        standing.enter_context(_stands(project, "worker", "--slots", "8", "--store", store))
        yield Service(_address(said), (project.folder / ".penstock" / "key").read_text().strip())


def _address(said: Path) -> str:
    """Where the server says that it answers."""
    with contextlib.suppress(AssertionError):
        until(lambda: "answers at" in said.read_text(), "the server answers")
    found = re.search(r"answers at (http://\S+),", said.read_text())
    assert found is not None, said.read_text()
    return found[1]


@contextlib.contextmanager
def _stands(project: Project, *words: str) -> Iterator[Path]:
    """One of our processes, and the file of what it says."""
    said = project.folder / f"{words[0]}.log"
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "penstock", *words],
            cwd=project.folder,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield said
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, said.read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
