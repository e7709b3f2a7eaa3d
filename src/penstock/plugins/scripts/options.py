"""What have all script tasks in common? Files in and out, environment, commands before, where they run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.errors.task import BadAddress, NotOffered
from penstock.plugins.scripts import inside
from penstock.plugins.scripts.container import ContainerOptions, Docker, Runner, TaskRunner, container_of
from penstock.sdk.container import Bounds, Container
from penstock.sdk.launch import (
    OUTPUT_FOLDER,
    STORED,
    FileChoice,
    IfExists,
    Launch,
    LaunchContext,
    LaunchMode,
    Limits,
)
from penstock.sdk.task import ScriptType
from penstock.sdk.values import Size

SHELL: Final = ("/bin/sh", "-c")
ADDRESS: Final = re.compile(rf"{STORED.pattern}|nsfile:///[^\s'\"|;<>&()]+")


class NamespaceFiles(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which files of the project come into the working directory."""

    enabled: Annotated[bool, Meta(description="Whether any do.")] = True
    include: Annotated[list[str], Meta(description="Globs of those that do; none means all.")] = []
    exclude: Annotated[list[str], Meta(description="Globs of those that do not.")] = []
    namespaces: Annotated[
        list[str], Meta(description="Whose they are: a project has one set of files for all its namespaces.")
    ] = []
    if_exists: Annotated[IfExists, Meta(description="What becomes of one that is there already.")] = IfExists.OVERWRITE
    folder_per_namespace: Annotated[
        bool, Meta(description="Whether each namespace has a folder of its name (none named: the flow's own).")
    ] = False

    def choice(self, namespace: str) -> FileChoice | None:
        """The files that a flow of a namespace wants; nothing where it wants none."""
        folders = dict.fromkeys(self.namespaces or [namespace]) if self.folder_per_namespace else ()
        wanted = FileChoice(tuple(self.include), tuple(self.exclude), tuple(folders), self.if_exists)
        return wanted if self.enabled else None


