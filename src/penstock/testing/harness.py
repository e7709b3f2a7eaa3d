"""How is a flow run in a test? In this process, on a store in memory, with a clock that goes on only when told."""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Self

import msgspec

from penstock.app.databases import open_store
from penstock.clock import ManualClock
from penstock.errors import PenstockError
from penstock.errors.project import NoSuchFile, WrongCall
from penstock.model.effect import Work
from penstock.model.plan import Plan
from penstock.model.run import Run
from penstock.sdk.values import Duration
from penstock.services import apply, claims, flows, project
from penstock.services import runs as verbs
from penstock.services.core import Core, Knobs
from penstock.services.document import document
from penstock.services.plans import Plans
from penstock.services.project import Manner
from penstock.services.render import evaluate, prepare
from penstock.services.secrets.local import OfEnvironment
from penstock.services.secrets.masks import KnownMasks
from penstock.services.secrets.master import VARIABLE
from penstock.services.secrets.sealing import draw, text_of
from penstock.services.starting import Start
from penstock.services.stored import Stored
from penstock.services.sweep import sweep
from penstock.services.verify import verify_all
from penstock.services.watch import lines_of
from penstock.services.worker import home
from penstock.services.worker.workdir import Folders
from penstock.store import kv, runs, timers
from penstock.store.blobs.local import open_folder
from penstock.store.port import Tx
from penstock.store.queue import Claim
from penstock.testing import attempts
from penstock.testing.fixtures import Call, Given, chosen
from penstock.testing.ran import Ran, Said

BY: Final = "test"
FAR: Final = 366 * 86_400 * 1_000_000


class Rooms(NamedTuple):
    """What working directories want of a worker."""

    core: Core
    worker: str
    folders: Folders
    known: KnownMasks


