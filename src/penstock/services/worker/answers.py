"""What does a worker answer when a task asks? A closed list, each under the rights of the run that asks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from penstock.errors.store import BlobMissing
from penstock.errors.task import Refused
from penstock.model.access import SYSTEM
from penstock.model.run import Run
from penstock.sdk.context import Ask
from penstock.services import firing, starting
from penstock.services import flows as flow_verbs
from penstock.services import runs as run_verbs
from penstock.services.core import Core
from penstock.services.project_folder import inside
from penstock.services.secrets.given import opened_text, sealed_text
from penstock.services.secrets.masks import Masks
from penstock.services.stored import OURS
from penstock.services.worker import flow_texts, others, project_files, rows, workdir
from penstock.services.worker.capture import LEVELS
from penstock.services.worker.hiding import Starred
from penstock.store import feed, flows, kv, runs
from penstock.store.chunks import Level, unpack
from penstock.store.port import Tx
from penstock.telemetry import traces

KEY: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}")
MOST_LOG_LINES: Final = 100_000
NOTHING: Final = Masks()
# What is kept of a question as it was asked.
KEEPS: Final = {Ask.KV_SET, Ask.RUN_START, Ask.RUN_RESUME, Ask.FLOW_PUT}


class Asker(msgspec.Struct, frozen=True):
    """Who asks: a run's attempt, with its working directory."""

    run: Run
    step: str
    attempt: int
    folder: Path | None
    reveal: Callable[[str], None]
    masks: Masks = NOTHING

    @property
    def prefix(self) -> str:
        """Under which keys the attempt's files are stored."""
        return f"runs/{self.run.id}/{self.step}/{self.attempt}"


def answer(core: Core, asker: Asker, what: str, body: Mapping[str, object]) -> object:
    """Answer one question; Refused, or another PenstockError, says why not."""
    asked_for = Ask(what)
    if asked_for in KEEPS and asker.masks.hide_data(body) != body:
        raise Refused("A secret would be kept where everybody can read it: whoever needs it calls secret() itself.")
    match asked_for:
        case Ask.KV_GET | Ask.KV_SET | Ask.KV_DELETE | Ask.KV_KEYS as asked:
            return _kept(core, asker, asked, body)
        case Ask.FILE_PUT | Ask.FILE_GET | Ask.FILE_DELETE | Ask.FILE_SIZE as asked:
            return _file(core, asker, asked, body)
        case Ask.UNSEAL:
            return _secret(core, asker, str(body["name"]))
        case Ask.TEXT_SEAL:
            return sealed_text(core, asker.run.namespace, str(body["text"]))
        case Ask.TEXT_OPEN:
            return _opened(core, asker, str(body["sealed"]))
        case Ask.LABELS_SET:
            _label(core, asker, asker.masks.hide_data(body))
            return None
        case Ask.LOGS_FETCH:
            return list(_logs(core, asker, body))
        case Ask.RUN_START:
            return _start(core, asker, body)
        case Ask.RUN_TELL:
            told = others.tell(core, str(body.get("run") or asker.run.id))
            _namespace(core, asker, str(told["namespace"]))
            return told
        case Ask.RUN_RESUME | Ask.RUNS_COUNT | Ask.RUNS_PURGE as asked:
            if namespace := str(body.get("namespace") or ""):
                _namespace(core, asker, namespace)
            return others.answer(core, asker.run, asked, body)
        case Ask.FILES_PURGE:
            return others.purge_files(core, asker.run)
        case Ask.PROJECT_LIST | Ask.PROJECT_GET | Ask.PROJECT_PUT | Ask.PROJECT_DELETE as asked:
            namespace = _namespace(core, asker, str(body.get("namespace") or ""))
            acts = core.asked_by(msgspec.structs.replace(SYSTEM, name=f"run {asker.run.id}"))
            where = project_files.Where(acts, namespace, _local(asker, "x").parent, asker.masks)
            return project_files.answer(where, asked, body)
        case Ask.FLOWS_LIST | Ask.FLOW_PUT | Ask.FLOW_DELETE as asked:
            return flow_texts.answer(core, asker.run, asked, body)
        case Ask.ROWS_RENDER:
            return rows.rendered(core, asker.run.id, asker.step, asker.reveal, body)
        case Ask.TRIGGER_FIRE:
            outputs = msgspec.convert(body.get("outputs") or {}, dict[str, object])
            return firing.heard(core, asker.run, outputs, str(body["key"]))


def _kept(core: Core, asker: Asker, asked: Ask, body: Mapping[str, object]) -> object:
    now = core.clock.now()
    namespace = _namespace(core, asker, str(body.get("namespace") or ""))
    if asked is Ask.KV_KEYS:
        prefix = str(body.get("prefix") or "")
        return [entry.key for entry in core.store.read(lambda tx: kv.list_values(tx, namespace, now, prefix))]
    key = str(body.get("key", ""))
    if not KEY.fullmatch(key):
        raise Refused(f'"{key}" cannot be a key: letters, digits, ".", "_", "-", at most 200.')
    if asked is Ask.KV_GET:
        entry = core.store.read(lambda tx: kv.get(tx, namespace, key, now))
        return {"found": entry is not None, "value": entry.value if entry else None}
    if asked is Ask.KV_DELETE:
        return core.store.write(lambda tx: kv.delete(tx, namespace, key, now))
    ttl, overwrite, value = body.get("ttl"), bool(body.get("overwrite", True)), body.get("value")
    expires = now + ttl if isinstance(ttl, int) else None
    done = core.store.write(
        lambda tx: kv.set_value(tx, namespace, key, value, now=now, expires_at=expires, overwrite=overwrite)
    )
    if done is None:
        raise Refused(f'The key "{key}" has a value already, and overwrite is false.')
    return None


