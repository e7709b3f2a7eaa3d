"""How is one attempt seen through that has a process of its own? Files in, start, read, stop if need be, files out."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Final

import msgspec

from penstock.errors import PenstockError
from penstock.errors.task import Refused
from penstock.errors.work import BadAnswer
from penstock.model.event import Ended
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import Outcome
from penstock.runners.process.environments import Held
from penstock.runners.process.kept import Warm
from penstock.runners.process.launcher import Child, Exit
from penstock.runners.process.warm import FREE
from penstock.sdk.launch import Launch, OutputsShape
from penstock.services.render import Prepared
from penstock.services.worker import answers, elsewhere, workdir
from penstock.services.worker.capture import Source
from penstock.services.worker.channel import Channel
from penstock.services.worker.ending import End, Evidence, Stop, judge
from penstock.services.worker.hiding import Starred
from penstock.services.worker.reactor import Timer
from penstock.services.worker.ready import hand_on, make_ready, wants_something
from penstock.services.worker.shop import Shop
from penstock.services.worker.slot import Process, with_python
from penstock.services.worker.story import Story
from penstock.store.chunks import Level
from penstock.store.queue import Claim

READ: Final = 1 << 18
PIPE: Final = 1 << 20
LAST_WORDS: Final = 4096
DRY: Final = 2 * SECOND

Outputs = dict[str, object] | None
Done = Callable[[Ended, Outputs], None]


class Attempt:
    """An attempt in a process of its own; opens with `start`, closes by calling `done` when nothing of it is left."""

    def __init__(self, shop: Shop, claim: Claim, prepared: Prepared, process: Process, done: Done) -> None:
        self.claim = claim
        self.stopped = Stop.NOT
        self.handed_back = False
        self.endless = process.endless
        self._shop = shop
        self._prepared = prepared
        self._process = process
        self._done = done
        self._story = Story(shop, claim, self._asked)
        self._child: Child | None = None
        self._warm: Warm | None = None
        self._held: Held | None = None
        self._left: list[str] = []
        self._freed: dict[str, object] | None = None
        self._channel: Channel | None = None
        self._open: dict[int, Callable[[], None]] = {}
        self._exit: Exit | None = None
        self._lives_on = False
        self._timers: list[Timer] = []
        self._last_words = b""
        self._broken: PenstockError | None = None
        self._started_at = shop.core.clock.now()

    def start(self) -> None:
        """Lay in the files that are wanted, then launch."""
        launch = self._process.launch
        for notice in launch.notices if launch else ():
            self._story.say(notice)
        if self._prepared.timeout is not None:
            self._after(self._prepared.timeout, lambda: self.stop(Stop.TIMEOUT))
        if launch and wants_something(launch):
            self._shop.away(self._lay_in, self._laid_in, installs=launch.environment is not None)
        else:
            self._launch()

    def stop(self, why: Stop, *, force: bool = False) -> None:
        """End the process: SIGTERM to its group and after the grace, or at once by force, SIGKILL to all of it."""
        if self._exit is not None:
            return
        if self.stopped is Stop.NOT or why in (Stop.KILL, Stop.LEASE):
            first, self.stopped = self.stopped is Stop.NOT, why
        else:
            first = False
        if self._child is None:
            return
        if force:
            self._child.kill()
        elif first:
            self._child.terminate()
            self._after(self._shop.core.knobs.grace, self._child.kill)

    def _lay_in(self) -> None:
        namespace = self._prepared.loaded.run.namespace
        self._held = make_ready(self._shop, self._process, namespace, lambda: self.stopped is not Stop.NOT, self._left)

    def _laid_in(self, laid: Future[None]) -> None:
        error = laid.exception()
        for name in self._left:
            self._story.say(f'"{name}" was there already, and stays; the project has one, too.', Level.WARNING)
        if self._held is not None:
            order = with_python(self._process.order, self._held.python)
            self._process = msgspec.structs.replace(self._process, order=order)
            if self._held.told:
                self._story.say(self._held.told)
        if self.stopped is not Stop.NOT:
            self._exit = Exit(signal=15)
            self._finish()
        elif error is not None:
            self._fail_to_start(error)
        else:
            self._launch()

    def _launch(self) -> None:
        try:
            child = self._begun()
        except Exception as error:  # whatever a description of a process holds must not end the worker
            self._fail_to_start(error)
            return
        if self._exit is not None:  # its zygote was dead, and has said so
            child.close()
            return
        self._child = child
        story, launch = self._story, self._process.launch
        if launch is not None and launch.protocol:
            story.out.heard = story.err.heard = story.hear_line
        self._channel = Channel(child.channel, self._hear)
        self._watch(child.stdout, lambda: self._read(child.stdout, story.out), lambda: os.close(child.stdout))
        self._watch(child.stderr, lambda: self._read(child.stderr, story.err), lambda: os.close(child.stderr))
        self._watch(child.channel.fileno(), self._listen, self._channel.close)

    def _begun(self) -> Child:
        shop, order, task = self._shop, self._process.order, self._process.task
        if task is None:
            return shop.launcher.launch(order, self._exited)
        self._warm = shop.kept.borrow(order, task, self._exited, shop.core.clock.steady())
        return self._warm.child

    def _watch(self, descriptor: int, ready: Callable[[], None], close: Callable[[], None]) -> None:
        self._open[descriptor] = close
        self._shop.reactor.watch(descriptor, ready)

    def _read(self, descriptor: int, source: Source) -> None:
        if self._shop.logs.full:
            self._pause(descriptor, source)
        else:
            self._take(descriptor, source)

    def _take(self, descriptor: int, source: Source) -> bool:
        """Take what has come; whether there was anything."""
        try:
            data = os.read(descriptor, READ)
        except BlockingIOError:
            return False
        if not data:
            self._close(descriptor)
            return False
        if len(data) >= 1 << 16 and source.lines < 1 << 20:
            # Who prints a lot gets a larger pipe, so that both sides switch less often.
            with contextlib.suppress(OSError, AttributeError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE)
        if source is self._story.err:
            self._last_words = (self._last_words + data)[-LAST_WORDS:]
        self._story.capture.read(source, data, self._shop.core.clock.now())
        return True

    def _pause(self, descriptor: int, source: Source) -> None:
        """The store cannot keep up: read on once it has."""
        self._shop.reactor.forget(descriptor)

        def go_on() -> None:
            if descriptor in self._open:
                self._shop.reactor.watch(descriptor, lambda: self._read(descriptor, source))

        self._shop.paused.append(go_on)

    def _listen(self) -> None:
        assert self._channel is not None
        assert self._child is not None
        descriptor = self._child.channel.fileno()
        try:
            if not self._channel.read():
                self._close(descriptor)
            elif self._freed is not None:
                self._let_go()
        except BadAnswer as error:
            self._broken = error
            self._child.kill()
            self._close(descriptor)

    def _hear(self, frame: dict[str, object]) -> None:
        if self._warm is not None and frame.get("t") == FREE:
            self._freed = frame
        else:
            self._story.hear(frame)

    def _let_go(self) -> None:
        """The task is done and its process free: take what it has printed, and leave it to others."""
        warm, freed, story = self._warm, self._freed, self._story
        if warm is None or freed is None or self._exit is not None or self.stopped is not Stop.NOT:
            return  # who was told to end does end, even if it was done a moment before
        for descriptor, source in ((warm.child.stdout, story.out), (warm.child.stderr, story.err)):
            while not self._shop.logs.full and descriptor in self._open and self._take(descriptor, source):
                pass
        if self._shop.logs.full:
            self._shop.paused.append(self._let_go)
            return
        for descriptor in self._open:
            with contextlib.suppress(KeyError, ValueError):
                self._shop.reactor.forget(descriptor)
        self._open.clear()
        self._exit = Exit(code=0)
        memory = freed.get("memory")
        self._shop.kept.give_back(warm, memory if isinstance(memory, int) else 0, self._shop.core.clock.steady())
        self._finish()

    def _asked(self, frame: dict[str, object]) -> None:
        """Answer in another thread: a file may be large, a store slow."""
        run = self._prepared.loaded.run
        folder, masks = self._process.folder, self._story.masks
        asker = answers.Asker(run, self.claim.step, self.claim.attempt, folder, masks.add, masks)
        channel, number = self._channel, frame.get("id")
        assert channel is not None

        def work() -> None:
            try:
                body = frame.get("body")
                value = answers.answer(
                    self._shop.core, asker, str(frame.get("what")), body if isinstance(body, Mapping) else {}
                )
                channel.send({"t": "answer", "id": number, "value": value})
            except Refused as error:
                channel.send({"t": "answer", "id": number, "refused": f"{error.sentence} {error.hint}".strip()})
            except (PenstockError, OSError, KeyError, ValueError, msgspec.MsgspecError) as error:
                channel.send({"t": "answer", "id": number, "refused": str(error)})

        self._shop.pool.submit(work)

    def _exited(self, ended: Exit) -> None:
        self._exit = ended
        for timer in self._timers:
            timer.cancel()
        record = self._process.record
        if record is not None and not elsewhere.is_over(record, ended):
            self._lives_on = True
            elsewhere.end(self._shop, record, self._ended_elsewhere)
        else:
            self._run_dry()

    def _ended_elsewhere(self, sure: bool) -> None:
        self._lives_on = False
        if not sure:
            name = self._process.record.name if self._process.record else ""
            self._story.say(f"The container {name} may still run: it could not be ended now.", Level.WARNING)
        self._run_dry()

    def _run_dry(self) -> None:
        if self._open:
            # Nothing of it is alive, so the streams end at once, unless a program elsewhere was handed one.
            self._after(DRY, self._close_all)
        else:
            self._finish()

    def _close(self, descriptor: int) -> None:
        close = self._open.pop(descriptor, None)
        if close is None:
            return
        with contextlib.suppress(KeyError, ValueError):
            self._shop.reactor.forget(descriptor)
        close()
        if not self._open and self._exit is not None and not self._lives_on:
            self._finish()

    def _close_all(self) -> None:
        for descriptor in list(self._open):
            self._close(descriptor)

    def _finish(self) -> None:
        assert self._exit is not None
        for timer in self._timers:
            timer.cancel()
        self._story.end()
        if self.stopped is Stop.DRAIN and (self._exit.code != 0 or self._exit.trouble):
            self.handed_back = True
        end = self._judged(self._exit)
        launch = self._process.launch
        if launch is not None and not self.handed_back and self._wanted(launch):
            self._shop.away(self._collect, lambda stored: self._collected(end, stored))
        else:
            self._conclude(end, {})

    def _judged(self, ended: Exit) -> End:
        if self._broken is not None and self.stopped is Stop.NOT:
            return End(Outcome.FAILED, Failure(ErrorKind.SYSTEM, self._broken.sentence, None, self._broken.code))
        launch = self._process.launch
        suspicious = self.stopped is Stop.NOT and (ended.signal == 9 or ended.code == 137)
        evidence = Evidence(
            stop=self.stopped,
            timeout=self._prepared.timeout,
            told=self._story.told,
            must_tell=launch is None,
            memory_limit=self._process.limits.memory,
            oom_killed=suspicious and self._shop.memory.killed(),
            last_words=self._last_words,
            not_found=launch.not_found if launch else "",
            snoozed=self._story.snoozed,
            warned=bool(launch and launch.stderr_warns and self._story.err.lines),
        )
        return judge(ended, evidence)

    def _collect(self) -> dict[str, str]:
        launch, claim = self._process.launch, self.claim
        assert launch is not None
        prefix = f"runs/{claim.run}/{claim.step}/{claim.attempt}"
        stored = Starred(workdir.files_of(self._shop.core), self._story.masks, self._story.say)
        return hand_on(stored, self._process.folder, launch, self._story.files, prefix)

    def _wanted(self, launch: Launch) -> bool:
        """Whether files may have to be stored."""
        return bool(launch.output_files or launch.output_folder or self._story.files)

    def _collected(self, end: End, stored: Future[dict[str, str]]) -> None:
        error = stored.exception()
        if error is None:
            self._conclude(end, stored.result())
        elif end.outcome in (Outcome.DONE, Outcome.WARNING):
            sentence = error.sentence if isinstance(error, PenstockError) else f"A file could not be stored: {error}."
            code = error.code if isinstance(error, PenstockError) else ""
            self._conclude(End(Outcome.FAILED, Failure(ErrorKind.TASK, sentence, 0, code)), {})
        else:
            self._conclude(end, {})

    def _conclude(self, end: End, files: dict[str, str]) -> None:
        if self.handed_back:
            self._story.say("Its worker stops: the attempt is handed back and begins anew.")
        elif end.failure is not None:
            self._story.say(end.failure.message, Level.ERROR)
        elif end.message:
            self._story.say(end.message, Level.WARNING if end.outcome is Outcome.WARNING else Level.INFO)
        if self._held is not None:
            self._shop.pool.submit(self._held.close)
        claim = self.claim
        ended = Ended(
            step=claim.step,
            attempt=claim.attempt,
            outcome=end.outcome,
            worker=self._shop.worker,
            started_at=self._started_at,
            ended_at=self._shop.core.clock.now(),
            failure=end.failure,
            state=self._story.state,
            until=self._story.again_at() if end.outcome is Outcome.SNOOZED else None,
            orders=self._story.orders,
        )
        if not self._shop.folders.back(self._process.folder):
            self._shop.pool.submit(workdir.remove, self._process.folder)
        self._done(*self._story.hidden(ended, self._outputs(files)))

    def _outputs(self, files: dict[str, str]) -> Outputs:
        story, launch = self._story, self._process.launch
        if launch is None:
            return story.outputs | (story.told.outputs if story.told else {})
        if launch.outputs_shape is OutputsShape.MAPPING:
            return story.outputs | ({"outputFiles": files} if self._wanted(launch) else {})
        ended = self._exit
        if ended is None or ended.trouble:
            return None
        return {
            "vars": story.outputs,
            "exitCode": ended.code if ended.signal is None else 128 + ended.signal,
            "outputFiles": files,
            **({"files": files} if launch.outputs_shape is OutputsShape.SCRIPT_OF_OLD else {}),
            "stdOutLineCount": story.out.lines,
            "stdErrLineCount": story.err.lines,
            **({"taskRunner": {"containerId": record.name}} if (record := self._process.record) else {}),
        }

    def _fail_to_start(self, error: BaseException) -> None:
        known = isinstance(error, PenstockError)
        sentence = f"{error.sentence} {error.hint}".strip() if isinstance(error, PenstockError) else str(error)
        code = error.code if isinstance(error, PenstockError) else ""
        kind = ErrorKind.TASK if known else ErrorKind.SYSTEM
        self._exit = Exit(trouble=sentence)
        for timer in self._timers:
            timer.cancel()
        self._conclude(End(Outcome.FAILED, Failure(kind, sentence, None, code)), {})

    def _after(self, micros: int, call: Callable[[], None]) -> None:
        self._timers.append(self._shop.reactor.after(micros, call))
