"""What must be there before a process of people's code starts, and what is kept of its folder when it has ended?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from penstock.runners.process import strays
from penstock.runners.process.environments import Held, choosing
from penstock.runners.process.packages import Recipe
from penstock.sdk.launch import Launch
from penstock.services.seen_files import SeenFiles
from penstock.services.worker import workdir
from penstock.services.worker.places import place_of
from penstock.services.worker.shop import Shop
from penstock.services.worker.slot import Process


def wants_something(launch: Launch) -> bool:
    """Whether anything must be there before."""
    return bool(launch.input_files or launch.project_files or launch.output_folder or launch.environment)


def make_ready(
    shop: Shop, process: Process, namespace: str, given_up: Callable[[], bool], left: list[str]
) -> Held | None:
    """Lay in files and have the packages installed that a launch wants, for a thread of its own. The environment is to
    be closed when the process has ended; to `left` come names of files that were there already. Raises PenstockError,
    OSError.
    """
    launch, folder, core = process.launch, process.folder, shop.core
    assert launch is not None
    if launch.project_files is not None:
        left += workdir.lay_in_seen(core, folder, launch.project_files, namespace)
    workdir.lay_in(folder, launch.input_files, workdir.files_of(core), SeenFiles(core, (namespace,)))
    if launch.output_folder:
        (folder / launch.output_folder).mkdir(exist_ok=True)
    if launch.environment is None:
        return None
    # An installer that outlives this worker is found by the next one, as all that it started.
    marker = {strays.MARKER: f"{place_of(shop.core)}/{shop.worker}"}
    environ = choosing(shop.core.knobs.environ) | process.order.env | marker
    python = process.order.interpreter
    return shop.environments.hold(
        Recipe(wanted=launch.environment, python=python, environ=environ, folder=folder), given_up
    )


def hand_on(stored: workdir.Files, folder: Path, launch: Launch, told: Sequence[str], prefix: str) -> dict[str, str]:
    """Store the files that a launch promised and those that its process told; gives their addresses by name."""
    found = workdir.collect(folder, (*launch.output_files, *told), stored, prefix)
    if launch.output_folder:
        inner = folder / launch.output_folder
        found |= workdir.collect(inner, ["**/*"], stored, f"{prefix}/{launch.output_folder}")
    return found
