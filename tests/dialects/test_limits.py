"""Is a hostile text refused quickly, in one sentence? Size, depth, bombs, and more problems than anybody reads."""

from __future__ import annotations

import time

import pytest

from penstock.dialects.kestra import INSTALLED, Reading, read

HEAD = "id: a\nnamespace: co\n"
TASKS = "tasks:\n  - {id: x, type: log, message: hello}\n"


def codes(found: Reading) -> list[str]:
    """The codes of a reading's problems."""
    return [problem.code for problem in found.problems]


def large_flow(turn: int) -> str:
    """200 tasks with 600 expressions, other ones for each turn, so that nothing is remembered from the last."""
    tasks = "".join(
        f"  - id: t{number}\n    type: io.kestra.plugin.core.debug.Return\n    description: One of many\n"
        f'    format: "{{{{ outputs.t{max(0, number - 1)}.value ?? {turn} }}}}'
        f" {{{{ inputs.day | date('yyyy-{number}-{turn}') }}}} {{{{ vars.v ~ {number}{turn} }}}}\"\n"
        for number in range(200)
    )
    return f"{HEAD}inputs:\n  - {{id: day, type: DATE}}\nvariables: {{v: 1}}\ntasks:\n{tasks}"


def test_a_text_of_ten_megabytes_is_refused_before_it_is_parsed() -> None:
    text = HEAD + "# " + "x" * (10 * 1024 * 1024) + "\n" + TASKS

    found = read(text, types=INSTALLED)

    assert codes(found) == ["PS-203"]
    assert found.flow is None


def test_a_long_script_below_the_limit_is_read() -> None:
    script = "\n".join(f"      print({number})" for number in range(50_000))
    text = f"{HEAD}tasks:\n  - id: x\n    type: python.script\n    script: |\n{script}\n"

    found = read(text, types=INSTALLED)

    assert codes(found) == []


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? ", "!!map {a: "])
def test_endless_nesting_is_refused(unit: str) -> None:
    text = HEAD + "variables:\n  " + unit * 1_000_000

    found = read(text, types=INSTALLED)

    assert codes(found)[0] in ("PS-201", "PS-203")


def test_more_parts_than_a_flow_may_have_are_refused() -> None:
    text = HEAD + "variables:\n  many: [" + "x, " * 250_000 + "]\n" + TASKS

    found = read(text, types=INSTALLED)

    assert codes(found) == ["PS-203"]


def test_aliases_that_multiply_are_refused_within_a_second() -> None:
    lines = ["  s0: &s0 [x, x]"] + [f"  s{n}: &s{n} [*s{n - 1}, *s{n - 1}]" for n in range(1, 90)]
    begin = time.monotonic()

    found = read(HEAD + "variables:\n" + "\n".join(lines) + "\n" + TASKS, types=INSTALLED)

    assert codes(found) == ["PS-203"]
    assert time.monotonic() - begin < 1


def test_large_defaults_times_many_tasks_are_refused() -> None:
    default = f"pluginDefaults:\n  - {{type: shell, values: {{beforeCommands: [{'a, ' * 50_000}]}}}}\n"
    tasks = "".join(f"  - {{id: x{number}, type: shell.commands, commands: [ls]}}\n" for number in range(10_000))

    found = read(f"{HEAD}{default}tasks:\n{tasks}", types=INSTALLED)

    assert codes(found) == ["PS-203"]


def test_after_some_hundred_problems_reading_ends() -> None:
    tasks = "".join(f"  - {{id: x{number}, type: log, message: m, unknown{number}: 1}}\n" for number in range(2_000))

    found = read(f"{HEAD}tasks:\n{tasks}", types=INSTALLED)

    assert codes(found).count("PS-210") == 500
    assert "PS-203" in codes(found)


def test_thousands_of_repeated_keys_end_the_reading_too() -> None:
    found = read(HEAD + "description: x\n" * 5_000 + TASKS, types=INSTALLED)

    assert set(codes(found)) == {"PS-205"}
    assert len(found.problems) < 500


def test_half_a_character_is_told_and_not_raised() -> None:
    found = read(HEAD + "description: \ud800\n" + TASKS, types=INSTALLED)

    assert codes(found) == ["PS-201"]
    assert found.problems[0].place is not None
    assert (found.problems[0].place.line, found.problems[0].place.column) == (3, 14)


def test_a_whole_flow_with_six_hundred_expressions_is_read_fast() -> None:
    read(HEAD + TASKS, types=INSTALLED)
    times = []

    for turn in range(3):
        text = large_flow(turn)
        # Processor time: what the machine does besides is not the reader's.
        begin = time.process_time()
        found = read(text, types=INSTALLED)
        times.append(time.process_time() - begin)
        assert codes(found) == []

    assert text.count("{{") == 600
    assert min(times) < 0.06
