"""How does a flow run Python: a script, commands, a function?"""

from __future__ import annotations

import enum
import shlex
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.plugins.scripts.options import Script, localize
from penstock.sdk.launch import Launch, LaunchContext, LaunchMode, OutputsShape

SCRIPT_FILE: Final = ".penstock-script.py"
PACKAGES: Final = ".penstock-packages"
JSON_NAMES: Final[dict[str, object]] = {"true": True, "false": False, "null": None}
UV: Final = 'uv pip install --quiet --python "$(command -v python)" --target {folder} {packages}'
PIP: Final = "python -m pip install --quiet --disable-pip-version-check --target {folder} {packages}"
VERSION: Final = (
    'python -c \'import sys; wanted = sys.argv[1].split("."); '
    "found = [str(part) for part in sys.version_info[:len(wanted)]]; "
    'sys.exit(None if found == wanted else "Python " + sys.argv[1] + " is wanted; this is " + sys.version)\' {wanted}'
)


class PackageManager(enum.StrEnum):
    """What installs packages."""

    AUTO = "AUTO"
    UV = "UV"
    PIP = "PIP"


INSTALL: Final = {
    PackageManager.AUTO: f"if command -v uv >/dev/null 2>&1; then {UV}; else {PIP}; fi",
    PackageManager.UV: UV,
    PackageManager.PIP: PIP,
}


class PythonTask(Script, frozen=True, kw_only=True):
    """What every Python task declares."""

    python: Annotated[
        str,
        Meta(
            description='"project" (the flow\'s own Python), "own" (Penstock\'s), a name of `pythons`, or a path.',
            examples=["project", "/usr/bin/python3"],
        ),
    ] = "project"
    dependencies: Annotated[
        list[str],
        Meta(description="Packages to install beside the script before it runs.", examples=[["requests>=2"]]),
    ] = field(default_factory=list)

    package_manager: Annotated[
        PackageManager, Meta(description="What installs them: uv, pip, or whichever is there (uv first).")
    ] = PackageManager.AUTO
    python_version: Annotated[
        str, Meta(description="Version that the Python must have; another one is a failure.", examples=["3.12"])
    ] = ""
    dependency_cache_enabled: Annotated[
        bool, Meta(description="Read and not used: uv and pip keep caches of their own.")
    ] = True
    uv_auto_install_enabled: Annotated[bool, Meta(description="Read and not used: uv is taken where it is.")] = True

    def preparation(self) -> list[str]:
        """Shell commands that look at the Python's version and install the dependencies, where that is wanted."""
        commands = [VERSION.format(wanted=shlex.quote(self.python_version))] if self.python_version else []
        if self.dependencies:
            packages = " ".join(shlex.quote(name) for name in self.dependencies)
            commands.append(INSTALL[self.package_manager].format(folder=PACKAGES, packages=packages))
        return commands

    def with_packages(self, launch: Launch) -> Launch:
        """Let Python find the installed dependencies."""
        if not self.dependencies:
            return launch
        path = PACKAGES + (f":{self.env['PYTHONPATH']}" if "PYTHONPATH" in self.env else "")
        return msgspec.structs.replace(launch, env={**launch.env, "PYTHONPATH": path})


class PythonScript(PythonTask, frozen=True, kw_only=True):
    """Run Python source in a process of its own."""

    type_name: ClassVar[str] = "python.script"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.scripts.python.Script",)
    example: ClassVar[dict[str, object]] = {"script": "print('hello')\n"}

    script: Annotated[str, Meta(description="The source.", examples=["print('hello')"])]

    def launch(self, plan: LaunchContext) -> Launch:
        """The source in a fork of the project's Python; through a shell only when something must run before it."""
        source, found = localize(self.script)
        if not (self.before_commands or self.interpreter or self.preparation()):
            launch = Launch(
                mode=LaunchMode.PYTHON,
                source=source,
                names=JSON_NAMES,
                interpreter=self.python,
                input_files=found,
            )
            return self.furnish(launch, plan)
        launch = self.shell(plan, [*self.preparation(), f"python {SCRIPT_FILE}"], self.python)
        files = {**launch.input_files, **found, SCRIPT_FILE: source}
        return self.with_packages(msgspec.structs.replace(launch, input_files=files))


class PythonCommands(PythonTask, frozen=True, kw_only=True):
    """Run shell commands whose `python` is the flow's own."""

    type_name: ClassVar[str] = "python.commands"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.scripts.python.Commands",)
    example: ClassVar[dict[str, object]] = {"commands": ["python scripts/load.py"]}

    commands: Annotated[list[str], Meta(description="The commands.", examples=[["python scripts/load.py"]])]

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the commands."""
        return self.with_packages(self.shell(plan, [*self.preparation(), *self.commands], self.python))


class PythonFunction(PythonTask, frozen=True, kw_only=True):
    """Call a Python function; the mapping that it returns is the outputs."""

    type_name: ClassVar[str] = "python.function"
    outputs: ClassVar[dict[str, str]] = {}
    example: ClassVar[dict[str, object]] = {"module": "pipelines.load", "function": "load", "kwargs": {"day": "today"}}

    module: Annotated[str, Meta(description="The module that has it, as `import` names it.", examples=["json"])]
    function: Annotated[str, Meta(description="Its name in the module.", examples=["load"])]
    kwargs: Annotated[dict[str, object], Meta(description="The arguments by name.")] = field(default_factory=dict)

    def launch(self, plan: LaunchContext) -> Launch:
        """The call in a fork of the project's Python."""
        launch = Launch(
            mode=LaunchMode.FUNCTION,
            module=self.module,
            function=self.function,
            kwargs=self.kwargs,
            interpreter=self.python,
            outputs_shape=OutputsShape.MAPPING,
        )
        return self.furnish(launch, plan)
