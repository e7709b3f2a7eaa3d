"""How did an attempt end? From exit, signal, what it told and what we did to it: an outcome, a failure for people."""

from __future__ import annotations

import enum
import re
import signal
from typing import Final

import msgspec

from penstock.errors.work import LeaseLost
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import Outcome
from penstock.runners.process.launcher import Exit

# What programs print when memory is refused to them; believed only where a limit was set.
OUT_OF_MEMORY: Final = re.compile(
    rb"MemoryError|Cannot allocate memory|std::bad_alloc|OutOfMemory|out of memory|memory exhausted", re.IGNORECASE
)
NOT_FOUND: Final = 127
KILLED_IN_A_SHELL: Final = 128 + signal.SIGKILL
NAMES: Final = {
    signal.SIGSEGV: "a memory fault",
    signal.SIGABRT: "it aborted itself",
    signal.SIGBUS: "a memory fault",
    signal.SIGFPE: "a division by zero, say",
    signal.SIGILL: "an instruction this processor lacks",
    signal.SIGPIPE: "its reader was gone",
    signal.SIGXFSZ: "its limit of file size",
}
# A line of standard error that is longer explains nothing to who reads it in a table.
LONGEST_LINE: Final = 300


class Stop(enum.StrEnum):
    """Why we ended an attempt ourselves."""

    NOT = ""
    KILL = "kill"
    TIMEOUT = "timeout"
    DRAIN = "drain"
    LEASE = "lease"


class Told(msgspec.Struct, frozen=True):
    """The outcome that a process told on its channel; `wait` is in how many seconds a snoozed one looks again."""

    outcome: Outcome
    outputs: dict[str, object] = {}
    failure: Failure | None = None
    message: str = ""
    wait: float | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an end besides the exit; `must_tell`: the process was to tell its outcome itself; `not_found`
    explains the exit code of a shell that has not found a program.
    """

    stop: Stop = Stop.NOT
    timeout: int | None = None
    told: Told | None = None
    must_tell: bool = False
    memory_limit: int | None = None
    oom_killed: bool = False
    last_words: bytes = b""
    not_found: str = ""
    snoozed: bool = False
    warned: bool = False


class End(msgspec.Struct, frozen=True):
    """An attempt's outcome, with the failure or the sentence that explains it."""

    outcome: Outcome
    failure: Failure | None = None
    message: str = ""


def judge(ended: Exit, evidence: Evidence) -> End:
    """Say how an attempt ended."""
    if ended.trouble:
        if ended.begun:
            return End(Outcome.LOST, Failure(ErrorKind.LOST, ended.trouble))
        return End(Outcome.FAILED, Failure(ErrorKind.SYSTEM, ended.trouble))
    if evidence.stop is Stop.KILL:
        return End(Outcome.KILLED, _failure(ErrorKind.SIGNAL, "It was killed on request.", ended))
    if evidence.stop is Stop.TIMEOUT:
        limit = _span(evidence.timeout or 0)
        return End(Outcome.FAILED, _failure(ErrorKind.TIMEOUT, f"It ran longer than its timeout of {limit}.", ended))
    if evidence.stop is Stop.LEASE:
        sentence = "The worker could not confirm its lease, so it ended the attempt."
        return End(Outcome.LOST, Failure(ErrorKind.LOST, sentence, None, LeaseLost.code))
    if ended.signal is not None:
        return End(Outcome.FAILED, _by_signal(ended, ended.signal, evidence))
    if ended.code:
        return End(Outcome.FAILED, _by_code(ended, ended.code, evidence))
    if evidence.told is not None:
        return End(evidence.told.outcome, evidence.told.failure, evidence.told.message)
    if evidence.must_tell:
        return End(Outcome.FAILED, Failure(ErrorKind.SYSTEM, "Its process ended without saying how the task went.", 0))
    if evidence.snoozed:
        return End(Outcome.SNOOZED, None, "What it waits for is not there yet.")
    if evidence.warned:
        return End(Outcome.WARNING, None, "It wrote to its standard error.")
    return End(Outcome.DONE)


def _by_signal(ended: Exit, number: int, evidence: Evidence) -> Failure:
    if number == signal.SIGXCPU:
        sentence = f"It used up its limit of CPU time ({ended.cpu_seconds:.1f} s): ended by SIGXCPU."
        return _failure(ErrorKind.SIGNAL, sentence, ended)
    if _starved(ended, evidence, killed=number == signal.SIGKILL):
        return _failure(ErrorKind.MEMORY, _memory_sentence(ended, evidence), ended)
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    why = NAMES.get(signal.Signals(number)) if number in set(signal.Signals) else None
    return _failure(ErrorKind.SIGNAL, f"It was ended by {name}{f' ({why})' if why else ''}.", ended)


def _by_code(ended: Exit, code: int, evidence: Evidence) -> Failure:
    told = evidence.told.failure if evidence.told else None
    if told is not None and told.kind is ErrorKind.MEMORY:
        return _failure(ErrorKind.MEMORY, _memory_sentence(ended, evidence), ended)
    if told is not None and told.kind is not ErrorKind.EXIT:
        return msgspec.structs.replace(told, exit_code=code if told.exit_code is None else told.exit_code)
    if _starved(ended, evidence, killed=code == KILLED_IN_A_SHELL):
        return _failure(ErrorKind.MEMORY, _memory_sentence(ended, evidence), ended)
    if code == NOT_FOUND and evidence.not_found:
        return Failure(ErrorKind.EXIT, f"Command failed with exit code {code}: {evidence.not_found}", code)
    if told is not None:
        return Failure(ErrorKind.EXIT, f"Command failed with exit code {code}: {told.message}", code)
    said = _last_line(evidence.last_words)
    return Failure(ErrorKind.EXIT, f"Command failed with exit code {code}{f': {said}' if said else ''}", code)


def _last_line(words: bytes) -> str:
    """What it wrote last to its standard error; nothing where that is no short sentence, since a part may mislead."""
    lines = words.decode(errors="replace").rstrip().splitlines()
    line = lines[-1].strip() if lines else ""
    return line if len(line) <= LONGEST_LINE and line.isprintable() else ""


def _starved(ended: Exit, evidence: Evidence, *, killed: bool) -> bool:
    """Whether memory was what it lacked: the kernel killed for it, or it said so under a limit."""
    if killed and evidence.oom_killed:
        return True
    return evidence.memory_limit is not None and OUT_OF_MEMORY.search(evidence.last_words) is not None


def _memory_sentence(ended: Exit, evidence: Evidence) -> str:
    if evidence.memory_limit is None:
        peak = f"at its peak it used {ended.peak_bytes / 1_000_000:.0f} MB"
        return f"It ran out of memory: the system refused it, or killed it for that; {peak}."
    return f"It ran out of memory: its limit is {evidence.memory_limit / 1_000_000:.0f} MB."


def _failure(kind: ErrorKind, sentence: str, ended: Exit) -> Failure:
    code = ended.code if ended.signal is None else 128 + ended.signal
    return Failure(kind, sentence, code)


def _span(micros: int) -> str:
    seconds = micros / 1e6
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"