class Harness:
    """A store in memory with flows in it; opens with its temporary folder, closes with `close` or `with`.

    `tasks` are fixtures by task id (or by step key, `each[1]/load`, which counts more) for every run. A task without
    one is really done, in this process, if it needs no other: log, return, http, sql … . `clock` stands still but for
    what fixtures take and what `advance` says; a run that waits for a retry lets it go on by itself. Where it is left
    without an error, `verify` has every run folded again from its events.
    """

    def __init__(
        self,
        *,
        tasks: Mapping[str, Given] | None = None,
        secrets: Mapping[str, str] | None = None,
        settings: Manner | None = None,
        clock: ManualClock | None = None,
        environ: Mapping[str, str] | None = None,
        verify: bool = True,
    ) -> None:
        self._verify = verify
        self._closed = False
        self.clock = clock or ManualClock()
        self._tasks = dict(tasks or {})
        self._manner = settings or Manner()
        self._folder = tempfile.TemporaryDirectory(prefix="penstock-test-")
        counter = itertools.count(1)
        sealed = {f"PENSTOCK_SECRET_{name.upper()}": value for name, value in (secrets or {}).items()}
        self._folders = Folders(Path(self._folder.name) / "work", attempts.WORKER)
        self.files = Stored(open_folder(Path(self._folder.name) / "blobs"))
        self.core = Core(
            open_store(":memory:", self.clock, migrate=True),
            self.files,
            self.clock,
            Plans(),
            OfEnvironment(sealed),
            Knobs(inline_budget=0, environ={VARIABLE: text_of(draw())} | dict(environ or {})),
            # ids that are the same in every run of a test
            entropy=lambda: next(counter).to_bytes(10, "big"),
        )
        self._known = KnownMasks()
        self._calls: dict[str, list[Call]] = {}
        self._fixtures: dict[str, Mapping[str, Given]] = {}

    @property
    def folder(self) -> Path:
        """Where it keeps its files, until it is closed."""
        return Path(self._folder.name)

    def push(self, *given: str | Path) -> Plan:
        """Put flows (files, or texts of YAML) into the store, for subflows say; gives the last one's plan."""
        plans = [self._push(each) for each in given]
        return plans[-1]

    def set_kv(self, namespace: str, **values: object) -> None:
        """Let flows find these values."""
        now = self.clock.now()
        for key, value in values.items():
            self.core.store.write(functools.partial(_set, namespace, key, value, now))

    def run(
        self,
        flow: str | Path,
        inputs: Mapping[str, object] | None = None,
        *,
        tasks: Mapping[str, Given] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run a flow (a file, or a text of YAML) until it has ended. Raises InvalidFlows, InvalidInput."""
        return self.finish(self.start(flow, inputs, tasks=tasks, labels=labels))

    def start(
        self,
        flow: str | Path,
        inputs: Mapping[str, object] | None = None,
        *,
        tasks: Mapping[str, Given] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """Start a run and do nothing of it yet; gives its id, for `step`, `advance`, `kill`, `finish`."""
        plan = self._push(flow)
        given = dict(inputs or {})
        run_id = verbs.start(self.core, plan, Start(inputs=given, labels=dict(labels or {}), by=BY))
        self._fixtures[run_id] = dict(tasks or {})
        return run_id

    def step(self) -> bool:
        """Do all attempts that are ready now, once; False when none was."""
        sweep(self.core)
        taken = claims.claim(self.core, attempts.WORKER, 1000)
        for claim in taken:
            self._do(claim)
        return bool(taken)

    def advance(self, span: str | float) -> None:
        """Let time pass (`"PT5M"` or seconds), ringing what falls due; what becomes ready is left for `step`."""
        self.clock.advance(Duration.read(span))
        sweep(self.core)

    def finish(self, run_id: str) -> Ran:
        """Do a run until it has ended, letting time pass where it only waits."""
        while not self._ended(run_id):
            if self.step() or self._ended(run_id):
                continue
            due = self.core.store.read(timers.next_at)
            if due is None or due - self.clock.now() > FAR:
                raise WrongCall(f"The run waits for what never comes.\n{self.ran(run_id)}")
            self.clock.advance(max(0, due - self.clock.now()))
        while self.step():
            pass
        return self.ran(run_id)

    def ran(self, run_id: str) -> Ran:
        """What has come of a run so far."""
        said = tuple(Said(line.step, line.text) for line in lines_of(self.core, run_id))
        return Ran(document(self.core, run_id), tuple(self._calls.get(run_id, ())), said)

    def kill(self, run_id: str, *, force: bool = False) -> None:
        """Kill a run."""
        verbs.kill(self.core, run_id, BY, force=force)

    def restart(self, run_id: str, *, tasks: Mapping[str, Given] | None = None) -> Ran:
        """Let an ended run go on from what did not succeed, with other fixtures where they are given."""
        if tasks is not None:
            self._fixtures[run_id] = dict(tasks)
        verbs.restart(self.core, run_id, BY)
        return self.finish(run_id)

    def replay(self, run_id: str, *, from_step: str = "", inputs: Mapping[str, object] | None = None) -> Ran:
        """Run once more as a new run, anew or from one of its steps on, with the same fixtures."""
        new = verbs.replay(self.core, run_id, BY, from_step=from_step, asked=Start(inputs=dict(inputs or {}), by=BY))
        self._fixtures[new] = self._fixtures.get(run_id, {})
        return self.finish(new)

    def verify(self) -> None:
        """Every run is what its events make it; an AssertionError tells what is not."""
        wrong = [f"{one.run}: {sentence}" for one in verify_all(self.core) for sentence in one.differences]
        assert not wrong, "\n".join(["A run is not what its events make it:", *wrong])

    def close(self) -> None:
        """Let go of store and folder; safe to call twice."""
        self._closed = True
        self.core.store.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._verify and not self._closed:
                self.verify()
        finally:
            self.close()

    def _push(self, given: str | Path) -> Plan:
        text = given if isinstance(given, str) else ""
        if "\n" not in text:
            path = Path(given)
            if not path.is_file():
                raise NoSuchFile(f"There is no flow file {path}.", hint="A flow may also be given as YAML text.")
            plan, _ = project.push_file(self.core, path, self._manner, BY)
            project.push_called(self.core, plan.flow, [path.absolute().parent], self._manner, BY)
            return plan
        reading = project.read_text(text, self._manner)
        flow = project.flow_of(reading, Path("the flow"))
        return flows.push(self.core, flow, reading.source, reading.digest, BY)

    def _ended(self, run_id: str) -> bool:
        run = self.core.store.read(lambda tx: runs.load(tx, run_id))
        return run is None or run.status.ended

    def _do(self, claim: Claim) -> None:
        if claim.work is Work.EVALUATE:
            self._evaluate(claim)
            return
        if claim.work is not Work.TASK:
            apply.report(self.core, claim, *home.do(self._rooms(), claim))
            return
        try:
            prepared = prepare(self.core, claim)
            call = Call(claim.step, claim.attempt, prepared.node.type, prepared.properties)
            self._calls.setdefault(claim.run, []).append(call)
            given = self._fixture(claim, prepared.node.id)
            if given is None:
                around = prepared.loaded.plan.folder_of(claim.step)
                where = self._folders.shared(claim.run, around) if around else None
                ended, made = attempts.here(self.core, self.clock, claim, prepared, where)
            else:
                fixture = chosen(given, msgspec.structs.replace(call, attempt=prepared.step.tries or claim.attempt))
                ended, made = attempts.by_fixture(self.core, self.clock, claim, fixture)
        except WrongCall:
            raise
        except PenstockError as error:
            ended, made = attempts.refused(self.core, claim, error)
        apply.report(self.core, claim, ended, made)

    def _rooms(self) -> Rooms:
        return Rooms(self.core, attempts.WORKER, self._folders, self._known)

    def _evaluate(self, claim: Claim) -> None:
        apply.report_evaluated(self.core, claim, evaluate(self.core, claim))

    def _fixture(self, claim: Claim, node: str) -> Given | None:
        for fixtures in (*self._around(claim.run), self._tasks):
            for name in (claim.step, node):
                if name in fixtures:
                    return fixtures[name]
        return None

    def _around(self, run_id: str) -> Iterable[Mapping[str, Given]]:
        """The fixtures of a run, then of the runs that called it."""
        while run_id:
            yield self._fixtures.get(run_id, {})
            run = self.core.store.read(functools.partial(_load, run_id))
            run_id = run.parent.run if run and run.parent else ""


def _load(run_id: str, tx: Tx) -> Run | None:
    return runs.load(tx, run_id)


def _set(namespace: str, key: str, value: object, now: int, tx: Tx) -> object:
    return kv.set_value(tx, namespace, key, value, now=now)