def _namespace(core: Core, asker: Asker, asked: str) -> str:
    """The namespace meant: its own, one around or below it, or another that has flows."""
    own = asker.run.namespace
    if not asked or asked == own or own.startswith(f"{asked}.") or asked.startswith(f"{own}."):
        return asked or own
    if not core.store.read(lambda tx: flows.list_flows(tx, asked)):
        raise Refused(f'There is no namespace "{asked}".')
    return asked


def _file(core: Core, asker: Asker, asked: Ask, body: Mapping[str, object]) -> object:
    if asked is Ask.FILE_PUT:
        path = _local(asker, str(body["path"]))
        if not path.is_file():
            raise Refused(f'There is no file "{body["path"]}" to store.')
        name = str(body.get("name") or path.name)
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise Refused(f'A stored file cannot be named "{name}".')
        return Starred(workdir.files_of(core), asker.masks).put_file(_unused(core, asker.prefix, name), path)
    uri = str(body["uri"])
    if asked is Ask.FILE_GET:
        target = _free(_local(asker, PurePosixPath(uri).name or "file"))
        workdir.files_of(core).get_file(uri, target)
        return target.name
    return workdir.files_of(core).delete(uri) if asked is Ask.FILE_DELETE else workdir.files_of(core).size(uri)


def _unused(core: Core, prefix: str, name: str) -> str:
    """A key for a file: an address that was handed on must not lead to another file of the same name."""
    try:
        workdir.files_of(core).size(f"{OURS}{prefix}/{name}")
    except BlobMissing:
        return f"{prefix}/{name}"
    return f"{prefix}/{core.entropy().hex()}/{name}"


def _local(asker: Asker, name: str) -> Path:
    if asker.folder is None:
        raise Refused("This task has no working directory.")
    pure = PurePosixPath(name)
    if pure.is_absolute() and pure.is_relative_to(asker.folder):
        name = str(pure.relative_to(asker.folder))
    return inside(asker.folder, name)


def _free(path: Path) -> Path:
    count = 1
    free = path
    while free.exists():
        free = path.with_name(f"{count}-{path.name}")
        count += 1
    return free


def _secret(core: Core, asker: Asker, name: str) -> str:
    found = core.secrets.get(asker.run.namespace, name)
    if found is None:
        raise Refused(f'There is no secret "{name}" for the namespace {asker.run.namespace}.')
    asker.reveal(found)
    return found


def _opened(core: Core, asker: Asker, sealed: str) -> str:
    found = opened_text(core, asker.run.namespace, sealed)
    if found is None:
        raise Refused(f"This was not sealed for the namespace {asker.run.namespace}.")
    asker.reveal(found)
    return found


def _label(core: Core, asker: Asker, body: Mapping[str, object]) -> None:
    labels = _texts(body["labels"])
    if reserved := [name for name in labels if name.startswith(starting.SYSTEM)]:
        raise Refused(f'The label "{reserved[0]}" is the system\'s own.')

    def work(tx: Tx) -> bool:
        run = runs.load(tx, asker.run.id)
        if run is None or run.labels | labels == run.labels:
            return True
        changed = msgspec.structs.replace(run, labels=run.labels | labels, version=run.version + 1)
        feed.append(tx, [("run", run.id, changed.version)], core.clock.now())
        return runs.save(tx, changed, run.version)

    # Somebody who folds the run in between makes this one look again.
    while not core.store.write(work):
        pass


def _texts(given: object) -> dict[str, str]:
    """Labels as text, whatever simple value they were given as."""
    if not isinstance(given, Mapping) or not all(isinstance(value, str | int | float) for value in given.values()):
        raise Refused("Labels are names with text.")
    return {str(name): str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _logs(core: Core, asker: Asker, body: Mapping[str, object]) -> Iterator[dict[str, object]]:
    run_id = str(body.get("run") or asker.run.id)
    run = core.store.read(lambda tx: runs.load(tx, run_id))
    if run is None:
        raise Refused(f"There is no run {run_id}.")
    _namespace(core, asker, run.namespace)
    given = body.get("tasks")
    tasks = msgspec.convert(given, list[str]) if given else None
    least = LEVELS.get(str(body.get("level") or "").lower(), Level.NONE)
    left = MOST_LOG_LINES
    for chunk in core.store.logs.read(run_id):
        if tasks is not None and chunk.step.rpartition("/")[2].partition("[")[0] not in tasks:
            continue
        for piece in unpack(chunk):
            if piece.level and piece.level < least:
                continue
            for line in piece.text.decode(errors="replace").splitlines()[:left]:
                left -= 1
                yield {
                    "at": piece.at,
                    "level": (piece.level or Level.INFO).name.lower(),
                    "step": chunk.step,
                    "attempt": chunk.attempt,
                    "message": line,
                }


def _start(core: Core, asker: Asker, body: Mapping[str, object]) -> str:
    """Start a run of another flow; asked again by the same attempt with the same words, it is the same run."""
    revision = body.get("revision")
    namespace = str(body.get("namespace") or asker.run.namespace)
    plan = flow_verbs.newest_plan(core, namespace, str(body["flow"]), revision if isinstance(revision, int) else None)
    words = hashlib.blake2b(msgspec.json.encode(body), digest_size=16).hexdigest()
    asked = starting.Start(
        inputs=msgspec.convert(body.get("inputs") or {}, dict[str, object]),
        labels=_texts(body.get("labels") or {}),
        key=f"{asker.run.id}/{asker.step}/{asker.attempt}/{plan.flow.name}/{words}",
        owner=asker.run.owner,
        by=f"run {asker.run.id}",
        trace=traces.of_attempt(asker.run, asker.step, asker.attempt, core.knobs.traces),
    )
    return run_verbs.start(core, plan, asked)
