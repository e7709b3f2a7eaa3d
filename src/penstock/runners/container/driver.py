"""What does the process do that stands for a container? It has it made, passes on what it prints, and ends as it ends.

For the worker it is a process like any other: its streams are the container's, SIGTERM to it is SIGTERM to the
container, its exit code is the container's. When it could not end by itself the worker has the container ended.
"""

from __future__ import annotations

import contextlib
import io
import re
import signal
import socket
import tarfile
import time
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final, cast

import msgspec

from penstock.errors import PenstockError
from penstock.errors.work import EngineRefused, NoEngine
from penstock.model.run import ErrorKind
from penstock.runners.container import files, records, removal
from penstock.runners.container.body import body_of
from penstock.runners.container.engine import TAR, find
from penstock.runners.container.images import provide
from penstock.runners.container.streams import Pump
from penstock.runners.container.wanted import KEPT, PRINT, RUN, STEP, Wanted, fence_of
from penstock.runners.process.plugin import Line
from penstock.sdk.container import FOLDER

NOT_FOUND_CODE: Final = 127
NOT_RUNNABLE_CODE: Final = 126
STOPPED: Final = 128 + signal.SIGTERM
KILLED: Final = 128 + signal.SIGKILL
ABSENT: Final = re.compile(r"executable file .*not found|(?:stat|exec) .*no such file", re.DOTALL)
NOT_RUNNABLE: Final = re.compile(r"permission denied|exec format error", re.IGNORECASE)
# How long a state is asked for before the engine is left to tell of it: its own looks are seldom.
LOOKS: Final = 20
LOOK: Final = 0.025


class Stopped(BaseException):
    """It was told to end before its container had begun."""


