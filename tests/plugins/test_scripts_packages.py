"""Does a Python have the packages that a task says it needs: made once, whoever dies, and kept while it is used?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from penstock.errors.task import MissingExtra
from penstock.errors.work import NotInstalled
from penstock.model.node import Task
from penstock.model.policy import SECOND
from penstock.model.status import RunStatus
from penstock.runners.process.environments import Environments, key_of
from penstock.runners.process.packages import Recipe, find_uv
from penstock.sdk.launch import Environment
from penstock.services import runs as verbs
from tests.servers import DEMANDED
from tests.worker.workshop import Workshop, knobs, python

MAKE = """
import sys
from pathlib import Path
from penstock.runners.process.environments import Environments
from penstock.runners.process.packages import Recipe
from penstock.sdk.launch import Environment
root, wheels, path = sys.argv[1:]
environ = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels, "PATH": path}
wanted = Environment(requirements=("colour",))
held = Environments(Path(root)).hold(Recipe(wanted=wanted, python=sys.executable, environ=environ, folder=Path(root)))
print(held.told or "there", held.python)
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages, and uv, which installs them."""
    if not find_uv(os.environ):
        assert not DEMANDED, "uv is not here"
        pytest.skip("uv is not here")
    folder = tmp_path_factory.mktemp("wheels")
    wheel(folder, "colour", "1.0", "NAME = 'blue'\n")
    wheel(folder, "shape", "1.0", "NAME = 'round'\n")
    return folder


def wheel(folder: Path, name: str, version: str, text: str) -> None:
    """Write a package of one module, with a command that prints its name."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as made:
        made.writestr(f"{name}.py", f"{text}\n\ndef main():\n    print(NAME)\n")
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        made.writestr(f"{info}/RECORD", "")


def settings(wheels: Path) -> dict[str, str]:
    """An environment that finds packages nowhere else."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PATH": os.environ["PATH"],
    }


def recipe(wheels: Path, *requirements: str, **more: object) -> Recipe:
    """What makes a Python like ours with some packages."""
    wanted = msgspec.convert({"requirements": requirements, **more}, Environment)
    return Recipe(wanted=wanted, python=sys.executable, environ=settings(wheels), folder=wheels)


def said(python: str, *code: str) -> str:
    """What a Python prints."""
    return subprocess.run([python, *code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop."""
    one = Workshop(tmp_path)
    yield one
    one.close()


@pytest.fixture
def environments(tmp_path: Path, wheels: Path) -> Environments:
    """A folder for environments."""
    return Environments(tmp_path / "environments")


def test_a_script_with_dependencies_has_them_and_the_second_run_installs_nothing(
    workshop: Workshop, wheels: Path
) -> None:
    tasks = [
        python("script", "import colour, msgspec\nprint(colour.NAME)", dependencies=["colour"], env=settings(wheels)),
        Task(
            id="commands",
            type="python.commands",
            properties={"commands": ["colour"], "dependencies": ["colour"], "env": settings(wheels)},
        ),
    ]

    first, second = workshop.run(*tasks), workshop.run(*tasks)

    assert "Installed colour for Python" in workshop.log(first, "script")
    assert workshop.log(first, "commands") == "blue\n"
    assert (workshop.log(second, "script"), workshop.log(second, "commands")) == ("blue\n", "blue\n")


def test_packages_that_cannot_be_installed_fail_the_task_with_the_installers_words(
    workshop: Workshop, wheels: Path
) -> None:
    run_id = workshop.run(python("t", "x", dependencies=["no-such-package"], env=settings(wheels)))

    failure = workshop.of(run_id).failure
    assert failure is not None
    assert "The packages could not be installed" in failure.message
    assert "no-such-package" in failure.message
    assert list((workshop.state / "environments").glob("*-*")) == []


def test_an_attempt_is_killed_while_its_packages_are_installed(tmp_path: Path, wheels: Path) -> None:
    slow = tmp_path / "bin" / "python"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    workshop = Workshop(tmp_path, knobs())
    run_id = workshop.start(python("t", "x", dependencies=["colour"], python=str(slow), env=settings(wheels)))
    worker = workshop.worker()
    workshop.until(worker, lambda: bool(list((workshop.state / "environments").glob("*.lock"))))

    verbs.kill(workshop.core, run_id, "ann")
    began = workshop.core.clock.steady()
    workshop.finish(run_id)

    assert workshop.of(run_id).status is RunStatus.KILLED
    assert workshop.core.clock.steady() - began < 10 * SECOND
    workshop.close()


def test_packages_that_commands_change_are_nobody_elses(workshop: Workshop, wheels: Path) -> None:
    commands = Task(
        id="t",
        type="python.commands",
        properties={
            "commands": [
                "uv pip install --quiet --no-index --find-links $PIP_FIND_LINKS --python $(command -v python) shape",
                "shape",
                "colour",
            ],
            "dependencies": ["colour"],
            "env": {**settings(wheels), "PATH": f"{Path(find_uv(os.environ)).parent}:{os.environ['PATH']}"},
        },
    )
    run_id = workshop.run(commands)

    assert workshop.log(run_id, "t").splitlines()[1:] == ["round", "blue"]
    root = workshop.state / "environments"
    workshop.until(workshop.workers[0], lambda: not list(root.glob("own-*")))
    assert Environments(root).every() == []


