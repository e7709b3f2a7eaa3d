"""Where does a worker keep its folders, and which processes on this machine did a dead one leave?"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from penstock.runners.process.environments import root_in
from penstock.services.core import Core
from penstock.services.worker.lease import is_alive


def place_of(core: Core) -> str:
    """A name for the store's folder that does not tell where it is: every child's environment has it."""
    return hashlib.blake2b(str(core.state_dir or "").encode(), digest_size=6).hexdigest()


def work_root(core: Core) -> Path:
    """The folder under which attempts get theirs."""
    return core.state_dir / "work" if core.state_dir else Path(tempfile.gettempdir()) / "penstock-work"


def environments_root(core: Core) -> Path:
    """The folder of the Pythons that were made for tasks; all workers of a project on this machine share it.

    What a link leads to need not be there yet.
    """
    return root_in(core.state_dir or Path(tempfile.gettempdir()) / "penstock").resolve()


def containers_root(core: Core) -> Path:
    """The folder that says which containers of this machine's workers may exist."""
    return core.state_dir / "containers" if core.state_dir else Path(tempfile.gettempdir()) / "penstock-containers"


def is_left_behind(core: Core, marker: str, new: str) -> bool:
    """Whether a process was started by a worker of this store that is dead, or whose name a new one bears."""
    where, _, rest = marker.partition("/")
    name = rest.partition("/")[0]
    return where == place_of(core) and core.state_dir is not None and (name == new or not is_alive(core, name))
