"""Which commands of dbt are tasks? All of them in a shell, and each by a name of its own."""

from __future__ import annotations

import shlex
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.plugins.dbt.options import MANIFEST, PROFILES, DbtTask, Entry, refuse
from penstock.sdk.launch import Launch, LaunchContext

PACKAGE: Final = "io.kestra.plugin.dbt.cli"


class DbtCommands(DbtTask, frozen=True, kw_only=True):
    """Run commands of dbt in a shell."""

    type_name: ClassVar[str] = "dbt.commands"
    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}.DbtCLI", f"{PACKAGE}.Commands")
    example: ClassVar[dict[str, object]] = {
        "commands": ["dbt deps", "dbt build"],
        "dependencies": ["dbt-core<1.12", "dbt-duckdb"],
        "namespaceFiles": {"enabled": True},
        "profiles": "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n",
    }

    commands: Annotated[list[str], Meta(description="The commands.", examples=[["dbt deps", "dbt build"]])]
    store_manifest: Annotated[Entry | None, Meta(description=MANIFEST)] = None
    load_manifest: Annotated[Entry | None, Meta(description=MANIFEST)] = None
    engine: Annotated[str, Meta(description="CORE; FUSION is not spoken to.")] = "CORE"
    log_format: Annotated[str, Meta(description="Read and not used: dbt always speaks JSON to the worker.")] = "JSON"

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the commands."""
        refuse(self.store_manifest, self.load_manifest)
        return self.dbt(plan, self.commands)


class Single(DbtTask, frozen=True, kw_only=True):
    """What a task for one command of dbt declares."""

    command: ClassVar[tuple[str, ...]] = ()

    dbt_path: Annotated[
        str, Meta(description="Program to run, where it is there, instead of the `dbt` that is found.")
    ] = "./bin/dbt"
    debug: Annotated[bool, Meta(description="Whether dbt tells more.")] = False
    warn_error: Annotated[bool, Meta(description="Whether what dbt warns of is a failure.")] = False

    fail_fast: Annotated[bool, Meta(description="Whether dbt ends at the first node that fails.")] = False

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the one command."""
        line = shlex.join(["dbt", *self.flags(), *self.command, *self.arguments()])
        return msgspec.structs.replace(self, fail_fast=True).dbt(plan, [line], self.dbt_path)

    def flags(self) -> list[str]:
        """Options that come before the command."""
        told = {"--debug": self.debug, "--fail-fast": self.fail_fast, "--warn-error": self.warn_error}
        return [flag for flag, wanted in told.items() if wanted]

    def arguments(self) -> list[str]:
        """Options of the command."""
        return []


class Selecting(Single, frozen=True, kw_only=True):
    """What a task for a command that works on some nodes declares."""

    thread: Annotated[int | None, Meta(description="How many nodes at once.")] = None
    full_refresh: Annotated[bool, Meta(description="Whether incremental models are made anew.")] = False
    target: Annotated[str, Meta(description="Which target of the profile.")] = ""
    selector: Annotated[str, Meta(description="Name of a selector of `selectors.yml`.")] = ""
    select: Annotated[str | list[str], Meta(description="Which nodes.", examples=[["orders+"]])] = field(
        default_factory=list
    )
    exclude: Annotated[str | list[str], Meta(description="Which nodes not.")] = field(default_factory=list)

    def arguments(self) -> list[str]:
        """Options of the command."""
        given = ["--threads", str(self.thread)] if self.thread else []
        given += ["--full-refresh"] if self.full_refresh else []
        for name, text in (("--target", self.target), ("--selector", self.selector)):
            given += [name, text] if text else []
        for name, nodes in (("--select", self.select), ("--exclude", self.exclude)):
            listed = nodes.split() if isinstance(nodes, str) else nodes
            given += [name, *listed] if listed else []
        return given


class Setup(DbtTask, frozen=True, kw_only=True):
    """Prepare a working directory: dbt in a Python of its own, and the profile."""

    type_name: ClassVar[str] = "dbt.setup"
    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}.Setup",)
    example: ClassVar[dict[str, object]] = {"requirements": ["dbt-core<1.12", "dbt-duckdb"]}

    requirements: Annotated[list[str], Meta(description="Packages that bring dbt.")] = field(
        default_factory=lambda: ["dbt-core<1.12", "dbt-duckdb"]
    )
    python_path: Annotated[str, Meta(description="Python to make another one of.")] = "python"
    virtual_env: Annotated[str, Meta(description="Read and not used.")] = ""

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell that makes it."""
        python, packages = shlex.quote(self.python_path), shlex.join(self.requirements)
        make = f"{python} -m venv --without-pip . && uv pip install -q --python ./bin/python {packages}"
        pip = f"{python} -m venv . && ./bin/python -m pip install -q {packages}"
        commands = [f"if command -v uv >/dev/null 2>&1; then {make}; else {pip}; fi"]
        if self.profiles:
            commands.append(f"mkdir -p .profile && cp {PROFILES} .profile/{PROFILES}")
        return self.dbt(plan, commands)


def _task(name: str, told: str, command: str, base: type[Single] = Selecting) -> Any:
    word = name.lower()
    namespace = {
        "__doc__": told,
        "type_name": f"dbt.{word}",
        "aliases": (f"{PACKAGE}.{name}",),
        "example": {"dependencies": ["dbt-core<1.12", "dbt-duckdb"], "namespaceFiles": {"enabled": True}},
        "command": tuple(command.split()),
    }
    return msgspec.defstruct(name, [], bases=(base,), namespace=namespace, module=__name__, frozen=True, kw_only=True)


Build = _task("Build", "Build models, seeds and snapshots with dbt, and test each.", "build")
Run = _task("Run", "Build models with dbt.", "run")
Test = _task("Test", "Test what dbt has built.", "test")
Seed = _task("Seed", "Load seeds with dbt.", "seed")
Snapshot = _task("Snapshot", "Take snapshots with dbt.", "snapshot")
Compile = _task("Compile", "Compile models with dbt, and do nothing with them.", "compile")
List = _task("List", "List the nodes of a dbt project.", "list")
Freshness = _task("Freshness", "Look how fresh the sources of a dbt project are.", "source freshness")
Deps = _task("Deps", "Install the packages that a dbt project names.", "deps", Single)
Debug = _task("Debug", "Look whether dbt finds its project, its profile and its database.", "debug", Single)
