"""How is a process for people's code described? A frozen value that a runner acts on."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from penstock.sdk.container import Container

STORED: Final = re.compile(r"(?:kestra|penstock):///[^\s'\"|;<>&()]+")

# Stands for an attempt's folder while properties are rendered, since it is made when the process is described.
HERE: Final = "@@penstock:here@@"
# The folder in it whose files are all stored, where that is wanted.
OUTPUT_FOLDER: Final = ".penstock-output"
# What a task promises by name, and how expressions call the places where it is to lie.
PROMISES: Final = {"outputFiles": "outputFiles", "outputsFiles": "outputFiles", "outputDirs": "outputDirs"}
# What a task's one input file is called there, where statements ask for it by name.
INPUT_FILE: Final = "inputFile"


class LaunchMode(enum.StrEnum):
    """What is started: a program, Python source as `__main__`, a Python function, or a task type's own `run`."""

    EXEC = "exec"
    PYTHON = "python"
    FUNCTION = "function"
    PLUGIN = "plugin"


class OutputsShape(enum.StrEnum):
    """What the outputs of a process are: a script's counts, variables and files (told by two names to flows of old),
    or what a function gave.
    """

    SCRIPT = "script"
    SCRIPT_OF_OLD = "script_of_old"
    MAPPING = "mapping"


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a process may use: bytes of memory, seconds of CPU, open files; nothing means the worker's own limits."""

    memory: int | None = None
    cpu_seconds: int | None = None
    open_files: int | None = None


class IfExists(enum.StrEnum):
    """What becomes of a file that would lie where another one does."""

    OVERWRITE = "OVERWRITE"
    FAIL = "FAIL"
    WARN = "WARN"
    IGNORE = "IGNORE"


class FileChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which files of the project and of namespaces come into the working directory: globs; an empty `include` means
    all. `folders`: each gets them all (none: the working directory itself). `namespaces`: whose, the last one counting
    most (none: the flow's own).
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    if_exists: IfExists = IfExists.OVERWRITE
    namespaces: tuple[str, ...] = ()


class Environment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Packages that a process's Python must have: `requirements` as pip reads them, in a Python of this `version`
    (none: the launch's own). `manager` installs them: uv, pip, or (nothing) whichever is there. `kept`: made once for
    all who want the same; else made for this process alone. `fetch`: whether uv may be installed by pip for it.
    """

    requirements: tuple[str, ...] = ()
    version: str = ""
    manager: str = ""
    kept: bool = True
    fetch: bool = True


class LaunchContext(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a script type may know of the attempt that it describes a process for; `version`: of its flow's language."""

    run: str = ""
    flow: str = ""
    namespace: str = ""
    step: str = ""
    attempt: int = 1
    workdir: str = ""
    state: dict[str, object] = {}
    version: str = ""


class Launch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A process to start, by `mode`.

    - exec: `argv`. - python: `source`, run as `__main__` with `names` already defined. - function: `function` of
    `module`, called with `kwargs`; the mapping that it returns is the outputs.
    `interpreter`: "project" (the Python of the flow's project; for exec its folder comes first in PATH), "own" (ours),
    or the path of a Python; `environment`: packages that it must have besides. `search`: folders that come last in
    variables such as PYTHONPATH. `input_files`: name in the working directory → content, or the address of a stored
    file (see `is_stored`, or `nsfile:///` for one of the project). `output_files`: globs in the working directory,
    stored when the process has ended. `output_folder`: a folder of it that is made before, and of which every file is
    stored by its name in it. `project_files`: which of the project's files are put there before. `not_found`: what to
    say besides when the exit code is 127, as a shell's is for a program that is not there. `protocol`: lines `::{…}::`
    of its standard output are read. `stderr_warns`: a line on standard error makes a success a warning. `notices`:
    sentences for the attempt's log. `container`: where an exec's program lives instead of on the worker.
    """

    mode: LaunchMode
    argv: tuple[str, ...] = ()
    source: str = ""
    names: dict[str, object] = {}
    module: str = ""
    function: str = ""
    kwargs: dict[str, object] = {}
    env: dict[str, str] = {}
    search: dict[str, str] = {}
    input_files: dict[str, str] = {}
    output_files: tuple[str, ...] = ()
    output_folder: str = ""
    project_files: FileChoice | None = None
    interpreter: str = "project"
    environment: Environment | None = None
    protocol: bool = True
    stderr_warns: bool = False
    outputs_shape: OutputsShape = OutputsShape.SCRIPT
    limits: Limits = Limits()
    notices: tuple[str, ...] = ()
    not_found: str = ""
    container: Container | None = None


def at(launch: Launch, folder: str) -> Launch:
    """The same launch with a folder in the place of HERE."""
    texts = (*launch.argv, launch.source, *launch.env.values(), *launch.input_files.values(), str(launch.kwargs))
    if not any(HERE in text for text in texts):
        return launch
    return msgspec.structs.replace(
        launch,
        argv=tuple(text.replace(HERE, folder) for text in launch.argv),
        source=launch.source.replace(HERE, folder),
        env={name: text.replace(HERE, folder) for name, text in launch.env.items()},
        input_files={name: text.replace(HERE, folder) for name, text in launch.input_files.items()},
        kwargs=msgspec.json.decode(msgspec.json.encode(launch.kwargs).replace(HERE.encode(), folder.encode())),
    )


def promised(properties: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """Where what a task promises is to lie, by name: what `{{ outputFiles.name }}` and `outputDirs` stand for."""
    found: dict[str, dict[str, str]] = {}
    for word, name in PROMISES.items():
        listed = properties.get(word)
        if isinstance(listed, list | tuple):
            found.setdefault(name, {}).update({each: f"{HERE}/{each}" for each in listed if isinstance(each, str)})
    return found


def is_stored(text: str) -> bool:
    """Whether a text is the address of a stored file."""
    return STORED.fullmatch(text) is not None
