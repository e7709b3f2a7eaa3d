"""How are packages installed? By uv, or pip where there is none, into a virtual environment beside the project's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from penstock.errors.task import MissingExtra
from penstock.errors.work import NotInstalled
from penstock.sdk.launch import Environment

UV: Final = 'pip install "penstock[uv]"'
LOOK: Final = 0.1
LAST_WORDS: Final = 1500
FACTS: Final = (
    "import json, platform, site, importlib.util as u; "
    "print(json.dumps({'version': platform.python_version(), 'sites': site.getsitepackages(), "
    "'pip': bool(u.find_spec('pip'))}))"
)
# What uv reads of what is set for pip, by which name.
AS_UV_SAYS: Final = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CERT": "SSL_CERT_FILE",
}
# What would make an installer mean another environment than the one it is told.
MISLEADING: Final = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "UV_PYTHON", "UV_TARGET")


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """An environment to make: like the interpreter `python`, with what is wanted besides; `folder` is where local
    requirements lie, `environ` has PATH and the settings of the installers.
    """

    wanted: Environment
    python: str
    environ: dict[str, str]
    folder: Path


class Made(msgspec.Struct, frozen=True):
    """What was made: version of Python, what made it, in how many seconds, and a sentence about it."""

    version: str
    tool: str
    seconds: float
    sentence: str


class Facts(msgspec.Struct, frozen=True):
    """What an interpreter says of itself."""

    version: str
    sites: list[str]
    pip: bool


def python_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / "bin" / "python"


def find_uv(environ: Mapping[str, str]) -> str:
    """The uv beside our own Python, or in PATH; nothing when there is none."""
    own = Path(sys.executable).parent / "uv"
    return str(own) if own.is_file() else shutil.which("uv", path=environ.get("PATH", os.defpath)) or ""


def install(recipe: Recipe, uv: str, folder: Path, given_up: Callable[[], bool]) -> Made:
    """Make an environment in a folder that is not there, by uv or (nothing) by pip. Raises NotInstalled,
    MissingExtra.
    """
    began = time.monotonic()
    wanted = recipe.wanted
    if wanted.manager == "uv" and not uv:
        raise MissingExtra("uv is to install the packages, and it is not here.", hint=UV)
    work = _Work(recipe, given_up)
    base = work.facts(recipe.python)
    same = not wanted.version or f"{base.version}.".startswith(f"{wanted.version}.")
    python = recipe.python if same else wanted.version if uv else _other(wanted.version, base, recipe)
    if uv:
        seed = [] if wanted.kept else ["--seed"]
        work.do([uv, "venv", "--quiet", "--no-project", *seed, "--python", python, str(folder)])
        alone = ["--no-index"] if recipe.environ.get("PIP_NO_INDEX", "0").lower() not in ("0", "", "false") else []
        into = [uv, "pip", "install", "--quiet", *alone, "--python", str(python_of(folder)), "-r", "-"]
    else:
        # The pip that is there already, where there is one: giving each environment its own takes seconds.
        lent = same and base.pip and wanted.kept
        work.do([python, "-m", "venv", *(["--without-pip"] if lent else []), str(folder)])
        pip = [python, "-m", "pip", "--python", str(folder)] if lent else [str(python_of(folder)), "-m", "pip"]
        into = [*pip, "--disable-pip-version-check", "--no-input", "install", "--quiet", "-r", "/dev/stdin"]
    if wanted.requirements:
        work.do(into, "".join(f"{line}\n" for line in wanted.requirements))
    version = base.version if same else work.facts(str(python_of(folder))).version
    if same:
        _show(folder, base.sites)
    tool, seconds = "uv" if uv else "pip", time.monotonic() - began
    what = ", ".join(wanted.requirements) or "nothing"
    return Made(version, tool, seconds, f"Installed {what} for Python {version} with {tool} in {seconds:.1f} s.")


def _other(version: str, base: Facts, recipe: Recipe) -> str:
    """An interpreter of another version, where nothing can fetch one."""
    found = shutil.which(f"python{version}", path=recipe.environ.get("PATH", os.defpath))
    if found is None:
        raise NotInstalled(
            f"Python {version} is wanted, the flow's own is {base.version}, and there is no python{version} in PATH.",
            hint=f"uv fetches it: {UV}.",
        )
    return found


def _show(folder: Path, sites: Sequence[str]) -> None:
    """Let an environment see the packages that its interpreter had before, after its own."""
    lines = "".join(f"import site; site.addsitedir({site!r})\n" for site in sites)
    for own in folder.glob("lib/python*/site-packages"):
        (own / "_penstock_project.pth").write_text(lines)


class _Work:
    """Programs that are waited for, unless the attempt is given up."""

    def __init__(self, recipe: Recipe, given_up: Callable[[], bool]) -> None:
        self._folder = recipe.folder
        self._given_up = given_up
        environ = {name: value for name, value in recipe.environ.items() if name not in MISLEADING}
        said = {new: environ[old] for old, new in AS_UV_SAYS.items() if environ.get(old)}
        self._environ = {"PATH": os.defpath} | said | environ

    def facts(self, python: str) -> Facts:
        """What an interpreter says of itself."""
        return msgspec.json.decode(self.do([python, "-c", FACTS]), type=Facts)

    def do(self, command: Sequence[str], text: str = "") -> bytes:
        """Run a program to its end and give what it wrote. Raises NotInstalled with its last words."""
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environ,
                cwd=self._folder,
                start_new_session=True,
            )
        except OSError as error:
            raise NotInstalled(f"{command[0]} cannot be started: {error.strerror}.") from error
        said: bytes | None = text.encode()
        while True:
            try:
                out, err = process.communicate(said, timeout=LOOK)
                break
            except subprocess.TimeoutExpired:
                said = None
                if self._given_up():
                    with contextlib.suppress(OSError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.communicate()
                    raise NotInstalled("The attempt was ended while its packages were installed.") from None
        if process.returncode:
            words = err.decode(errors="replace").strip()[-LAST_WORDS:]
            raise NotInstalled(f"The packages could not be installed: {words or process.returncode}")
        return out
