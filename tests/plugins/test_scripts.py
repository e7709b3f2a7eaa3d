"""Do the script task types describe the process that their author means?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.errors.task import BadAddress, InvalidProperties
from penstock.plugins.scripts.options import localize
from penstock.sdk.launch import Environment, FileChoice, LaunchMode, Limits, OutputsShape
from penstock.sdk.local import LocalContext


def test_a_script_is_run_in_a_fork_of_the_projects_python(local: LocalContext) -> None:
    launch = local.launch("io.kestra.plugin.scripts.python.Script", {"script": "print(1)", "env": {"A": 1}})

    assert (launch.mode, launch.source, launch.interpreter) == (LaunchMode.PYTHON, "print(1)", "project")
    assert launch.env == {"A": "1"}
    assert launch.protocol
    assert launch.outputs_shape is OutputsShape.SCRIPT


def test_commands_before_a_script_share_its_shell(local: LocalContext) -> None:
    launch = local.launch("python.script", {"script": "print(1)", "beforeCommands": ["export A=1"]})

    assert launch.mode is LaunchMode.EXEC
    assert launch.argv == ("/bin/sh", "-c", "set -e\nexport A=1\npython .penstock-script.py")
    assert launch.input_files == {".penstock-script.py": "print(1)"}


def test_dependencies_are_what_the_python_of_a_script_must_have(local: LocalContext) -> None:
    given = {"dependencies": ["a>=1"], "pythonVersion": "3.12", "packageManager": "UV"}

    script = local.launch("python.script", {"script": "import a", **given})
    commands = local.launch("python.commands", {"commands": ["python x.py"], **given})

    wanted = Environment(requirements=("a>=1",), version="3.12", manager="uv")
    assert (script.mode, script.environment) == (LaunchMode.PYTHON, wanted)
    assert (commands.argv[2], commands.environment) == ("set -e\npython x.py", wanted)


@pytest.mark.parametrize(
    "said",
    [
        {"commands": ["pip install b", "python x.py"]},
        {"commands": ["python x.py"], "beforeCommands": ["python -m pip3 install -r requirements.txt"]},
        {"commands": ["uv pip install b"]},
        {"commands": ["python x.py"], "dependencyCacheEnabled": False},
    ],
)
def test_packages_that_commands_may_change_are_kept_for_nobody_else(local: LocalContext, said: dict[str, Any]) -> None:
    launch = local.launch("python.commands", {"dependencies": ["a"], **said})

    assert launch.environment == Environment(requirements=("a",), kept=False)


def test_packages_that_commands_install_themselves_are_theirs(local: LocalContext) -> None:
    launch = local.launch("python.commands", {"commands": ["x"], "beforeCommands": ["pip install b"]})

    assert launch.environment is None
    assert launch.argv[2] == "set -e\npip install b\nx"


def test_words_of_json_are_known_to_a_script_that_a_shell_starts(local: LocalContext) -> None:
    launch = local.launch("python.script", {"script": "print([true, null])", "beforeCommands": ["true"]})
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    (local.folder / ".penstock-script.py").write_text(launch.input_files[".penstock-script.py"])

    done = subprocess.run(launch.argv, env=environment, cwd=local.folder, capture_output=True, text=True, check=True)

    assert done.stdout == "[True, None]\n"


def test_commands_stop_at_the_first_failure_unless_told_otherwise(local: LocalContext) -> None:
    stops = local.launch("shell.commands", {"commands": ["a", "b"]})
    goes_on = local.launch("shell.commands", {"commands": ["a", "b"], "failFast": False})

    assert stops.argv == ("/bin/sh", "-c", "set -e\na\nb")
    assert goes_on.argv == ("/bin/sh", "-c", "a\nb")


def test_another_interpreter_takes_the_commands(local: LocalContext) -> None:
    launch = local.launch("shell.script", {"script": "echo", "interpreter": ["/bin/bash", "-ec"]})

    assert launch.argv == ("/bin/bash", "-ec", "echo")
    alone = local.launch("shell.script", {"script": "echo", "interpreter": "/bin/bash"})
    assert alone.argv == ("/bin/bash", "-c", "echo")


def test_a_function_gets_its_arguments_by_name(local: LocalContext) -> None:
    launch = local.launch("python.function", {"module": "a.b", "function": "f", "kwargs": {"n": 1}})

    assert (launch.mode, launch.module, launch.function, launch.kwargs) == (LaunchMode.FUNCTION, "a.b", "f", {"n": 1})
    assert launch.outputs_shape is OutputsShape.MAPPING


def test_stored_files_get_local_names(local: LocalContext) -> None:
    launch = local.launch(
        "shell.commands", {"commands": ["cat penstock:///a/x.csv 'penstock:///b/x.csv' penstock:///a/x.csv"]}
    )

    assert launch.argv[2] == "set -e\ncat x.csv '1-x.csv' x.csv"
    assert launch.input_files == {"x.csv": "penstock:///a/x.csv", "1-x.csv": "penstock:///b/x.csv"}


def test_text_without_addresses_stays_as_it_is() -> None:
    assert localize("echo s3://x/y") == ("echo s3://x/y", {})


def test_files_of_the_project_get_local_names_too(local: LocalContext) -> None:
    launch = local.launch("shell.commands", {"commands": ["sh nsfile:///scripts/x.sh"]})

    assert launch.argv[2] == "set -e\nsh x.sh"
    assert launch.input_files == {"x.sh": "nsfile:///scripts/x.sh"}


def test_the_output_directory_of_old_is_a_folder_whose_files_are_all_stored(local: LocalContext) -> None:
    launch = local.launch("shell.script", {"script": "x", "outputDirectory": True})

    assert launch.output_folder == ".penstock-output"


def test_files_limits_and_choices_are_handed_on(local: LocalContext) -> None:
    launch = local.launch(
        "shell.script",
        {
            "script": "x",
            "inputFiles": '{"a.txt": "content"}',
            "outputFiles": ["*.csv"],
            "namespaceFiles": {"enabled": True, "include": ["sql/*"]},
            "resources": {"memory": "512 MiB", "cpuSeconds": 5},
            "warningOnStdErr": True,
        },
    )

    assert launch.input_files == {"a.txt": "content"}
    assert launch.output_files == ("*.csv",)
    assert launch.project_files == FileChoice(("sql/*",))
    assert launch.limits == Limits(memory=512 * 1024**2, cpu_seconds=5)
    assert launch.stderr_warns


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", ""])
def test_an_input_file_stays_inside_the_working_directory(local: LocalContext, name: str) -> None:
    with pytest.raises(BadAddress):
        local.launch("shell.script", {"script": "x", "inputFiles": {name: "y"}})


@pytest.mark.parametrize(
    "said", [{"taskRunner": {"type": "io.kestra.plugin.core.runner.Process"}}, {"runner": "PROCESS"}, {}]
)
def test_the_process_runner_is_the_default(local: LocalContext, said: dict[str, object]) -> None:
    assert local.launch("shell.script", {"script": "x", **said}).notices == ()


def test_a_runner_that_does_not_exist_is_refused_in_words(local: LocalContext) -> None:
    with pytest.raises(InvalidProperties, match="none of process, docker, podman, container"):
        local.launch("shell.script", {"script": "x", "taskRunner": {"type": "io.kestra.plugin.ee.aws.runner.Batch"}})


def test_an_image_alone_is_noticed(local: LocalContext) -> None:
    launch = local.launch("shell.script", {"script": "x", "containerImage": "python:3.13-slim"})

    assert launch.notices == ('Runs as a process on the worker; the image "python:3.13-slim" is not used.',)
