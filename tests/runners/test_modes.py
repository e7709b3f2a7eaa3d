"""Does each way of running people's code behave as its own interpreter or shell would?"""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from penstock.errors.work import NoInterpreter
from penstock.runners.process import zygote
from tests.runners.attempts import Bench

SCRIPT = """import sys
print("to out")
print("to err", file=sys.stderr)
def inner():
    raise ValueError("no good")
inner()
"""


def test_python_source_runs_as_main_with_its_streams_apart(bench: Bench) -> None:
    source = "import sys\nprint(__name__, sys.argv, sys.path[0])\nprint('warned', file=sys.stderr)"

    seen = bench.run("python", source=source, argv=["one"])

    assert seen.out.decode() == f"__main__ ['task.py', 'one'] {bench.folder}\n"
    assert seen.err == b"warned\n"
    assert seen.exit is not None
    assert seen.exit.code == 0


def test_an_uncaught_exception_shows_the_lines_of_the_source_and_none_of_ours(bench: Bench) -> None:
    seen = bench.run("python", source=SCRIPT)

    assert seen.out == b"to out\n"
    assert b'File "task.py", line 5, in inner\n    raise ValueError("no good")' in seen.err
    assert b"zygote" not in seen.err
    assert seen.exit is not None
    assert seen.exit.code == 1
    assert seen.frames[0]["failure"] == {"kind": "exit", "message": "ValueError: no good"}


def test_a_syntax_error_is_shown_as_python_shows_it(bench: Bench) -> None:
    seen = bench.run("python", source="x = = 1\n")

    assert b"SyntaxError: invalid syntax" in seen.err
    assert b"zygote" not in seen.err
    assert seen.exit is not None
    assert seen.exit.code == 1


def test_sys_exit_and_exit_handlers_and_threads_end_as_in_an_interpreter(bench: Bench) -> None:
    source = """
import atexit, sys, threading, time
atexit.register(print, "handler")
threading.Thread(target=lambda: (time.sleep(0.02), print("thread"))).start()
sys.exit(7)
"""

    seen = bench.run("python", source=source)

    assert seen.out == b"thread\nhandler\n"
    assert seen.exit is not None
    assert seen.exit.code == 7


def test_a_program_gets_its_arguments_and_its_exit_code_is_told(bench: Bench) -> None:
    seen = bench.run("exec", argv=["/bin/sh", "-c", "echo $0 $1; exit 3", "a", "b c"])

    assert seen.out == b"a b c\n"
    assert seen.exit is not None
    assert seen.exit.code == 3


def test_programs_of_two_pythons_are_begun_by_one_process_and_source_by_one_of_its_own_python(bench: Bench) -> None:
    other = sys.base_prefix + "/bin/python3"
    tell = ["/bin/sh", "-c", "echo $PPID"]

    first = bench.run("exec", argv=tell)
    second = bench.run("exec", argv=tell, interpreter=other, preimports=("json",))
    source = bench.run("python", source="import os\nprint(os.getppid())", interpreter=other)

    with pytest.raises(NoInterpreter, match="/no/such/python"):
        bench.run("exec", argv=tell, interpreter="/no/such/python")
    assert first.out == second.out != source.out


def test_a_program_that_is_not_there_is_named(bench: Bench) -> None:
    seen = bench.run("exec", argv=["no-such-program"])

    assert seen.exit is not None
    assert seen.exit.code == 127
    assert seen.frames[0]["failure"] == {
        "kind": "exit",
        "message": '"no-such-program" cannot be started: No such file or directory',
    }


def test_a_function_is_called_with_its_arguments_and_its_mapping_handed_back(bench: Bench) -> None:
    (bench.folder / "steps.py").write_text("def add(a, b):\n    return {'sum': a + b}\n")

    seen = bench.run("function", module="steps", function="add", kwargs={"a": 2, "b": 3})

    assert seen.frames == [{"t": "output", "values": {"sum": 5}}]
    assert seen.exit is not None
    assert seen.exit.code == 0


