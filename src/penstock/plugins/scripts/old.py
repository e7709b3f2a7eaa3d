"""How do the script tasks of Kestra's first releases run? Bash, Python and Node, told in today's words."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.plugins.scripts.container import Docker
from penstock.plugins.scripts.languages import LANGUAGES
from penstock.plugins.scripts.options import Script
from penstock.plugins.scripts.python import PACKAGES, installing
from penstock.sdk.launch import Environment, Launch, LaunchContext, OutputsShape

# Where the first releases made a virtual environment: in the working directory itself.
OWN_BIN: Final = re.compile(r"(?<![\w./])(?:\./)?bin/(?=python|pip)")


GLOB: Final = frozenset("*?[")


class OldScript(Script, frozen=True, kw_only=True):
    """What Bash, Python and Node declared."""

    outputs: ClassVar[dict[str, str]] = {**Script.outputs, "files": "The same as outputFiles, by its first name."}

    interpreter_args: Annotated[
        list[str], Meta(description="Arguments of the interpreter.", extra={"deprecated": "interpreter says it"})
    ] = field(default_factory=list)
    exit_on_failed: Annotated[
        bool,
        Meta(description="Whether the first command that fails ends it.", extra={"deprecated": "failFast says it"}),
    ] = True
    files: Annotated[list[str], Meta(description="Files to store.", extra={"deprecated": "outputFiles says it"})] = (
        field(default_factory=list)
    )
    outputs_files: Annotated[
        list[str], Meta(description="Files to store.", extra={"deprecated": "outputFiles says it"})
    ] = field(default_factory=list)
    output_dirs: Annotated[
        list[str], Meta(description="Folders to store.", extra={"deprecated": "outputFiles says it"})
    ] = field(default_factory=list)
    docker_options: Annotated[
        Docker | None, Meta(description="Options of the container.", extra={"deprecated": "docker says it"})
    ] = None

    def told_anew(self, plan: LaunchContext, commands: list[str]) -> Launch:
        """The shell that today's properties would describe."""
        program = [self.interpreter] if isinstance(self.interpreter, str) else self.interpreter
        below = [f"{name}/**/*" for name in self.output_dirs]
        today = msgspec.structs.replace(
            self,
            interpreter=[*program, *(self.interpreter_args or ["-c"])] if program else None,
            fail_fast=self.exit_on_failed,
            output_files=[*self.output_files, *self.files, *self.outputs_files, *below],
            docker=self.docker or self.docker_options,
        )
        # The first releases made what was promised before the commands ran.
        made = {name: "" for name in (*self.output_files, *self.outputs_files) if not GLOB.intersection(name)}
        folders = [] if program else [f"mkdir -p -- {shlex.quote(name)}" for name in self.output_dirs]
        launch = today.shell(plan, commands, first=folders)
        files = {**made, **launch.input_files}
        return msgspec.structs.replace(launch, input_files=files, outputs_shape=OutputsShape.SCRIPT_OF_OLD)


class Bash(OldScript, frozen=True, kw_only=True):
    """Run shell commands; `shell.commands` is its successor."""

    type_name: ClassVar[str] = "old.bash"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.core.tasks.scripts.Bash",)
    example: ClassVar[dict[str, object]] = {"commands": ["echo hello"]}

    commands: Annotated[list[str], Meta(description="The commands.")]

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the commands."""
        return self.told_anew(plan, self.commands)


class Python(OldScript, frozen=True, kw_only=True):
    """Run Python files with packages of their own; `python.commands` is its successor."""

    type_name: ClassVar[str] = "old.python"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.core.tasks.scripts.Python",)
    example: ClassVar[dict[str, object]] = {"inputFiles": {"main.py": "print('hello')"}}
    image: ClassVar[str] = "python:3.13-slim"

    commands: Annotated[list[str], Meta(description="The commands; `./bin/python` has the packages.")] = field(
        default_factory=lambda: ["./bin/python main.py"]
    )
    requirements: Annotated[list[str], Meta(description="Packages that it needs.", examples=[["requests"]])] = field(
        default_factory=list
    )
    virtual_env: Annotated[bool, Meta(description="Read and not used: packages never go elsewhere.")] = True
    python_path: Annotated[str, Meta(description="The Python; none: the flow's own.")] = ""

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the commands, in which `python` has the packages."""
        commands = [OWN_BIN.sub("", command) for command in self.commands]
        if self.contained and self.requirements:
            launch = self.told_anew(plan, [installing(self.requirements), *commands])
            return msgspec.structs.replace(launch, env={**launch.env, "PYTHONPATH": PACKAGES})
        wanted = Environment(requirements=tuple(self.requirements)) if self.requirements else None
        python = self.python_path if "/" in self.python_path else "project"
        return msgspec.structs.replace(self.told_anew(plan, commands), environment=wanted, interpreter=python)


class Node(OldScript, frozen=True, kw_only=True):
    """Run JavaScript files; `node.commands` is its successor."""

    type_name: ClassVar[str] = "old.node"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.core.tasks.scripts.Node",)
    example: ClassVar[dict[str, object]] = {"inputFiles": {"main.js": "console.log('hello')"}}
    image: ClassVar[str] = LANGUAGES["node"].image

    commands: Annotated[list[str], Meta(description="The commands.")] = field(default_factory=lambda: ["node main.js"])
    node_path: Annotated[str, Meta(description="Read and not used: commands name the program.")] = "node"
    npm_path: Annotated[str, Meta(description="What installs the packages of an input file `package.json`.")] = "npm"

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the commands, after the packages that `package.json` names are there."""
        install = [f"{self.npm_path} install --no-fund --no-audit"] if "package.json" in self.input_files else []
        launch = self.told_anew(plan, [*install, *self.commands])
        return msgspec.structs.replace(launch, not_found=LANGUAGES["node"].perhaps_absent)
