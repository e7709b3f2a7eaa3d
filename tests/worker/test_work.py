"""Does a worker do a flow's tasks, and hand on what they print, make and ask for?"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from penstock.model.node import Task
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind
from penstock.model.status import Outcome, RunStatus, StepStatus
from penstock.services.core import Knobs
from penstock.store.chunks import Stream
from tests.worker.workshop import Workshop, python, shell


def test_tasks_are_done_one_after_the_other_in_processes_of_their_own(workshop: Workshop) -> None:
    run_id = workshop.run(shell("first", "echo one"), python("second", "print('two')"))

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert workshop.log(run_id, "first") == "one\n"
    assert workshop.log(run_id, "second") == "two\n"
    assert [attempt.worker for attempt in workshop.attempts(run_id)] == ["one", "one"]
    assert workshop.statuses(run_id) == {"first": StepStatus.SUCCESS, "second": StepStatus.SUCCESS}


def test_the_streams_are_kept_apart_and_counted(workshop: Workshop) -> None:
    run_id = workshop.run(shell("talk", "echo out; echo err >&2; echo out"))

    assert workshop.log(run_id, stream=Stream.OUT) == "out\nout\n"
    assert workshop.log(run_id, stream=Stream.ERR) == "err\n"
    made = workshop.outputs(run_id)["talk"]
    assert (made["stdOutLineCount"], made["stdErrLineCount"], made["exitCode"]) == (2, 1, 0)


def test_what_a_script_prints_between_colons_becomes_outputs_numbers_and_log(workshop: Workshop) -> None:
    script = """