def test_names_are_defined_before_the_source_begins(bench: Bench) -> None:
    seen = bench.run("python", source="print(true, null)", names={"true": True, "null": None})

    assert seen.out == b"True None\n"


def test_the_environment_is_exactly_what_was_given(bench: Bench) -> None:
    os.environ["PENSTOCK_STORE_PASSWORD"] = "leaked"
    try:
        python = bench.run("python", source="import os\nprint(sorted(os.environ))", env={"A": "1", "PATH": "/bin"})
        program = bench.run("exec", argv=["/usr/bin/env"], env={"A": "1"})
        kernel = bench.run(
            "python", source="print(open('/proc/self/environ').read())", env={"A": "1", "SECRET": "s3cret"}
        )
    finally:
        del os.environ["PENSTOCK_STORE_PASSWORD"]

    assert python.out == b"['A', 'PATH', 'PENSTOCK_TREE']\n"
    assert {line.split(b"=")[0] for line in program.out.split()} == {b"A", b"PENSTOCK_TREE"}
    assert b"leaked" not in kernel.out + program.out
    assert b"s3cret" not in kernel.out


def test_nothing_of_the_zygote_is_open_in_a_child(bench: Bench) -> None:
    source = "import glob, os\nfor n in glob.glob('/proc/self/fd/*'):\n  if os.path.lexists(n): print(os.readlink(n))"

    python = bench.run("python", source=source)
    program = bench.run("exec", argv=["/bin/ls", "/proc/self/fd"])

    assert python.out.count(b"socket:") == 1, "its own channel"
    assert b"memfd" not in python.out
    assert program.out.split() == [b"0", b"1", b"2", b"3"], "3 is the folder that ls reads"


def test_each_child_has_a_session_working_directory_and_umask_of_its_own(bench: Bench) -> None:
    source = "import os\nprint(os.getsid(0) == os.getpid(), os.getcwd(), oct(os.umask(0)))"

    seen = bench.run("python", source=source, umask=0o077)

    assert seen.out.decode() == f"True {bench.folder} 0o77\n"


def test_random_numbers_differ_between_children(bench: Bench) -> None:
    first = bench.run("python", source="import random\nprint(random.random())", preimports=("random",))
    second = bench.run("python", source="import random\nprint(random.random())", preimports=("random",))

    assert first.out != second.out


def test_packages_named_beforehand_are_there_and_a_missing_one_does_no_harm(bench: Bench) -> None:
    source = "import sys\nprint('msgspec' in sys.modules)"

    seen = bench.run("python", source=source, preimports=("msgspec", "no_such_package"))

    assert seen.out == b"True\n"


def test_a_zygote_with_threads_spawns_instead_of_forking(bench: Bench) -> None:
    (bench.folder / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    env = {"PYTHONPATH": str(bench.folder), "PATH": "/bin"}

    seen = bench.run("python", source="import sys\nprint(sys.orig_argv[2])", env=env, preimports=("threaded",))

    assert seen.out == b"--child\n"
    assert seen.exit is not None
    assert seen.exit.code == 0


def test_a_working_directory_that_is_gone_is_told(bench: Bench) -> None:
    seen = bench.run("exec", argv=["/bin/true"], cwd=str(bench.folder / "gone"))

    assert seen.exit is not None
    assert seen.exit.code == 1
    assert "cannot begin" in str(seen.frames[0]["failure"])


def test_a_python_without_penstock_is_enough(bench: Bench) -> None:
    python = sys.base_prefix + "/bin/python3"

    seen = bench.run("python", source="import sys\nprint('penstock' in sys.modules)", interpreter=python)

    assert seen.out == b"False\n"


def test_the_zygote_is_one_file_that_an_old_python_can_read() -> None:
    text = Path(zygote.__file__).read_text()

    tree = ast.parse(text, feature_version=(3, 8))

    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names)