class CannotBegin(Exception):
    """The image has no such program, or one that cannot be run; `code` is what a shell would leave with."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def main(payload: Mapping[str, object], channel: socket.socket) -> None:
    """See a container through (`run`: what is wanted), or end one (`end`: its record); leaves with an exit code."""
    line = Line(channel)
    try:
        if "end" in payload:
            removal.end(Path(str(payload["end"])))
            code = 0
        else:
            code = Stay(msgspec.convert(payload["run"], Wanted), line).run()
    except Stopped:
        code = STOPPED
    except CannotBegin as error:
        _fail(line, ErrorKind.EXIT, str(error))
        code = error.code
    except PenstockError as error:
        _fail(line, ErrorKind.TASK, f"{error.sentence} {error.hint}".strip(), error.code)
        code = 1
    raise SystemExit(code)


class Stay:
    """One attempt in a container; `run` opens and closes it."""

    def __init__(self, wanted: Wanted, line: Line) -> None:
        self._wanted = wanted
        self._line = line
        self._path = f"/containers/{wanted.name}"
        self._engine = find(wanted.container.engine)
        self._begun = False
        self._stopping = False

    def run(self) -> int:
        """Make the container or take it up, and give its exit code when it has ended and is removed."""
        signal.signal(signal.SIGTERM, self._stop)
        earlier = self._earlier()
        records.write(self._wanted, self._engine.address)
        left = False
        try:
            stream = self._take_up(earlier) or self._create()
            if stream is None:
                return self._leave_it()
            code, pump = self._see_through(stream)
            if self._wanted.returns or pump.files:
                self._bring_back()
            left = not self._wanted.container.delete
            return code
        finally:
            self._put_away(keep=left)

    def _create(self) -> HTTPResponse | None:
        """Make the container with its files and start it; gives what it prints."""
        engine, wanted, asked = self._engine, self._wanted, self._wanted.container
        provide(engine, asked, self._say)
        engine.call("POST", "/containers/create", body_of(wanted), name=wanted.name)
        folders = {place: Path(here) for here, place in wanted.given.items()}
        if not asked.mounted:
            folders[FOLDER] = Path(wanted.folder)
        if folders:
            with engine.stream("PUT", f"{self._path}/archive", files.pack(folders), {"path": "/"}, TAR):
                pass
        try:
            return self._start()
        except EngineRefused as error:
            self._begun = False
            absent, useless = ABSENT.search(error.message), NOT_RUNNABLE.search(error.message)
            if not absent and not useless:
                raise
            code = NOT_FOUND_CODE if absent else NOT_RUNNABLE_CODE
            raise CannotBegin(error.message, code) from error

    def _start(self) -> HTTPResponse | None:
        """Listen, then start, so that nothing is missed."""
        wanted = {"stream": 1, "stdout": 1, "stderr": 1}
        waits = self._wanted.container.wait
        stream = self._engine.stream("POST", f"{self._path}/attach", None, wanted) if waits else None
        self._begun = True
        self._engine.call("POST", f"{self._path}/start")
        if self._stopping:
            self._pass_on()
        return stream

    def _take_up(self, earlier: list[tuple[str, dict[str, Any]]]) -> HTTPResponse | None:
        """Go on with the container of an earlier attempt, if one can be; end all others of this step."""
        wanted = self._wanted
        for name, found in earlier:
            fence = fence_of(name)
            if fence is None:
                continue
            if fence > wanted.fence:
                raise EngineRefused(f"A later attempt of this step has its container already ({name}).")
            if self._begun or not self._fits(found):
                removal.remove(self._engine, name)
            else:
                if name != wanted.name:
                    # Who bears the name owns it: what the earlier attempt may still ask for it finds nothing.
                    self._engine.call("POST", f"/containers/{name}/rename", name=wanted.name)
                self._begun = True
                self._say(f"Going on with the container that an earlier attempt began ({name}).")
            if name != wanted.name:
                Path(wanted.record).with_name(name).unlink(missing_ok=True)
        if not self._begun:
            return None
        return self._engine.stream("GET", f"{self._path}/logs", None, {"follow": 1, "stdout": 1, "stderr": 1})

    def _earlier(self) -> list[tuple[str, dict[str, Any]]]:
        labels = [f"{RUN}={self._wanted.run}", f"{STEP}={self._wanted.step}"]
        filters = msgspec.json.encode({"label": labels}).decode()
        found = cast("list[dict[str, Any]]", self._engine.call("GET", "/containers/json", all="true", filters=filters))
        return [(str(one["Names"][0]).lstrip("/"), one) for one in found if one.get("Names")]

    def _fits(self, found: dict[str, Any]) -> bool:
        same = found.get("Labels", {}).get(PRINT) == self._wanted.fingerprint
        return self._wanted.resumable and same and found.get("State") in ("running", "exited")

    def _see_through(self, stream: HTTPResponse) -> tuple[int, Pump]:
        """Pass on what is printed until the end; gives the exit code."""
        pump = Pump(stream)
        with stream, contextlib.suppress(OSError, HTTPException):
            pump.run()
        state = self._ended()
        code = int(state.get("ExitCode", 0)) & 0xFF
        if not self._stopping and (state.get("OOMKilled") or code == KILLED):
            self._tell_of_memory(starved=bool(state.get("OOMKilled")))
        return code, pump

    def _ended(self) -> dict[str, Any]:
        """The state of the container when it does not run any more."""
        for _ in range(LOOKS):
            state = self._state()
            if state.get("Status") in ("exited", "dead", "stopped"):
                return state
            time.sleep(LOOK)
        with self._engine.stream("POST", f"{self._path}/wait") as answer:
            answer.read()
        return self._state()

    def _state(self) -> dict[str, Any]:
        return cast("dict[str, Any]", cast("dict[str, Any]", self._engine.call("GET", f"{self._path}/json"))["State"])

    def _tell_of_memory(self, *, starved: bool) -> None:
        if self._wanted.container.bounds.memory is not None:
            _fail(self._line, ErrorKind.MEMORY, "The container ran out of memory.")
        elif starved:
            _fail(self._line, ErrorKind.SYSTEM, "The machine was short of memory, and the container was ended for it.")

    def _bring_back(self) -> None:
        """Write the files of the container's folder to the attempt's own."""
        wanted = self._wanted
        if wanted.container.mounted:
            return
        for attempt in range(LOOKS):
            with self._engine.stream("GET", f"{self._path}/archive", None, {"path": FOLDER}) as answer:
                stream = cast("IO[bytes]", io.BufferedReader(cast("io.RawIOBase", answer)))
                try:
                    left = files.unpack(stream, Path(wanted.folder), mirror=wanted.shared)
                    break
                except tarfile.ReadError as error:
                    # Podman says "yes" and sends nothing while it still puts away what has ended.
                    if attempt == LOOKS - 1:
                        raise EngineRefused(f"The container's files could not be read: {error}.") from error
            time.sleep(LOOK * attempt)
        for name in left:
            self._say(f'"{name}" is left in the container: it is no file, or leads out of the folder.', "warn")

    def _leave_it(self) -> int:
        """The container goes on by itself: nobody waits for it, and no later attempt is to end it."""
        self._say(f"The container {self._wanted.name}{KEPT} goes on by itself; nobody waits for its end.")
        return 0

    def _put_away(self, *, keep: bool) -> None:
        """Remove the container, or leave it under a name that says that nobody owns it; then nothing is recorded."""
        wanted = self._wanted
        goes_on = self._begun and not wanted.container.wait and not self._stopping
        if keep or goes_on:
            with contextlib.suppress(EngineRefused, NoEngine):
                self._engine.call("POST", f"{self._path}/rename", name=f"{wanted.name}{KEPT}")
                Path(wanted.record).unlink(missing_ok=True)
            return
        with contextlib.suppress(EngineRefused, NoEngine):
            removal.end(Path(wanted.record))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        if not self._begun:
            raise Stopped
        self._pass_on()

    def _pass_on(self) -> None:
        with contextlib.suppress(EngineRefused, NoEngine):
            self._engine.call("POST", f"{self._path}/kill", signal="SIGTERM")

    def _say(self, message: str, level: str = "info") -> None:
        self._line.send({"t": "log", "level": level, "message": message})


def _fail(line: Line, kind: ErrorKind, message: str, code: str = "") -> None:
    failure = {"kind": kind.value, "message": message, "code": code}
    line.send({"t": "outcome", "outcome": "failed", "outputs": {}, "failure": failure})
