"""What is to be done for a claim? The rendered task becomes work in the worker's thread, or a process to start."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from penstock.runners.process import warm
from penstock.runners.process.launcher import Order
from penstock.sdk import registry
from penstock.sdk.aliases import ALIASES
from penstock.sdk.builtin import TYPES
from penstock.sdk.container import FOLDER
from penstock.sdk.context import About
from penstock.sdk.launch import Launch, LaunchContext, LaunchMode, Limits, at
from penstock.sdk.task import Fires, Mode, ScriptType, TaskType
from penstock.services.core import Knobs
from penstock.services.render import Prepared
from penstock.services.worker import elsewhere
from penstock.services.worker.hiding import out_of_sight
from penstock.services.worker.shop import Shop
from penstock.store.queue import Claim
from penstock.telemetry import traces

# What a process may see of the worker's own environment: nothing that could be a secret or an address.
PASSED: Final = frozenset(
    ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
)
HOME: Final = Path(__file__).resolve().parents[3]
ONCE: Final = "penstock.runners.process.plugin"
AGAIN: Final = warm.__name__


class Inline(msgspec.Struct, frozen=True):
    """A task that is done at once, in the worker's thread."""

    task: TaskType
    about: About


class Process(msgspec.Struct, frozen=True):
    """A process to start in a folder; `launch` describes people's code, and is nothing for a task type's own work.

    With a `task`, `order` is a process that is kept, and may have been started before; with a `record` it stands for
    a container that the record names. An `endless` one listens, and does not end by itself.
    """

    order: Order
    folder: Path
    launch: Launch | None = None
    limits: Limits = Limits()
    task: warm.Task | None = None
    record: Path | None = None
    endless: bool = False


def work_of(shop: Shop, claim: Claim, prepared: Prepared) -> Inline | Process:
    """Decide how a claim is done. Raises PenstockError when the properties do not fit the task type."""
    shop.known.of(claim.run).add(*prepared.secrets)
    kind = registry.find(prepared.node.type)
    task = registry.decode(kind, prepared.properties)
    if task.mode is Mode.INLINE:
        return Inline(task, about(shop.core.knobs, claim, prepared, ""))
    home = prepared.loaded.plan.folder_of(claim.step)
    folder = shop.folders.shared(claim.run, home) if home else shop.folders.new()
    if isinstance(task, ScriptType):
        known = about(shop.core.knobs, claim, prepared, str(folder))
        launch = task.launch(
            LaunchContext(
                run=known.run,
                flow=known.flow,
                namespace=known.namespace,
                step=known.step,
                attempt=known.attempt,
                workdir=known.workdir,
                state=known.state,
                version=prepared.loaded.plan.flow.language.version,
            )
        )
        if launch.container is not None:
            return _contained(shop, claim, known, launch, shared=bool(home))
        if prepared.secrets:
            launch = out_of_sight(launch, f".penstock-{shop.core.entropy().hex()}")
        launch = at(launch, str(folder))
        env = searching(environment(shop, known, launch.env), launch.search)
        order = order_of(shop, launch, folder, env)
        return Process(order, folder, launch, launch.limits)
    return _plugin(shop, about(shop.core.knobs, claim, prepared, str(folder)), prepared, task)


def is_warm(name: str, task: TaskType) -> bool:
    """Whether a task may be done where others were: its type says so, and is one of ours by the built-in index."""
    return task.mode is Mode.WARM and ALIASES.get(name, name) in TYPES


def about(knobs: Knobs, claim: Claim, prepared: Prepared, folder: str) -> About:
    """What an attempt may know of itself."""
    run = prepared.loaded.run
    return About(
        run=run.id,
        flow=run.flow,
        namespace=run.namespace,
        step=claim.step,
        attempt=claim.attempt,
        workdir=folder,
        idempotency_key=prepared.idempotency_key,
        state=prepared.state,
        only=prepared.step.only,
        traceparent=traces.of_attempt(run, claim.step, claim.attempt, knobs.traces),
        lineage=knobs.lineage,
    )


