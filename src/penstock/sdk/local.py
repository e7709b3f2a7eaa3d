"""How does a task run without a worker? In this process, in a folder, with everything it says kept for reading."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

import msgspec

from penstock.errors.task import NotOffered, Refused
from penstock.model.asset import Touched
from penstock.sdk import child, registry
from penstock.sdk.context import Ask
from penstock.sdk.launch import Launch, LaunchContext
from penstock.sdk.task import Outcome, ScriptType

SCHEME: Final = "penstock:///local/"
SEALED: Final = "sealed:"
NOTHING: Final[dict[str, object]] = {}


class Line(msgspec.Struct, frozen=True):
    """One line of a task's log."""

    level: str
    message: str


class Metric(msgspec.Struct, frozen=True):
    """One number that a task recorded."""

    name: str
    value: float
    kind: str = "counter"
    tags: dict[str, str] = {}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, and all that it said on the way; `failure` has kind, message, exit_code and code."""

    outcome: Outcome
    outputs: dict[str, object]
    failure: dict[str, object] | None
    message: str
    logs: tuple[Line, ...]
    metrics: tuple[Metric, ...]
    state: dict[str, object]
    touched: tuple[Touched, ...] = ()


class LocalContext:
    """A folder in which task types run, with files, keys and secrets of its own; a temporary one unless it is given.

    With `lineage` they tell what data they read and write (`touched`).
    `key` is the idempotency key of the step that was run last.
    `fired` are the outputs that triggers have fired with, by their keys; after `most_fired` they are switched off.
    """

    def __init__(
        self, folder: Path | None = None, *, secrets: Mapping[str, str] | None = None, namespace: str = "local"
    ) -> None:
        self.folder = folder.resolve() if folder else Path(tempfile.mkdtemp(prefix="penstock-local-")).resolve()
        self.secrets = dict(secrets or {})
        self.namespace = namespace
        self.lineage = False
        self.kv: dict[tuple[str, str], object] = {}
        self.labels: dict[str, str] = {}
        self.fired: dict[str, dict[str, object]] = {}
        self.most_fired: int | None = None
        self._ours = folder is None
        self._count = 0
        # servers outside remember what was asked of them under a key, longer than this lives
        self._id = self.key = f"local/{uuid.uuid4()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder, if it was made here."""
        if self._ours:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(
        self,
        name: str,
        properties: Mapping[str, object] = NOTHING,
        *,
        state: Mapping[str, object] = NOTHING,
        attempt: int = 1,
        again: bool = False,
    ) -> Told:
        """Run one attempt of a task type, its properties rendered already; meanwhile this process is in its folder. A
        second attempt and those after it are at the step that was run before: they have its idempotency key. So is one
        that comes `again` under its number, as a worker that stops hands it back.
        """
        workdir = self.folder / "work" / str(self._next())
        workdir.mkdir(parents=True)
        talk = _Talk(self, workdir)
        about = {"run": "local", "namespace": self.namespace, "flow": "local", "step": "local", "workdir": str(workdir)}
        if attempt == 1 and not again:
            self.key = f"{self._id}/{self._count}"
        context = {**about, "attempt": attempt, "idempotency_key": self.key, "state": dict(state)}
        context["lineage"] = self.lineage
        with contextlib.chdir(workdir):
            child.main({"type": name, "properties": properties, "context": context}, talk)
        return talk.told(state)

    def launch(self, name: str, properties: Mapping[str, object]) -> Launch:
        """Describe the process that a script task would start."""
        kind = registry.find(name)
        if not issubclass(kind, ScriptType):
            raise NotOffered(f'"{name}" starts no process.')
        return registry.decode(kind, properties).launch(LaunchContext(namespace=self.namespace))

    def put(self, content: bytes | str | Path, name: str = "file") -> str:
        """Store a file, or a copy of one, and give its address."""
        number = self._next()
        path = self.folder / "stored" / str(number) / Path(name).name
        path.parent.mkdir(parents=True)
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return f"{SCHEME}{number}/{path.name}"

    def path(self, uri: str) -> Path:
        """Where a stored file lies; Refused when there is none."""
        path = self.folder / "stored" / uri.removeprefix(SCHEME)
        if not uri.startswith(SCHEME) or ".." in path.parts or not path.is_file():
            raise Refused(f'There is no stored file "{uri}".')
        return path

    def text(self, uri: str) -> str:
        """The text of a stored file."""
        return self.path(uri).read_text()

    def _next(self) -> int:
        self._count += 1
        return self._count


