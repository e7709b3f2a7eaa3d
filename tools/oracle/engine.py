"""How is the engine asked? One JVM that reads a request and writes an answer a line, in memory and without network."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from tools.oracle.installation import HERE, Installation
from tools.oracle.trouble import NoAnswerError, say

Document: TypeAlias = dict[str, Any]

START_LIMIT = 180.0
# Seconds beyond a request's own time until the JVM counts as lost.
GRACE = 30.0
# The JVM's own warnings go to stdout unless told otherwise, and stdout is for answers.
_QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr", "-Dfile.encoding=UTF-8")
# It lives for seconds: the quick compiler and the small collector save a third of them.
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED")


class Engine:
    """One running JVM of a version; a context manager, at whose end nothing of it is left.

    `archive_to` makes it write the archive of its classes there when it ends.
    """

    def __init__(self, version: str, *, heap: str = "2g", log: str = "", archive_to: Path | None = None) -> None:
        self.installation = Installation(version)
        self.version = version
        self._opened = contextlib.ExitStack()
        self._work = Path(
            self._opened.enter_context(
                tempfile.TemporaryDirectory(prefix="penstock-oracle-", ignore_cleanup_errors=True)
            )
        )
        self._log = self._opened.enter_context((Path(log) if log else self._work / "engine.log").open("w+"))
        self._answers: queue.Queue[Document | None] = queue.Queue()
        environment = json.loads((HERE / "environment.json").read_text())
        settings = self._work / "settings.json"
        settings.write_text(json.dumps(_settings(environment)))
        self._process = self._start(environment, settings, heap, archive_to)
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Engine:
        try:
            self.receive(START_LIMIT)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, request: Document) -> Document:
        """Give the answer to one request. Raises NoAnswerError."""
        self.send(request)
        return self.receive(float(request.get("timeout", 60)) + GRACE)

    def ask_all(self, requests: Iterable[Document], at_once: int = 4) -> Iterator[Document]:
        """Give the answers in the order of the requests, several of them at a time in the JVM. Raises NoAnswerError."""
        waiting = list(requests)
        longest = max((float(request.get("timeout", 60)) for request in waiting), default=0.0) + GRACE
        answered: dict[int, Document] = {}
        sent = 0
        for number in range(len(waiting)):
            while number not in answered:
                while sent < len(waiting) and sent - number - len(answered) < at_once:
                    self.send({**waiting[sent], "id": sent})
                    sent += 1
                answer = self.receive(longest)
                answered[answer["id"]] = answer
            yield answered.pop(number) | {"id": waiting[number].get("id")}

    def send(self, request: Document) -> None:
        """Write one request."""
        # A JVM that is gone is told by receive().
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def receive(self, seconds: float) -> Document:
        """Wait for the next answer. Raises NoAnswerError, with the last lines that the engine logged."""
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise NoAnswerError(f"the engine did not answer within {seconds:.0f} s\n{self._tail()}") from None
        if answer is None:
            raise NoAnswerError(f"the engine ended\n{self._tail()}")
        return answer

    def close(self) -> None:
        """End the JVM by closing its stdin; what does not end by itself is killed with its whole group."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            say("the engine did not end by itself: killed")
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._opened.close()

    def _start(
        self, environment: Document, settings: Path, heap: str, archive_to: Path | None
    ) -> subprocess.Popen[bytes]:
        own = self.installation
        prefix = _isolation()
        if prefix is None:
            say("WARNING: no network namespace is possible here: the engine is not cut off from the network")
        archive = [f"-XX:SharedArchiveFile={own.archive}"] if own.archive.exists() else []
        if archive_to is not None:
            archive = [f"-XX:ArchiveClassesAtExit={archive_to}"]
        java = [str(own.jdk / "bin" / "java"), *_QUIET, *_SHORT_LIVED, *archive, f"-Xmx{heap}"]
        java += ["-cp", os.pathsep.join(map(str, own.jars)), "oracle.Oracle", str(self._work)]
        return subprocess.Popen(
            [*(prefix or []), *java, str(HERE / self.version / "application.yml"), str(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_variables(environment, self._work),
            start_new_session=True,
        )

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self._answers.put(json.loads(line))
            except ValueError:
                self._log.write(f"not an answer: {line!r}\n")
        self._answers.put(None)

    def _tail(self) -> str:
        self._log.flush()
        self._log.seek(0)
        return "".join(self._log.readlines()[-25:])


def _settings(environment: Document) -> Document:
    variables = {"globals": environment.get("globals", {}), "env-vars-prefix": environment.get("env_prefix", "KESTRA_")}
    return {"kestra": {"variables": variables, "encryption": {"secret-key": environment["encryption_key"]}}}


def _variables(environment: Document, work: Path) -> dict[str, str]:
    env = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env |= {"LANG": "C.UTF-8", "TZ": "UTC", "ORACLE_WORK": str(work), "ORACLE_PORT": str(port)}
    env |= {key: str(value) for key, value in environment.get("env", {}).items()}
    for name, value in environment.get("secrets", {}).items():
        env[f"SECRET_{name.upper()}"] = base64.b64encode(value.encode()).decode()
    return env


def _isolation() -> list[str] | None:
    """Give the words before the JVM's that give it a network with nothing but loopback; None where that is forbidden.

    With processes of its own too where allowed: then nothing that a flow started outlives the JVM.
    """
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    for own in (["--pid", "--fork", "--kill-child", "--mount-proc"], []):
        prefix = ["unshare", *user, "--net", *own]
        with contextlib.suppress(OSError):
            if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
                return [*prefix, sys.executable, str(HERE / "inside.py")]
    return None
