"""How does a flow run Python: a script, commands, a function?"""

from __future__ import annotations

import enum
import re
import shlex
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.plugins.scripts.languages import SCRIPT_FILE
from penstock.plugins.scripts.options import Script, localize
from penstock.sdk.launch import Environment, Launch, LaunchContext, LaunchMode, OutputsShape

FILE: Final = f"{SCRIPT_FILE}.py"
PACKAGES: Final = ".penstock-packages"
JSON_NAMES: Final[dict[str, object]] = {"true": True, "false": False, "null": None}
IMAGE: Final = "python:3.13-slim"
USES_NAMES: Final = re.compile(rf"\b(?:{'|'.join(JSON_NAMES)})\b")
NAMED: Final = (
    "python -c 'import builtins, runpy, sys; builtins.true, builtins.false, builtins.null = True, False, None; "
    'sys.argv[:] = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name="__main__")\''
)
VERSION: Final = (
    'python -c \'import sys; wanted = sys.argv[1].split("."); '
    "found = [str(part) for part in sys.version_info[:len(wanted)]]; "
    'sys.exit(None if found == wanted else "Python " + sys.argv[1] + " is wanted; this is " + sys.version)\' {wanted}'
)
# In a container, where nothing can be kept: beside the script.
UV: Final = 'uv pip install --quiet --python "$(command -v python)" --target {folder} {packages}'
PIP: Final = "python -m pip install --quiet --disable-pip-version-check --target {folder} {packages}"
# Commands that would change the packages of the Python they find.
INSTALLS: Final = re.compile(r"\bpip3?\s+(?:install|uninstall)\b|\buv\s+(?:add|sync|remove)\b")
ABSENT: Final = "a program was not found. Should it be Python: `penstock doctor` tells which one tasks run in."


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


def installing(packages: Sequence[str], manager: PackageManager = PackageManager.AUTO) -> str:
    """The shell line that installs packages into PACKAGES."""
    return INSTALL[manager].format(folder=PACKAGES, packages=" ".join(shlex.quote(name) for name in packages))


class PythonTask(Script, frozen=True, kw_only=True):
    """What every Python task declares."""

    image: ClassVar[str] = IMAGE

    python: Annotated[
        str,
        Meta(
            description='"project" (the flow\'s own Python), "own" (Penstock\'s), a name of `pythons`, or a path.',
            examples=["project", "/usr/bin/python3"],
        ),
    ] = "project"
    dependencies: Annotated[
        list[str],
        Meta(
            description="Packages that it needs besides what the Python has; installed once, and kept for whoever "
            "needs the same.",
            examples=[["requests>=2"]],
        ),
    ] = field(default_factory=list)
    package_manager: Annotated[
        PackageManager, Meta(description="What installs them: uv, pip, or whichever is there (uv first).")
    ] = PackageManager.AUTO
    python_version: Annotated[
        str,
        Meta(description="Version that the Python must have; uv finds or fetches one that has it.", examples=["3.12"]),
    ] = ""
    dependency_cache_enabled: Annotated[
        bool, Meta(description="Whether what is installed is kept for others; else it is installed anew each time.")
    ] = True
    uv_auto_install_enabled: Annotated[
        bool, Meta(description="Whether uv, where it is wanted and not there, is installed by pip and kept.")
    ] = True

    def environment(self, commands: Sequence[str] = ()) -> Environment | None:
        """What its Python must have; not kept where commands may change it."""
        if not (self.dependencies or self.python_version) or self.contained:
            return None
        changes = any(INSTALLS.search(line) for line in (*self.before_commands, *commands))
        return Environment(
            requirements=tuple(self.dependencies),
            version=self.python_version,
            manager="" if self.package_manager is PackageManager.AUTO else self.package_manager.lower(),
            kept=self.dependency_cache_enabled and not changes,
            fetch=self.uv_auto_install_enabled,
        )

    def python_shell(self, plan: LaunchContext, commands: Sequence[str]) -> Launch:
        """A shell whose `python` has the dependencies; in a container they are installed first."""
        inside = self.dependencies if self.contained else []
        version = self.python_version if self.contained else ""
        look = [VERSION.format(wanted=shlex.quote(version))] if version else []
        install = [installing(inside, self.package_manager)] if inside else []
        launch = self.shell(plan, [*look, *install, *commands], self.python)
        env = launch.env
        if inside:
            own = self.env.get("PYTHONPATH")
            env = {**env, "PYTHONPATH": f"{PACKAGES}:{own}" if own else PACKAGES}
        return msgspec.structs.replace(launch, env=env, environment=self.environment(commands), not_found=ABSENT)


class PythonScript(PythonTask, frozen=True, kw_only=True):
    """Run Python source in a process of its own."""

    type_name: ClassVar[str] = "python.script"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.scripts.python.Script",)
    example: ClassVar[dict[str, object]] = {"script": "print('hello')\n"}

    script: Annotated[str, Meta(description="The source.", examples=["print('hello')"])]

    def launch(self, plan: LaunchContext) -> Launch:
        """The source in a fork of the project's Python; through a shell only when something must run before it."""
        source, found = localize(self.script)
        if not (self.before_commands or self.interpreter or self.contained):
            launch = Launch(
                mode=LaunchMode.PYTHON,
                source=source,
                names=JSON_NAMES,
                interpreter=self.python,
                environment=self.environment(),
                input_files=found,
            )
            return self.furnish(launch, plan)
        run = f"{NAMED} {FILE}" if USES_NAMES.search(self.script) else f"python {FILE}"
        launch = self.python_shell(plan, [run])
        return msgspec.structs.replace(launch, input_files={**launch.input_files, **found, FILE: source})


class PythonCommands(PythonTask, frozen=True, kw_only=True):
    """Run shell commands whose `python` is the flow's own."""

    type_name: ClassVar[str] = "python.commands"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.scripts.python.Commands",)
    example: ClassVar[dict[str, object]] = {"commands": ["python scripts/load.py"]}

    commands: Annotated[list[str], Meta(description="The commands.", examples=[["python scripts/load.py"]])]

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the commands."""
        return self.python_shell(plan, self.commands)


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
            environment=self.environment(),
            outputs_shape=OutputsShape.MAPPING,
        )
        return self.furnish(launch, plan)