def test_a_python_of_another_version_is_found(environments: Environments, wheels: Path) -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"

    with environments.hold(recipe(wheels, version=version)) as held:
        assert said(held.python, "-V") == f"Python {sys.version.split()[0]}"
    with pytest.raises(NotInstalled, match=r"Python 3\.2 is wanted"):
        environments.hold(recipe(wheels, version="3.2", manager="pip"))


def test_what_the_python_had_before_is_still_seen_after_the_packages_own(
    environments: Environments, wheels: Path
) -> None:
    with environments.hold(recipe(wheels, "colour")) as held:
        assert said(held.python, "-c", "import msgspec, colour; print(colour.NAME)") == "blue"


def test_uv_that_is_wanted_and_not_here_is_named_with_what_installs_it(tmp_path: Path, wheels: Path) -> None:
    environments = Environments(tmp_path, lambda _environ: "")

    with pytest.raises(MissingExtra) as caught:
        environments.hold(recipe(wheels, "colour", manager="uv", fetch=False))
    with pytest.raises(NotInstalled, match="uv"):  # no index has it here
        environments.hold(recipe(wheels, "colour", manager="uv"))
    with environments.hold(recipe(wheels, "colour")) as held:
        assert "with pip" in held.told
        assert said(str(Path(held.python).parent / "colour")) == "blue"

    assert caught.value.hint == 'pip install "penstock[uv]"'


def test_many_processes_make_an_environment_once(tmp_path: Path, wheels: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path), str(wheels), os.environ["PATH"]]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": os.environ.get("HOME", "/")}

    with ThreadPoolExecutor(4) as threads:
        told = list(
            threads.map(
                lambda _: subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout,
                range(4),
            )
        )

    assert sum(each.startswith("Installed colour") for each in told) == 1
    assert len({each.split()[-1] for each in told}) == 1


def test_a_maker_that_dies_leaves_nothing_that_is_used(environments: Environments, wheels: Path) -> None:
    wanted = recipe(wheels, "colour")
    half = environments.root / f"{key_of(wanted)}-dead"
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").symlink_to(sys.executable)

    with environments.hold(wanted) as held:
        environments.prune(young=0)
        assert "Installed colour" in held.told
        assert said(held.python, "-c", "import colour; print(colour.NAME)") == "blue"
        assert half.exists()  # its key is in use: nobody can tell what lies there from what is being made

    environments.prune(oldest=1e12, young=0)
    assert not half.exists()
    assert [one.requirements for one in environments.every()] == [("colour",)]


def test_a_maker_killed_by_force_is_followed_by_another(tmp_path: Path, wheels: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path), str(wheels), os.environ["PATH"]]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": os.environ.get("HOME", "/")}
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while not list(tmp_path.glob("*-*")) and time.monotonic() < until:
        pass
    first.send_signal(signal.SIGKILL)
    first.wait()

    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)

    assert said(second.stdout.split()[-1], "-c", "import colour; print(colour.NAME)") == "blue"


def test_what_nobody_has_used_for_long_is_removed_but_never_what_is_in_use(
    environments: Environments, wheels: Path
) -> None:
    environments.hold(recipe(wheels, "shape")).close()
    with environments.hold(recipe(wheels, "colour")) as used:
        for page in environments.root.glob("*.json"):
            os.utime(page, (1e9, 1e9))

        removed = environments.prune()

        assert [one.requirements for one in removed] == [("shape",)]
        assert [one.requirements for one in environments.every()] == [("colour",)]
        assert said(used.python, "-c", "import colour; print(colour.NAME)") == "blue"


def test_what_was_not_used_longest_goes_first_when_all_are_too_large(environments: Environments, wheels: Path) -> None:
    for name, used_at in (("colour", 2e9), ("shape", 1e9)):
        environments.hold(recipe(wheels, name)).close()
        os.utime(environments.root / f"{key_of(recipe(wheels, name))}.json", (used_at, used_at))
    newest = environments.every()[0]

    removed = environments.prune(oldest=1e12, largest=newest.size, young=0)

    assert [one.requirements for one in removed] == [("shape",)]


def test_the_same_requirements_in_another_order_are_the_same(wheels: Path) -> None:
    first = key_of(recipe(wheels, "colour", "shape"))

    assert first == key_of(recipe(wheels, "shape ", "colour", "colour"))
    assert first != key_of(recipe(wheels, "colour"))
    assert first != key_of(recipe(wheels, "colour", "shape", version="3.12"))
    elsewhere = Recipe(
        wanted=Environment(requirements=("colour", "shape")),
        python=sys.executable,
        environ={**settings(wheels), "UV_INDEX": "http://localhost:1"},
        folder=wheels,
    )
    assert first != key_of(elsewhere)


def test_requirements_that_lie_in_files_are_installed_each_time(environments: Environments, wheels: Path) -> None:
    (wheels / "requirements.txt").write_text("colour\n")

    with environments.hold(recipe(wheels, "-r requirements.txt")) as held:
        assert said(held.python, "-c", "import colour; print(colour.NAME)") == "blue"

    assert (environments.every(), list(environments.root.glob("own-*"))) == ([], [])
