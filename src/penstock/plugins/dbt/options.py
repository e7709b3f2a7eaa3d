"""What have dbt's tasks in common? A project, a profile, packages that bring dbt, and what is told of its nodes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Final

import msgspec
import yaml
from msgspec import Meta

from penstock.errors.task import NotOffered
from penstock.plugins.dbt.data import named
from penstock.plugins.scripts.python import PythonTask
from penstock.sdk.launch import Launch, LaunchContext

TELLING: Final = (Path(__file__).parent / "telling.py").read_text()
DATA: Final = (Path(__file__).parent / "data.py").read_text()
BEGIN: Final = (Path(__file__).parent / "begin.py").read_text()
FILE: Final = ".penstock-dbt.py"
DATA_FILE: Final = ".penstock-dbt-data.py"
BEGIN_FILE: Final = ".penstock-dbt-begin/begin.py"
PROFILES: Final = "profiles.yml"
IMAGE: Final = "ghcr.io/kestra-io/dbt"
KIND: Final = re.compile(r"^\s*type:\s*['\"]?([a-z_]+)", re.MULTILINE)
# Whoever says `dbt` in the shell gets the one that tells the worker of it.
FUNCTION: Final = (
    'PENSTOCK_DBT="$PWD/{file}"; : > "$PENSTOCK_DBT.calls"; rm -f "$PWD/{data}.said"; '
    'dbt() {{ python "$PENSTOCK_DBT" "$@"; }}'
)
ABSENT: Final = (
    'a program was not found. Should it be dbt: give the task dependencies: ["dbt-core<1.12", "dbt-{kind}"].'
)
MANIFEST: Final = "Not offered: hand the manifest on by `outputFiles` and `inputFiles`."


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A key and its namespace."""

    key: Annotated[str, Meta(description="The key.")]
    namespace: Annotated[str, Meta(description="Its namespace.")] = ""


class DbtTask(PythonTask, frozen=True, kw_only=True):
    """What every dbt task declares."""

    image: ClassVar[str] = IMAGE
    outputs: ClassVar[dict[str, str]] = {
        "vars": "`nodes`: how many ended how.",
        "exitCode": "The exit code of the process.",
        "outputFiles": "Address of each stored file: `manifest.json`, `run_results.json`, `catalog.json` where there "
        "is one, and what `outputFiles` says.",
        "stdOutLineCount": "Lines on standard output.",
        "stdErrLineCount": "Lines on standard error.",
    }

    project_dir: Annotated[str, Meta(description="Folder of the dbt project in the working directory.")] = ""
    profiles: Annotated[str, Meta(description="Text of `profiles.yml`.")] = ""
    parse_run_results: Annotated[
        bool, Meta(description="Whether each node is a reported step, with its state, times and numbers.")
    ] = True
    go_on: Annotated[
        bool,
        Meta(
            description="Whether an attempt after a failed one does only what did not succeed; what the others have "
            "built must have outlived that attempt."
        ),
    ] = False

    def dbt(self, plan: LaunchContext, commands: Sequence[str], program: str = "") -> Launch:
        """A shell in which `dbt` tells the worker what it does."""
        launch = self.python_shell(plan, [FUNCTION.format(file=FILE, data=DATA_FILE), *commands])
        kind = match[1] if (match := KIND.search(self.profiles)) else "duckdb"
        files = {FILE: TELLING, DATA_FILE: DATA, BEGIN_FILE: BEGIN} | (
            {PROFILES: self.profiles} if self.profiles else {}
        )
        again = plan.state.get("calls") if self.go_on else None
        env = {
            "PENSTOCK_DBT_PARTS": "1" if self.parse_run_results else "0",
            "PENSTOCK_DBT_KIND": kind,
            "PENSTOCK_DBT_PATH": program,
            "PENSTOCK_DBT_AGAIN": json.dumps(again) if again else "",
            "DBT_PROJECT_DIR": self.project_dir,
            "DBT_PROFILES_DIR": plan.workdir if self.profiles else "",
        }
        env["PENSTOCK_DBT_NAMESPACE"] = place(self.profiles)
        given = {name: value for name, value in env.items() if value}
        return msgspec.structs.replace(
            launch,
            env={**given, **launch.env},
            input_files={**files, **launch.input_files},
            not_found=ABSENT.format(kind=kind),
        )


def place(profiles: str) -> str:
    """Where a profile's database is, as lineage says it; empty where the text does not tell it."""
    try:
        whole = yaml.safe_load(profiles)
        profile = next(each for name, each in whole.items() if name != "config")
        output = profile["outputs"][profile.get("target", "default")]
        found = named({name: str(value) for name, value in output.items()})
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, StopIteration):
        return ""
    return "" if "{" in found else found


def refuse(*given: Entry | None) -> None:
    """A manifest is not kept under a key. NotOffered."""
    if any(each is not None for each in given):
        raise NotOffered(
            "A manifest cannot be kept under a key here: it is too large for a value.",
            hint="It is stored: inputFiles: {manifest.json: \"{{ outputs.dbt.outputFiles['manifest.json'] }}\"}.",
        )
