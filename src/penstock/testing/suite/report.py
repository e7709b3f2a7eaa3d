"""How are results of tests told? Lines for people, with the place and the difference; JUnit's XML for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree

from penstock.testing.suite.cases import CaseResult, State
from penstock.testing.suite.coverage import Coverage
from penstock.testing.suite.judge import Verdict, difference

SIGNS: Final = {State.PASSED: "✓", State.FAILED: "✗", State.ERROR: "!", State.SKIPPED: "-"}
MOST_LINES: Final = 40


def line_of(result: CaseResult) -> str:
    """One result in a line."""
    took = "" if result.state is State.SKIPPED else f"  {result.seconds:.2f} s"
    word = "  (disabled)" if result.state is State.SKIPPED else ""
    return f"{SIGNS[result.state]} {result.name}{took}{word}"


def details(result: CaseResult) -> list[str]:
    """Why a case did not pass: each assertion with its place and difference, then the run; for a passed one, what is
    odd about it.
    """
    if result.state is State.SKIPPED:
        return []
    if result.state is State.PASSED:
        return _oddities(result)
    lines: list[str] = []
    if result.trouble:
        lines.append(f"{result.file}:{result.line}: {result.trouble}")
    for verdict in result.verdicts:
        if not verdict.ok:
            lines += _verdict(verdict)
    passed = sum(verdict.ok for verdict in result.verdicts)
    if passed:
        lines.append(f"({passed} of {len(result.verdicts)} assertions held)")
    if result.ran is not None:
        told = str(result.ran).splitlines()
        lines += told[:MOST_LINES]
        if len(told) > MOST_LINES:
            lines.append(f"… and {len(told) - MOST_LINES} more lines")
    return lines


def _verdict(verdict: Verdict) -> list[str]:
    about = f"{verdict.description}: " if verdict.description else ""
    lines = [f"{verdict.place}: {about}{verdict.sentence}"]
    if verdict.message and verdict.trouble:
        lines.append(f"    {verdict.value}: {verdict.trouble}")
    elif verdict.message:
        lines.append(f"    {verdict.value}  {verdict.operator}")
    return lines + [f"    {line}" for line in difference(verdict)]


def _oddities(result: CaseResult) -> list[str]:
    ran = result.ran
    if ran is None or ran.status not in ("failed", "killed"):
        return []
    asked = any("state" in verdict.value for verdict in result.verdicts)
    failed = [step for step in ran.document.steps if step.status == "failed" and step.error]
    why = f": {failed[0].key}: {failed[0].error.message}" if failed and failed[0].error else ""
    return [] if asked else [f"its run ended as {ran.status}, which no assertion is about{why}"]


def summary(results: Sequence[CaseResult], seconds: float) -> str:
    """How many there were of each, in a line."""
    parts = [f"{count} {state}" for state in State if (count := sum(each.state is state for each in results))]
    asserted = sum(len(each.verdicts) for each in results)
    return f"{', '.join(parts) or 'no tests'}; {asserted} assertions in {seconds:.2f} s."


def coverage_lines(found: Iterable[Coverage]) -> list[str]:
    """What the tests of each flow have reached, and what they have not."""
    lines: list[str] = []
    for each in found:
        tasks, branches = len(each.tasks), len(each.branches)
        told = f"{tasks - len(each.missed_tasks)} of {tasks} tasks"
        if branches:
            told += f", {branches - len(each.missed_branches)} of {branches} branches"
        lines.append(f"{each.flow}: {told} ({each.share:.0%})")
        for word, names in (
            ("never reached", each.missed_tasks),
            ("branches never taken", each.missed_branches),
            ("only ever replaced by a fixture", each.stood_in),
        ):
            if names:
                lines.append(f"  {word}: {', '.join(names)}")
    return lines


def junit(results: Iterable[CaseResult]) -> bytes:
    """Results as the XML that continuous-integration servers read."""
    root = ElementTree.Element("testsuites")
    suites: dict[str, list[CaseResult]] = {}
    for result in results:
        suites.setdefault(result.suite, []).append(result)
    for name, cases in suites.items():
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(cases)),
            failures=str(sum(each.state is State.FAILED for each in cases)),
            errors=str(sum(each.state is State.ERROR for each in cases)),
            skipped=str(sum(each.state is State.SKIPPED for each in cases)),
            time=f"{sum(each.seconds for each in cases):.3f}",
        )
        for each in cases:
            _junit_case(suite, each)
    ElementTree.indent(root)
    whole: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return whole + b"\n"


def _junit_case(suite: ElementTree.Element, result: CaseResult) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=result.case,
        classname=result.flow,
        file=result.file,
        line=str(result.line),
        time=f"{result.seconds:.3f}",
    )
    if result.state is State.SKIPPED:
        ElementTree.SubElement(case, "skipped")
    elif result.state is not State.PASSED:
        kind = "failure" if result.state is State.FAILED else "error"
        first = next((verdict.sentence for verdict in result.verdicts if not verdict.ok), result.trouble)
        told = ElementTree.SubElement(case, kind, message=_clean(first))
        told.text = _clean("\n".join(details(result)))


def _clean(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(each if each in "\n\t" or each.isprintable() else "�" for each in text)