class _Talk:
    """One attempt's transport: frames are kept, questions answered from the folder. Open while the attempt runs."""

    def __init__(self, local: LocalContext, workdir: Path) -> None:
        self._local = local
        self._workdir = workdir
        self._frames: list[dict[str, object]] = []

    def send(self, frame: dict[str, object]) -> None:
        self._frames.append(frame)

    def ask(self, what: str, body: dict[str, object]) -> object:
        kv = self._local.kv
        place = (str(body.get("namespace") or self._local.namespace), str(body.get("key", "")))
        match Ask(what):
            case Ask.KV_GET:
                return {"found": place in kv, "value": kv.get(place)}
            case Ask.KV_SET:
                if place in kv and not body.get("overwrite", True):
                    raise Refused(f'The key "{place[1]}" is there already.')
                kv[place] = body.get("value")
                return None
            case Ask.KV_DELETE:
                return kv.pop(place, self) is not self
            case Ask.KV_KEYS:
                prefix = str(body.get("prefix", ""))
                return sorted(key for space, key in kv if space == place[0] and key.startswith(prefix))
            case Ask.UNSEAL:
                name = str(body["name"])
                if name not in self._local.secrets:
                    raise Refused(f'There is no secret "{name}".')
                return self._local.secrets[name]
            case Ask.TEXT_SEAL:
                return f"{SEALED}{body['text']}"
            case Ask.TEXT_OPEN:
                return str(body["sealed"]).removeprefix(SEALED)
            case Ask.LABELS_SET:
                self._local.labels.update(cast("dict[str, str]", body["labels"]))
                return None
            case Ask.LOGS_FETCH:
                return [frame for frame in self._frames if frame["t"] == "log"]
            case Ask.FILE_PUT | Ask.FILE_GET | Ask.FILE_DELETE | Ask.FILE_SIZE as about_file:
                return self._file(about_file, body)
            case Ask.TRIGGER_FIRE:
                return self._fired(str(body["key"]), cast("dict[str, object]", body["outputs"]))
            case _:
                raise Refused(f'There are no runs, and no project, to ask for "{what}" here.')

    def told(self, state: Mapping[str, object]) -> Told:
        """All that was said, as one value."""
        ending = self._frames[-1]
        outputs: dict[str, object] = {}
        kept = dict(state)
        for frame in self._frames:
            if frame["t"] == "output":
                outputs.update(cast("dict[str, object]", frame["values"]))
            if frame["t"] == "state":
                kept = cast("dict[str, object]", frame["value"])
        outputs.update(cast("dict[str, object]", ending["outputs"]))
        of = {kind: [frame for frame in self._frames if frame["t"] == kind] for kind in ("log", "metric", "data")}
        return Told(
            outcome=Outcome(str(ending["outcome"])),
            outputs=outputs,
            failure=cast("dict[str, object] | None", ending.get("failure")),
            message=str(ending.get("message", "")),
            logs=tuple(msgspec.convert(frame, Line) for frame in of["log"]),
            metrics=tuple(msgspec.convert(frame, Metric) for frame in of["metric"]),
            state=kept,
            touched=tuple(msgspec.convert(frame, Touched) for frame in of["data"]),
        )

    def _fired(self, key: str, outputs: dict[str, object]) -> str:
        fired, most = self._local.fired, self._local.most_fired
        if most is not None and key not in fired and len(fired) >= most:
            raise Refused("The trigger is switched off.")
        fired.setdefault(key, outputs)
        return f"run {list(fired).index(key) + 1}"

    def _file(self, ask: Ask, body: dict[str, object]) -> object:
        if ask is Ask.FILE_PUT:
            return self._local.put(Path(str(body["path"])), str(body["name"]))
        uri = str(body["uri"])
        if ask is Ask.FILE_DELETE:
            try:
                self._local.path(uri).unlink()
            except Refused:
                return False
            return True
        path = self._local.path(uri)
        if ask is Ask.FILE_SIZE:
            return path.stat().st_size
        copy = self._workdir / f"{path.parent.name}-{path.name}"
        shutil.copyfile(path, copy)
        return copy.name
