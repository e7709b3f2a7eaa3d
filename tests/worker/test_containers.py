"""Does a script in a container do what it does as a process, and does nothing of it outlive its attempt?"""

from __future__ import annotations

import io
import json
import os
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.model.node import Folder, Task
from penstock.model.run import Attempt, ErrorKind
from penstock.model.status import RunStatus
from penstock.runners.container.wanted import DRIVER
from penstock.services import runs as verbs
from penstock.services.worker.shop import Surroundings
from tests.servers import podman, server_folder
from tests.worker.workshop import Workshop, python, shell
from tools.podman import Podman

__all__ = ["podman", "server_folder"]

IMAGE = "python:3.12-slim"
FOR_EVER = "echo begun; sleep 600"


@pytest.fixture
def yard(tmp_path: Path, podman: Podman, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A workshop beside a container engine, on which it leaves nothing."""
    monkeypatch.setenv("CONTAINER_HOST", f"unix://{podman.socket}")
    one = Workshop(tmp_path)
    yield one
    one.close()
    assert containers(podman) == {}
    assert not list((tmp_path / ".penstock").glob("containers/*"))


def contained(**said: object) -> dict[str, Any]:
    """The properties of a task in a container, which has no network unless it is said."""
    return {"taskRunner": {"type": "docker", "networkMode": "none", **said}, "containerImage": IMAGE}


def containers(engine: Podman, form: str = "{{.Names}} {{.State}}") -> dict[str, str]:
    """Every container that there is, by name, with its state."""
    lines = engine.ask("ps", "--all", "--format", form).splitlines()
    return dict(line.split(" ", 1) for line in lines)


def only(yard: Workshop, run_id: str) -> Attempt:
    """The one attempt of a run."""
    (attempt,) = yard.attempts(run_id)
    return attempt


def failure(yard: Workshop, task: Task) -> tuple[ErrorKind, str, int | None]:
    """How a task fails."""
    found = only(yard, yard.run(task)).failure
    assert found is not None
    return found.kind, found.message, found.exit_code


def shows(yard: Workshop, run_id: str, text: str) -> Callable[[], bool]:
    """Whether a run's log shows something by now."""
    return lambda: text in yard.log(run_id)


@pytest.mark.parametrize("strategy", ["VOLUME", "MOUNT"])
def test_files_go_in_and_come_out(yard: Workshop, strategy: str) -> None:
    stored = yard.core.blobs.put("some/data.csv", b"a,b\n")
    script = "cat in/data.csv; mkdir -p out/deep; echo made > out/deep/b.csv; ln -s /etc/passwd out/leak.csv"
    files = {"inputFiles": {"in/data.csv": stored}, "outputFiles": ["out/**/*.csv"]}

    run_id = yard.run(shell("one", script, **files, **contained(fileHandlingStrategy=strategy)))

    assert yard.log(run_id).startswith("a,b\n")
    found = yard.outputs(run_id)["one"]["outputFiles"]
    assert list(found) == ["out/deep/b.csv"]
    assert yard.core.blobs.get(found["out/deep/b.csv"]) == b"made\n"


def test_what_it_prints_its_messages_and_its_exit_code_are_the_tasks(yard: Workshop) -> None:
    source = "from kestra import Kestra\nimport os, sys\nKestra.outputs({'n': 7})\nprint('told', os.environ['MINE'])\n"
    source += "print('wrong', file=sys.stderr)\nopen('named.txt', 'w').write('x')\n"
    source += 'print(\'::{"files": ["named.txt"]}::\')\nsys.exit(3)\n'

    run_id = yard.run(python("one", source, env={"MINE": "{{ execution.id }}"}, **contained()))

    assert yard.of(run_id).status is RunStatus.FAILED
    outputs = yard.outputs(run_id)["one"]
    assert (outputs["vars"], outputs["exitCode"]) == ({"n": 7}, 3)
    assert (outputs["stdOutLineCount"], outputs["stdErrLineCount"]) == (3, 1)
    assert list(outputs["outputFiles"]) == ["named.txt"]
    assert yard.log(run_id).splitlines()[:2] in (["told " + run_id, "wrong"], ["wrong", "told " + run_id])


def test_the_container_is_as_it_was_asked_for(yard: Workshop, podman: Podman) -> None:
    asked = contained(
        user="65534",
        entryPoint=["env", "ENTERED=by the door"],
        extraHosts=["warehouse:10.1.2.3"],
        shmSize="16m",
        memory={"memory": "128MB"},
        cpu={"cpus": 0.5},
        labels={"team": "data"},
    )
    commands = [
        "id -u",
        "echo $ENTERED",
        "cat /proc/net/dev | wc -l",
        "grep warehouse /etc/hosts",
        "df -k /dev/shm",
        "touch mine",
        FOR_EVER,
    ]

    worker, run_id = yard.worker(), yard.start(shell("one", *commands, **asked))
    yard.until(worker, shows(yard, run_id, "begun"))
    (name,) = containers(podman)
    seen = json.loads(podman.ask("inspect", name))[0]
    verbs.kill(yard.core, run_id, "me", force=True)
    yard.finish(run_id)

    told = yard.log(run_id)
    assert told.startswith("65534\nby the door\n3\n10.1.2.3")
    assert " 16384 " in told
    assert (seen["HostConfig"]["Memory"], seen["HostConfig"]["NanoCpus"]) == (128 * 1024**2, 500_000_000)
    labels = seen["Config"]["Labels"]
    assert labels["team"] == "data"
    assert labels["kestra.io/execution-id"] == labels["penstock/run"] == run_id
    assert (labels["kestra.io/namespace"], labels["kestra.io/flow-id"]) == ("tests", "flow")
    assert (labels["kestra.io/task-id"], labels["kestra.io/taskrun-attempt"]) == ("one", "0")


def test_its_log_comes_while_it_runs_and_a_kill_ends_it(yard: Workshop, podman: Podman) -> None:
    worker, run_id = (
        yard.worker(),
        yard.start(shell("one", "trap 'echo asked; exit 1' TERM", "echo begun", "sleep 600 & wait", **contained())),
    )

    yard.until(worker, shows(yard, run_id, "begun"))
    running = containers(podman)
    verbs.kill(yard.core, run_id, "me")
    run = yard.finish(run_id)

    assert len(running) == 1
    assert run.status is RunStatus.KILLED
    assert "asked" in yard.log(run_id)
    assert containers(podman) == {}


def test_one_that_does_not_listen_is_ended_after_its_timeout_and_the_grace(yard: Workshop, podman: Podman) -> None:
    task = shell("one", FOR_EVER, **contained())

    run_id = yard.run(Task(id="one", type=task.type, properties=task.properties, timeout="PT2S"))

    failed = only(yard, run_id).failure
    assert failed is not None
    assert failed.kind is ErrorKind.TIMEOUT
    assert "begun" in yard.log(run_id)
    assert containers(podman) == {}


def test_it_ends_with_its_attempt_though_the_process_that_stands_for_it_is_gone(yard: Workshop, podman: Podman) -> None:
    worker, run_id = yard.worker(), yard.start(shell("one", FOR_EVER, **contained()))
    yard.until(worker, shows(yard, run_id, "begun"))

    os.kill(stand_in(), signal.SIGKILL)
    run = yard.finish(run_id)

    assert run.status is RunStatus.FAILED
    assert containers(podman) == {}


def test_packages_that_a_script_needs_are_installed_in_it(yard: Workshop) -> None:
    info = "colour-1.0.dist-info"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as wheel:
        wheel.writestr("colour.py", "NAME = 'blue'\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: colour\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    file = "colour-1.0-py3-none-any.whl"
    said = {"inputFiles": {file: yard.core.blobs.put(f"some/{file}", made.getvalue())}, "dependencies": ["colour==1.0"]}
    source = "import colour\nprint(colour.NAME, true)\n"

    run_id = yard.run(
        python("one", source, env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "."}, **said, **contained(user="0"))
    )

    assert yard.log(run_id).splitlines()[-1] == "blue True"


def test_a_task_of_old_finds_its_promised_files_in_it(yard: Workshop) -> None:
    said = {"runner": "DOCKER", "docker": {"image": IMAGE, "networkMode": "none"}, "outputDirs": ["deep"]}
    commands = ["echo 1 > {{ outputFiles.made }}", "echo 2 > {{ outputDirs.deep }}/two.csv"]
    task = Task(id="old", type="old.bash", properties={"commands": commands, "outputFiles": ["made"], **said})

    run_id = yard.run(task)

    outputs = yard.outputs(run_id)["old"]
    assert sorted(outputs["outputFiles"]) == ["deep/two.csv", "made"]
    assert outputs["taskRunner"]["containerId"].startswith(f"penstock-{run_id}-old-1-")


def test_too_much_memory_is_told_as_such(yard: Workshop) -> None:
    task = python(
        "one",
        "x = [bytearray(b'x' * 10**7) for _ in range(40)]",
        **contained(memory={"memory": "64MB", "memorySwap": "64MB"}),
    )

    assert failure(yard, task) == (ErrorKind.MEMORY, "It ran out of memory: its limit is 67 MB.", 137)


def test_a_program_that_the_image_lacks_is_told_as_such(yard: Workshop) -> None:
    sentence = f'Command failed with exit code 127: a program is not in the image "{IMAGE}".'

    assert failure(yard, shell("one", "nosuch", **contained())) == (ErrorKind.EXIT, sentence, 127)
    assert failure(yard, shell("one", "x", interpreter=["/bin/nosuch"], **contained())) == (
        ErrorKind.EXIT,
        sentence,
        127,
    )


def test_an_image_that_is_not_there_is_told_with_the_policy(yard: Workshop) -> None:
    never = shell("one", "true", **contained(pullPolicy="NEVER") | {"containerImage": "127.0.0.1:1/none:9"})
    absent = shell("one", "true", **contained() | {"containerImage": "127.0.0.1:1/none:9"})

    assert "pullPolicy NEVER forbids to fetch it" in failure(yard, never)[1]
    assert "could not be fetched (pullPolicy IF_NOT_PRESENT)" in failure(yard, absent)[1]


def test_without_an_engine_the_task_fails_with_a_way_to_get_one(yard: Workshop) -> None:
    kind, message, _ = failure(yard, shell("one", "true", **contained(host="unix:///nowhere/engine.sock")))

    assert kind is ErrorKind.TASK
    assert "The container engine at unix:///nowhere/engine.sock does not answer: No such file or directory." in message
    assert "podman.socket" in message


def test_folders_of_the_machine_are_there_only_where_the_project_allows_it(yard: Workshop, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x").write_text("of the machine\n")
    task = shell("one", "cat /data/x", **contained(volumes=[f"{tmp_path}/data:/data:ro"]))

    refused = failure(yard, task)[1]
    yard.workers.pop().close()
    yard.worker("two", surroundings=Surroundings(volumes=True))
    run_id = yard.run(task)

    assert "`containers: {volumes: true}`" in refused
    assert yard.log(run_id) == "of the machine\n"


def test_one_that_is_not_to_be_deleted_is_kept_and_one_not_waited_for_goes_on(yard: Workshop, podman: Podman) -> None:
    kept = yard.run(shell("one", "echo kept", **contained(delete=False)))
    begun = yard.run(shell("one", FOR_EVER, **contained(wait=False)))

    left = containers(podman)
    podman.ask("rm", "--force", "--time", "0", *left)

    assert yard.of(kept).status is yard.of(begun).status is RunStatus.SUCCESS
    assert [name.endswith("-kept") for name in left] == [True, True]
    assert sorted(state.split()[0] for state in left.values()) == ["Exited", "Up"]


def test_tasks_of_a_working_directory_share_its_files(yard: Workshop) -> None:
    nodes = (
        shell("a", "echo a > a; echo b > b", **contained()),
        shell("b", "cat a b; rm b; echo c > c", **contained()),
        shell("c", "cat a c; test ! -e b"),
    )

    run_id = yard.run(Folder(id="dir", nodes=nodes))

    assert yard.of(run_id).status is RunStatus.SUCCESS
    assert yard.log(run_id) == "a\nb\na\nc\n"


def test_a_drain_ends_it_before_the_attempt_is_handed_back(yard: Workshop, podman: Podman) -> None:
    worker = yard.worker("first", drain_grace=0)
    run_id = yard.start(shell("one", "test -e /penstock/work/x || echo begun; sleep ${LONG:-600}", **contained()))
    yard.until(worker, shows(yard, run_id, "begun"))

    worker.drain()
    worker.run()

    assert containers(podman) == {}
    assert [attempt.outcome for attempt in yard.attempts(run_id)] in ([], [None])
    verbs.kill(yard.core, run_id, "me")


def test_of_a_later_attempt_an_earlier_one_keeps_off(yard: Workshop, podman: Podman) -> None:
    worker, run_id = yard.worker(), yard.start(shell("one", "echo begun; sleep 600", **contained()))
    yard.until(worker, shows(yard, run_id, "begun"))
    (name,) = containers(podman)
    body, _, fence = name.rpartition("-")
    later = f"{body}-{int(fence) + 1}"

    podman.ask("rename", name, later)
    verbs.kill(yard.core, run_id, "me", force=True)
    yard.finish(run_id)
    left = containers(podman)
    podman.ask("rm", "--force", "--time", "0", later)

    assert list(left) == [later]
    assert left[later].startswith("Up")


def stand_in() -> int:
    """The process that stands for a container: the one child of the process that speaks with engines."""
    (zygote,) = [pid for pid in children(os.getpid()) if DRIVER in Path(f"/proc/{pid}/cmdline").read_text()]
    (pid,) = children(zygote)
    return pid


def children(pid: int) -> list[int]:
    """The processes that a process has begun."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]