class Resources(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What the process may use; nothing means the worker's own limits."""

    memory: Annotated[Size | None, Meta(description="Memory.", extra={"unit": "bytes, or 512 MiB"})] = None
    cpu_seconds: Annotated[int | None, Meta(description="Time on the processor.", extra={"unit": "s"})] = None
    open_files: Annotated[int | None, Meta(description="Files open at once.")] = None


class Script(ScriptType, frozen=True, kw_only=True):
    """What every script task declares; `image` is what a container runs it in where its flow names none."""

    image: ClassVar[str] = "ubuntu"
    outputs: ClassVar[dict[str, str]] = {
        "vars": 'Values that the script printed as `::{"outputs": {…}}::`.',
        "exitCode": "The exit code of the process.",
        "outputFiles": "Address of each stored file, by its name.",
        "stdOutLineCount": "Lines on standard output.",
        "stdErrLineCount": "Lines on standard error.",
        "taskRunner": "Of a container, `containerId`: its name on the engine.",
    }

    before_commands: Annotated[
        list[str], Meta(description="Shell commands that run first, in the same shell.", examples=[["ls -l"]])
    ] = field(default_factory=list)
    fail_fast: Annotated[bool, Meta(description="Whether the first command that fails ends the shell.")] = True
    interpreter: Annotated[
        list[str] | str | None,
        Meta(description="Program and arguments that take the commands instead of the shell; a program alone with -c."),
    ] = None
    env: Annotated[dict[str, str], Meta(description="Environment variables of the process.")] = field(
        default_factory=dict
    )
    input_files: Annotated[
        dict[str, str],
        Meta(
            description="Files of the working directory: name → content, the address of a stored file, or "
            "`nsfile:///path` of a file of the project."
        ),
    ] = field(default_factory=dict)
    output_files: Annotated[
        list[str], Meta(description="Globs of files to store when the process has ended.", examples=[["*.csv"]])
    ] = field(default_factory=list)
    output_directory: Annotated[
        bool,
        Meta(
            description="Whether every file that lies in $OUTPUT_DIR at the end is stored.",
            extra={"deprecated": "outputFiles says it"},
        ),
    ] = False
    namespace_files: Annotated[
        NamespaceFiles | None, Meta(description="Which files of the project come into the working directory.")
    ] = None
    resources: Annotated[Resources | None, Meta(description="What the process may use at most.")] = None
    task_runner: Annotated[
        TaskRunner | None, Meta(description="Where the process lives; the process runner is the default.")
    ] = None
    warning_on_std_err: Annotated[
        bool | None,
        Meta(
            description="Whether a line on standard error makes a success a warning; unsaid: in version 0.20 alone.",
            extra={"deprecated": "an exit code says it"},
        ),
    ] = None
    container_image: Annotated[str | None, Meta(description="Image of the container; a process does not use it.")] = (
        None
    )
    runner: Annotated[
        Runner | None, Meta(description="PROCESS or DOCKER.", extra={"deprecated": "taskRunner says it"})
    ] = None
    docker: Annotated[
        Docker | None,
        Meta(description="Options of the container.", extra={"deprecated": "taskRunner and containerImage say it"}),
    ] = None
    target_os: Annotated[
        str, Meta(description="AUTO, LINUX or WINDOWS; read and not used.", extra={"template": False})
    ] = field(default="AUTO", name="targetOS")

    def shell(
        self, plan: LaunchContext, commands: Sequence[str], python: str = "project", *, first: Sequence[str] = ()
    ) -> Launch:
        """Describe a shell that runs what is `first`, the commands before, then these."""
        text, found = localize("\n".join([*first, *self.before_commands, *commands]))
        if self.interpreter is None and self.fail_fast:
            text = f"set -e\n{text}"
        program = [self.interpreter, "-c"] if isinstance(self.interpreter, str) else self.interpreter
        argv = (*(program or SHELL), text)
        launch = Launch(mode=LaunchMode.EXEC, argv=argv, interpreter=python, input_files=found)
        return self.furnish(launch, plan)

    def furnish(self, launch: Launch, plan: LaunchContext) -> Launch:
        """Add what all scripts have in common. NotOffered for a runner that there is not, or not for such a process."""
        if self.contained and launch.mode is not LaunchMode.EXEC:
            raise NotOffered(
                "A function of the project is called in a process, not in a container.",
                hint="Write a script that imports it, with the project's files as namespaceFiles.",
            )
        for name in self.input_files:
            check_name(name)
        folder = f"{plan.workdir}/{OUTPUT_FOLDER}" if self.output_directory else plan.workdir
        workdir = {"WORKING_DIR": plan.workdir, "OUTPUT_DIR": folder} if plan.workdir else {}
        limits = self.resources or Resources()
        files = self.namespace_files
        return msgspec.structs.replace(
            launch,
            env={**launch.env, **workdir, **self.env},
            search=inside.SEARCH,
            input_files={**launch.input_files, **self.input_files},
            output_files=tuple(self.output_files),
            output_folder=OUTPUT_FOLDER if self.output_directory else "",
            project_files=files.choice(plan.namespace) if files else None,
            stderr_warns=plan.version == "0.20" if self.warning_on_std_err is None else self.warning_on_std_err,
            limits=Limits(limits.memory, limits.cpu_seconds, limits.open_files),
            notices=self.notices(),
            container=self.container() if self.contained else None,
        )

    @property
    def contained(self) -> bool:
        """Whether the process is to live in a container."""
        runner = self.task_runner.type if self.task_runner else self.runner
        return runner is not None and runner.contained

    def container(self) -> Container:
        """The container in which the process is to live."""
        said = self.task_runner or self.docker or ContainerOptions()
        image = self.container_image or said.image or (self.docker.image if self.docker else "") or self.image
        limits = self.resources or Resources()
        least = Bounds(memory=limits.memory, open_files=limits.open_files, cpu_seconds=limits.cpu_seconds)
        return container_of(said, image, least)

    def notices(self) -> tuple[str, ...]:
        """What the attempt's log should say about where it runs."""
        if not self.contained and (self.container_image or self.docker):
            image = self.container_image or (self.docker.image if self.docker else "")
            return (f'Runs as a process on the worker; the image "{image}" is not used.',)
        return ()


def localize(text: str) -> tuple[str, dict[str, str]]:
    """Put a local name in the place of each stored file's address; gives the text and name → address."""
    names: dict[str, str] = {}

    def local(match: re.Match[str]) -> str:
        uri = match[0]
        if uri not in names:
            last = PurePosixPath(uri).name or "file"
            names[uri] = last if last not in names.values() else f"{len(names)}-{last}"
        return names[uri]

    replaced = ADDRESS.sub(local, text)
    return replaced, {name: uri for uri, name in names.items()}


def check_name(name: str) -> None:
    """Refuse the name of a file that would lie outside the working directory."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise BadAddress(f'The file "{name}" would lie outside the working directory.')
