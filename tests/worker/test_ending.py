"""Is an attempt's end told as what it was?"""

from __future__ import annotations

import signal

import pytest

from penstock.model.run import ErrorKind, Failure
from penstock.model.status import Outcome
from penstock.runners.process.launcher import Exit
from penstock.services.worker.ending import Evidence, Stop, Told, judge


@pytest.mark.parametrize(
    ("ended", "evidence", "outcome", "kind", "words"),
    [
        (Exit(code=0), Evidence(), Outcome.DONE, None, ""),
        (Exit(code=0), Evidence(warned=True), Outcome.WARNING, None, ""),
        (Exit(code=3), Evidence(), Outcome.FAILED, ErrorKind.EXIT, "Command failed with exit code 3"),
        (Exit(signal=11), Evidence(), Outcome.FAILED, ErrorKind.SIGNAL, "SIGSEGV"),
        (Exit(signal=9), Evidence(), Outcome.FAILED, ErrorKind.SIGNAL, "SIGKILL"),
        (Exit(signal=40), Evidence(), Outcome.FAILED, ErrorKind.SIGNAL, "40"),
        (Exit(signal=9), Evidence(oom_killed=True), Outcome.FAILED, ErrorKind.MEMORY, "out of memory"),
        (Exit(code=137), Evidence(oom_killed=True), Outcome.FAILED, ErrorKind.MEMORY, "out of memory"),
        (Exit(code=1), Evidence(oom_killed=True), Outcome.FAILED, ErrorKind.EXIT, "exit code 1"),
        (Exit(signal=signal.SIGXCPU), Evidence(), Outcome.FAILED, ErrorKind.SIGNAL, "limit of CPU time"),
        (Exit(signal=15), Evidence(stop=Stop.TIMEOUT, timeout=5_000_000), Outcome.FAILED, ErrorKind.TIMEOUT, "5 s"),
        (Exit(code=0), Evidence(stop=Stop.TIMEOUT, timeout=5_000_000), Outcome.FAILED, ErrorKind.TIMEOUT, "5 s"),
        (Exit(signal=9), Evidence(stop=Stop.KILL), Outcome.KILLED, ErrorKind.SIGNAL, "request"),
        (Exit(signal=9), Evidence(stop=Stop.LEASE), Outcome.LOST, ErrorKind.LOST, "lease"),
        (Exit(trouble="gone"), Evidence(), Outcome.LOST, ErrorKind.LOST, "gone"),
        (Exit(trouble="no", begun=False), Evidence(), Outcome.FAILED, ErrorKind.SYSTEM, "no"),
        (Exit(code=0), Evidence(must_tell=True), Outcome.FAILED, ErrorKind.SYSTEM, "without saying"),
        (
            Exit(code=2),
            Evidence(memory_limit=50_000_000, last_words=b"sh: 1: Cannot allocate memory"),
            Outcome.FAILED,
            ErrorKind.MEMORY,
            "limit is 50 MB",
        ),
        (Exit(code=2), Evidence(last_words=b"Cannot allocate memory"), Outcome.FAILED, ErrorKind.EXIT, "exit code 2"),
    ],
)
def test_an_end_is_told_as_what_it_was(
    ended: Exit, evidence: Evidence, outcome: Outcome, kind: ErrorKind | None, words: str
) -> None:
    end = judge(ended, evidence)

    assert end.outcome is outcome
    assert (end.failure.kind if end.failure else None) is kind
    assert words in (end.failure.message if end.failure else "")


def test_what_the_process_told_of_its_failure_is_kept() -> None:
    told = Told(Outcome.FAILED, {}, Failure(ErrorKind.TASK, "No such table."))

    end = judge(Exit(code=0), Evidence(told=told, must_tell=True))

    assert end.failure == Failure(ErrorKind.TASK, "No such table.")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (b"warming up\nNobody answers at 127.0.0.1:9092.\n\n", ": Nobody answers at 127.0.0.1:9092."),
        (b"x" * 4096, ""),
        (b"\x1b[31mred\x1b[0m\n", ""),
        (b"", ""),
    ],
)
def test_what_a_command_wrote_last_explains_its_exit_code(words: bytes, told: str) -> None:
    end = judge(Exit(code=1), Evidence(last_words=words))

    assert end.failure == Failure(ErrorKind.EXIT, f"Command failed with exit code 1{told}", 1)


def test_the_last_line_of_a_traceback_explains_an_exit_code() -> None:
    told = Told(Outcome.FAILED, {}, Failure(ErrorKind.EXIT, "ValueError: no good"))

    end = judge(Exit(code=1), Evidence(told=told))

    assert end.failure == Failure(ErrorKind.EXIT, "Command failed with exit code 1: ValueError: no good", 1)