print('::{"outputs": {"rows": 3, "name": "x"}}::')
print('::{"metrics": [{"name": "rows", "type": "counter", "value": 3, "tags": {"table": "t"}}]}::')
print('::{"logs": [{"level": "WARN", "message": "careful"}]}::')
"""

    run_id = workshop.run(python("talk", script), python("use", "print({{ outputs.talk.vars.rows }} + 1)"))

    assert workshop.outputs(run_id)["talk"]["vars"] == {"rows": 3, "name": "x"}
    assert workshop.log(run_id, "use") == "4\n"
    assert [(number.name, number.value, number.tags) for number in workshop.metrics(run_id)] == [
        ("rows", 3.0, {"table": "t"})
    ]
    assert workshop.log(run_id, "talk") == "careful\n"


def test_an_exit_code_fails_the_step_and_keeps_what_was_handed_on_before(workshop: Workshop) -> None:
    run_id = workshop.run(shell("bad", """echo '::{"outputs": {"got": 1}}::'""", "exit 7"))

    attempt = workshop.attempts(run_id)[0]
    assert workshop.of(run_id).status is RunStatus.FAILED
    assert attempt.outcome is Outcome.FAILED
    assert attempt.failure is not None
    assert (attempt.failure.kind, attempt.failure.exit_code) == (ErrorKind.EXIT, 7)
    assert workshop.outputs(run_id)["bad"]["vars"] == {"got": 1}


def test_death_by_signal_is_told_by_name(workshop: Workshop) -> None:
    run_id = workshop.run(python("dies", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"))

    failure = workshop.attempts(run_id)[0].failure
    assert failure is not None
    assert failure.kind is ErrorKind.SIGNAL
    assert "SIGSEGV" in failure.message
    assert failure.exit_code == 128 + signal.SIGSEGV


def test_memory_over_the_limit_is_told_as_memory(workshop: Workshop) -> None:
    hungry = "x = []\nwhile True: x.append(bytearray(10_000_000))"

    run_id = workshop.run(
        python("hungry", hungry, resources={"memory": "300MB"}),
    )
    in_a_shell = workshop.run(
        shell("hungry", "python -c 'x = bytearray(900_000_000)'", resources={"memory": "300MB"}),
    )

    for ended in (run_id, in_a_shell):
        failure = workshop.attempts(ended)[0].failure
        assert failure is not None
        assert failure.kind is ErrorKind.MEMORY


def test_a_timeout_ends_the_whole_tree_and_is_told_as_a_timeout(workshop: Workshop, tmp_path: Path) -> None:
    task = shell("slow", f"sleep 600 & echo $! > {tmp_path}/pid; wait")
    slow = Task(id="slow", type=task.type, properties=task.properties, timeout="PT0.5S")

    run_id = workshop.run(slow)

    failure = workshop.attempts(run_id)[0].failure
    assert failure is not None
    assert failure.kind is ErrorKind.TIMEOUT
    assert "0.5 s" in failure.message
    assert gone(int((tmp_path / "pid").read_text()))


def test_who_does_not_heed_a_request_is_killed_after_the_grace(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, Knobs(environ=dict(os.environ), grace=SECOND // 4))
    script = f"echo $$ > {tmp_path}/pid; trap '' TERM; while :; do sleep 0.1; done"
    task = shell("deaf", script)

    run_id = workshop.run(Task(id="deaf", type=task.type, properties=task.properties, timeout="PT0.3S"))
    workshop.close()

    assert gone(int((tmp_path / "pid").read_text()))
    assert run_id


def test_files_go_in_and_come_out(workshop: Workshop) -> None:
    make = shell("make", "mkdir out; cat in.txt > out/copy.txt", inputFiles={"in.txt": "hello"}, outputFiles=["out/*"])
    use = shell("use", "cat {{ outputs.make.outputFiles['out/copy.txt'] }}")

    run_id = workshop.run(make, use)

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert workshop.outputs(run_id)["make"]["outputFiles"]["out/copy.txt"].startswith("penstock:///runs/")
    assert workshop.log(run_id, "use") == "hello"


def test_an_output_file_that_was_not_made_fails_the_step(workshop: Workshop) -> None:
    run_id = workshop.run(shell("make", "true", outputFiles=["report.html"]))

    failure = workshop.attempts(run_id)[0].failure
    assert failure is not None
    assert failure.message == 'The output file "report.html" was not made.'


def test_nothing_of_the_workers_environment_reaches_a_process(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": "/h", "PENSTOCK_STORE": "postgresql://me:pw@db/x", "AWS_KEY": "k"}
    workshop = Workshop(tmp_path, Knobs(environ=environ))

    run_id = workshop.run(shell("look", "/usr/bin/env", env={"GIVEN": "yes"}))
    told = dict(line.split("=", 1) for line in workshop.log(run_id).splitlines())
    workshop.close()

    assert told["GIVEN"] == "yes"
    assert told["PENSTOCK_RUN"] == run_id
    assert told["PENSTOCK_IDEMPOTENCY_KEY"].startswith(run_id)
    assert not {"PENSTOCK_STORE", "AWS_KEY"} & told.keys()
    assert str(workshop.state) not in told["PENSTOCK_TREE"]


def test_a_secret_is_stars_in_the_log_and_itself_in_the_process(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, secrets={"KEY": "hunter-2-hunter"})

    run_id = workshop.run(shell("tell", "echo $KEY; test $KEY = hunter-2-hunter", env={"KEY": "{{ secret('KEY') }}"}))
    log, status = workshop.log(run_id), workshop.of(run_id).status
    workshop.close()

    assert log == "********\n"
    assert status is RunStatus.SUCCESS


def test_a_million_bytes_of_log_beyond_the_cap_are_dropped_with_a_word(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, Knobs(environ=dict(os.environ), log_cap=1_000_000))

    run_id = workshop.run(shell("loud", "seq 500000"))
    log, made = workshop.log(run_id), workshop.outputs(run_id)["loud"]
    workshop.close()

    assert len(log) < 1_000_200
    assert log.endswith("The log has come to its cap of 1 MB; the rest is dropped.\n")
    assert made["stdOutLineCount"] == 500_000


def test_a_property_that_cannot_be_rendered_fails_the_step_with_its_place(workshop: Workshop) -> None:
    run_id = workshop.run(shell("bad", "echo {{ outputs.nothing.here }}"))

    failure = workshop.attempts(run_id)[0].failure
    assert failure is not None
    assert failure.kind is ErrorKind.EXPRESSION
    assert "PS-1" in workshop.log(run_id)


def test_a_property_that_does_not_fit_fails_the_step(workshop: Workshop) -> None:
    run_id = workshop.run(Task(id="bad", type="shell.commands", properties={"comands": ["x"]}))

    failure = workshop.attempts(run_id)[0].failure
    assert failure is not None
    assert failure.code == "PS-702"
    assert "commands" in failure.message


def test_inline_tasks_follow_each_other_in_one_claim(workshop: Workshop) -> None:
    tasks = [Task(id=f"t{n}", type="return", properties={"format": f"value {n}"}) for n in range(5)]

    run_id = workshop.run(*tasks)

    assert workshop.of(run_id).status is RunStatus.SUCCESS
    assert workshop.outputs(run_id)["t4"]["value"] == "value 4"


def test_a_task_type_in_its_own_process_may_store_files_and_log(workshop: Workshop) -> None:
    write = Task(id="write", type="files.write", properties={"content": "some text", "extension": ".txt"})

    run_id = workshop.run(write, shell("use", "cat {{ outputs.write.uri }}"))

    assert workshop.of(run_id).status is RunStatus.SUCCESS, workshop.log(run_id)
    assert workshop.log(run_id, "use") == "some text"


def test_kept_values_are_there_for_the_next_task(workshop: Workshop) -> None:
    run_id = workshop.run(
        Task(id="set", type="kv.set", properties={"key": "cursor", "value": "42"}),
        shell("use", "echo {{ kv('cursor') }}"),
    )

    assert workshop.of(run_id).status is RunStatus.SUCCESS, workshop.log(run_id)
    assert workshop.log(run_id, "use") == "42\n"


def test_a_python_function_of_the_project_hands_back_its_mapping(workshop: Workshop) -> None:
    (workshop.folder / "steps.py").write_text("def add(a, b):\n    return {'sum': a + b}\n")

    run_id = workshop.run(
        Task(
            id="add",
            type="python.function",
            properties={"module": "steps", "function": "add", "kwargs": {"a": 1, "b": 2}},
        )
    )

    assert workshop.of(run_id).status is RunStatus.SUCCESS, workshop.log(run_id)
    assert workshop.outputs(run_id)["add"] == {"sum": 3}


def test_no_working_directory_is_left(workshop: Workshop) -> None:
    workshop.run(shell("litter", "mkdir a; echo x > a/b; chmod 000 a"))

    workshop.close()

    assert not list((workshop.state / "work").rglob("b"))


def gone(pid: int) -> bool:
    """Whether a process is no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
