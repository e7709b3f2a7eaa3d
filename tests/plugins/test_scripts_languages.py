"""Is a script run in the language that its type says, and what is said where that language is not?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from penstock.model.node import Task
from penstock.model.status import RunStatus
from penstock.plugins.scripts.languages import LANGUAGES
from penstock.sdk import registry
from penstock.sdk.local import LocalContext
from tests.servers import DEMANDED
from tests.worker.workshop import Workshop

# Which of them every machine that tests has: `make interpreters` installs what Debian lacks by default.
HERE = ("go", "lua", "node", "perl", "php", "ruby")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """One worker for all languages."""
    one = Workshop(tmp_path_factory.mktemp("languages"))
    yield one
    one.close()


def ran(workshop: Workshop, kind: str, **properties: object) -> tuple[str, str]:
    """What a task logged and why it failed."""
    run_id = workshop.run(Task(id="t", type=kind, properties=properties))
    run = workshop.of(run_id)
    message = run.failure.message if run.failure else ""
    assert (run.status is RunStatus.SUCCESS) == (not message)
    return workshop.log(run_id, "t"), message


def needed(name: str) -> None:
    """Pass over a language that this machine lacks, but not where everything must be there."""
    if not any(shutil.which(run.partition(" ")[0]) for run in LANGUAGES[name].runs):
        assert not DEMANDED, f"{LANGUAGES[name].title} is not here: make interpreters"
        pytest.skip(f"{LANGUAGES[name].title} is not here: make interpreters")


@pytest.mark.parametrize("name", HERE)
def test_the_example_of_a_language_says_hello(workshop: Workshop, name: str) -> None:
    needed(name)

    log, message = ran(workshop, f"{name}.script", **registry.find(f"{name}.script").example)

    assert (log, message) == ("hello\n", "")


@pytest.mark.parametrize("name", sorted(LANGUAGES.keys() - set(HERE)))
def test_a_language_that_is_not_here_says_how_to_get_it(workshop: Workshop, name: str) -> None:
    language = LANGUAGES[name]
    if any(shutil.which(run.partition(" ")[0]) for run in language.runs):
        pytest.skip(f"{language.title} is here")

    _, message = ran(workshop, f"{name}.script", script=language.hello)

    assert message.startswith(f"Command failed with exit code 127: there is no {language.title} where the task runs")
    assert language.remedy in message


def test_commands_whose_program_is_not_here_say_how_to_get_the_language(workshop: Workshop) -> None:
    _, message = ran(workshop, "julia.commands", commands=["no-such-program main.jl"])

    assert message.startswith("Command failed with exit code 127: a program was not found. Should it be Julia")


def test_a_script_that_ends_with_another_code_says_that_alone(workshop: Workshop) -> None:
    _, message = ran(workshop, "perl.script", script="exit 3;")

    assert message == "Command failed with exit code 3"


def test_commands_before_a_script_and_its_environment_are_its_own(workshop: Workshop) -> None:
    script = "print $ENV{WHO}, $ENV{WHERE}, -e 'there.txt' ? 1 : 0, qq(\\n);"

    log, _ = ran(
        workshop,
        "io.kestra.plugin.scripts.perl.Script",
        script=script,
        env={"WHO": "me"},
        beforeCommands=["export WHERE=here", "touch there.txt"],
    )

    assert log == "mehere1\n"


def test_the_first_of_several_programs_that_is_there_runs_the_file(local: LocalContext) -> None:
    launch = local.launch("lua.script", {"script": "print(1)"})

    assert launch.argv[2].splitlines() == [
        "set -e",
        "if command -v lua >/dev/null; then exec lua .penstock-script.lua; fi",
        "if command -v lua5.4 >/dev/null; then exec lua5.4 .penstock-script.lua; fi",
        "if command -v lua5.3 >/dev/null; then exec lua5.3 .penstock-script.lua; fi",
        "if command -v luajit >/dev/null; then exec luajit .penstock-script.lua; fi",
        "exit 127",
    ]
    assert launch.input_files == {".penstock-script.lua": "print(1)"}


@pytest.mark.parametrize(
    ("name", "script", "line"),
    [
        ("bun", "x", "bun run .penstock-script.ts"),
        ("deno", "x", "deno run --allow-all --no-prompt .penstock-script.ts"),
        ("groovy", "x", "groovy .penstock-script.groovy"),
        ("jbang", "public class Load { }", "jbang Load.java"),
        ("jbang", "void main() {}", "jbang PenstockScript.java"),
        ("julia", "x", "julia .penstock-script.jl"),
        ("php", "x", "php .penstock-script.php"),
        ("r", "x", "Rscript .penstock-script.R"),
        ("ruby", "x", "ruby .penstock-script.rb"),
        ("go", 'package main\nimport "fmt"\nfunc main() {}', "go run penstock_script.go"),
    ],
)
def test_how_a_file_of_each_language_is_run(local: LocalContext, name: str, script: str, line: str) -> None:
    launch = local.launch(f"{name}.script", {"script": script})

    assert launch.argv == ("/bin/sh", "-c", f"set -e\n{line}")


def test_another_interpreter_is_not_asked_to_search(local: LocalContext) -> None:
    launch = local.launch("node.script", {"script": "x", "interpreter": ["/bin/bash", "-c"]})

    assert launch.argv == ("/bin/bash", "-c", "node .penstock-script.js")


def test_a_module_of_node_is_known_by_its_imports(local: LocalContext) -> None:
    assert ".penstock-script.mjs" in local.launch("node.script", {"script": "import fs from 'fs';\n"}).input_files
    assert ".penstock-script.js" in local.launch("node.script", {"script": "const fs = import('fs');\n"}).input_files


def test_packages_that_a_go_file_imports_are_fetched(local: LocalContext) -> None:
    script = 'package main\n\nimport (\n\t"fmt"\n\tx "github.com/a/b"\n)\n'

    launch = local.launch("go.script", {"script": script})

    assert launch.argv[2].splitlines()[1:] == [
        "[ -f go.mod ] || go mod init script",
        "go mod tidy",
        "go run penstock_script.go",
    ]


def test_commands_of_powershell_are_its_own(local: LocalContext) -> None:
    commands = local.launch("powershell.commands", {"commands": ["Get-Date"], "beforeCommands": ["$a = 1"]})
    script = local.launch("powershell.script", {"script": "exit 3", "beforeCommands": ["$a = 1"]})

    assert commands.argv[:4] == ("pwsh", "-NoProfile", "-NonInteractive", "-Command")
    assert commands.argv[4].splitlines()[1:] == ["$a = 1", "Get-Date"]
    assert script.argv[4].splitlines()[1:] == ["$a = 1", "& ./.penstock-script.ps1", "exit $LASTEXITCODE"]
    assert local.launch("powershell.commands", {"commands": ["x"], "failFast": False}).argv[4] == "x"


@pytest.mark.parametrize(
    ("name", "properties", "text"),
    [
        ("Bash", {"commands": ["a"], "exitOnFailed": False}, "a"),
        ("Bash", {"commands": ["a"], "interpreter": "/bin/bash", "interpreterArgs": ["-ec"]}, "a"),
        ("Python", {"requirements": ["requests"]}, "set -e\npython main.py"),
        ("Python", {"commands": ["./bin/pip list", "bin/python x.py"]}, "set -e\npip list\npython x.py"),
        ("Node", {"inputFiles": {"main.js": "x"}}, "set -e\nnode main.js"),
        ("Node", {"inputFiles": {"package.json": "{}"}}, "set -e\nnpm install --no-fund --no-audit\nnode main.js"),
    ],
)
def test_tasks_of_the_first_releases_are_read(
    local: LocalContext, name: str, properties: dict[str, object], text: str
) -> None:
    launch = local.launch(f"io.kestra.core.tasks.scripts.{name}", properties)

    assert launch.argv[2] == text


def test_outputs_of_the_first_releases_are_stored(local: LocalContext) -> None:
    launch = local.launch(
        "io.kestra.core.tasks.scripts.Bash",
        {"commands": ["x"], "outputsFiles": ["a.csv"], "outputDirs": ["out"], "runner": "PROCESS"},
    )

    assert launch.output_files == ("a.csv", "out/**/*")


def test_every_language_has_both_types_under_its_name_of_old() -> None:
    for name in LANGUAGES:
        for kind in ("Script", "Commands"):
            assert registry.short_name(f"io.kestra.plugin.scripts.{name}.{kind}") == f"{name}.{kind.lower()}"