def order_of(shop: Shop, launch: Launch, folder: Path, env: dict[str, str]) -> Order:
    """The process that a launch describes."""
    body: dict[str, object] = {"mode": launch.mode.value, "cwd": str(folder), "limits": _limits(launch.limits)}
    known = {"own": sys.executable, "project": shop.surroundings.python or sys.executable}
    python = (shop.surroundings.pythons | known).get(launch.interpreter, launch.interpreter)
    match launch.mode:
        case LaunchMode.EXEC:
            body["argv"] = list(launch.argv)
            env = env | {"PATH": f"{Path(python).parent}{os.pathsep}{env.get('PATH', os.defpath)}"}
        case LaunchMode.PYTHON:
            body |= {"source": launch.source, "names": launch.names, "path": "script.py", "argv": list(launch.argv)}
        case LaunchMode.FUNCTION | LaunchMode.PLUGIN:
            project = shop.core.project
            body |= {"module": launch.module, "function": launch.function, "kwargs": launch.kwargs}
            body["folders"] = [str(folder) for folder in project.folders] if project else []
    return Order(interpreter=python, env=env, body=body, preimports=shop.surroundings.preimports)


def environment(shop: Shop, known: About, own: Mapping[str, str]) -> dict[str, str]:
    """A process's whole environment: the worker's harmless part, the project's, the attempt's names, the task's."""
    return _shared(shop) | _names(known) | dict(own)


def with_python(order: Order, python: str) -> Order:
    """The same process in another Python, which commands find first, too."""
    env = order.env
    if order.body["mode"] == LaunchMode.EXEC.value:
        env = env | {"PATH": f"{Path(python).parent}{os.pathsep}{env['PATH']}"}
    return msgspec.structs.replace(order, interpreter=python, env=env)


def searching(env: dict[str, str], folders: Mapping[str, str]) -> dict[str, str]:
    """The same environment with folders at the end of the variables that are searched."""
    return env | {name: f"{env[name]}{os.pathsep}{last}" if env.get(name) else last for name, last in folders.items()}


def _shared(shop: Shop) -> dict[str, str]:
    environ = shop.core.knobs.environ
    passed = {name: value for name, value in environ.items() if name in PASSED or name[:3] == "LC_"}
    return {"PATH": os.defpath, "LANG": "C.UTF-8"} | passed | shop.surroundings.environment


def _names(known: About) -> dict[str, str]:
    # the parts that are wanted, a line each; nothing where all are
    told = {"PENSTOCK_ONLY": "\n".join(known.only)} if known.only else {}
    if known.traceparent:
        told[traces.VARIABLE] = known.traceparent
    if known.lineage:
        told["PENSTOCK_LINEAGE"] = "1"
    return told | {
        "PENSTOCK_RUN": known.run,
        "PENSTOCK_STEP": known.step,
        "PENSTOCK_ATTEMPT": str(known.attempt),
        "PENSTOCK_IDEMPOTENCY_KEY": known.idempotency_key,
    }


def _contained(shop: Shop, claim: Claim, known: About, launch: Launch, *, shared: bool) -> Process:
    """The process that stands for a container."""
    folder, launch = Path(known.workdir), at(launch, FOLDER)
    inner = shop.surroundings.environment | _names(known) | launch.env
    place = elsewhere.Place(folder=folder, shared=shared, env=inner)
    order, record = elsewhere.order_of(shop, claim, known, launch, place)
    assert launch.container is not None
    told = msgspec.structs.replace(launch, not_found=f'a program is not in the image "{launch.container.image}".')
    return Process(order, folder, told, Limits(memory=launch.container.bounds.memory), record=record)


def _plugin(shop: Shop, known: About, prepared: Prepared, task: TaskType) -> Process:
    """The process for a task type's own work: kept for many attempts, or for this one alone."""
    folder = Path(known.workdir)
    env, names = _shared(shop), _names(known)
    if "site-packages" not in HOME.parts:
        env["PYTHONPATH"] = str(HOME)
    payload: dict[str, object] = {
        "type": prepared.node.type,
        "properties": prepared.properties,
        "context": msgspec.to_builtins(known),
    }
    body: dict[str, object] = {"mode": "plugin", "limits": {}}
    endless = task.fires is Fires.LISTENING
    if is_warm(prepared.node.type, task):
        # Its types are imported where they are first used: one zygote for all, but for a driver that takes long.
        body |= {"module": AGAIN, "cwd": "/", "plugin": {}}
        order = Order(interpreter=sys.executable, env=env, body=body, preimports=(AGAIN, *task.libraries()))
        return Process(order, folder, task=warm.Task(payload, names, str(folder)), endless=endless)
    body |= {"module": ONCE, "cwd": str(folder), "plugin": payload}
    preimports = (ONCE, type(task).__module__, *task.libraries())
    order = Order(interpreter=sys.executable, env=env | names, body=body, preimports=preimports)
    return Process(order, folder, endless=endless)


def _limits(limits: Limits) -> dict[str, int]:
    named = {"memory": limits.memory, "cpu": limits.cpu_seconds, "files": limits.open_files}
    return {name: int(value) for name, value in named.items() if value is not None}
