"""What of Kestra's language is read, and what is not? Every word and type of it with what becomes of it here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from penstock.dialects.kestra import INSTALLED, expand, polled, read_several
from penstock.dialects.kestra import conditions as condition_types
from penstock.dialects.kestra import inputs as input_types
from penstock.dialects.kestra import suites as tests
from penstock.dialects.kestra import triggers as trigger_types
from penstock.dialects.kestra.names import SHORT, WHY
from penstock.dialects.kestra.nodes import ALWAYS
from penstock.dialects.kestra.read import READ, SERVER_SIDE
from penstock.plugins.scripts.container import Runner, TaskRunner
from penstock.plugins.scripts.options import NamespaceFiles
from penstock.plugins.scripts.python import PythonScript
from penstock.sdk.registry import field_names
from tools.accounts import Account, cell

LISTED = Path(__file__).parent / "constructs.yml"
TESTS = (*tests.SUITE, *tests.CASE, *(f"fixtures.{name}" for name in tests.FIXTURES), *tests.ABOUT, *tests.OPERATORS)
WORDS = frozenset((*READ, *SERVER_SIDE, *ALWAYS, *input_types.EXTRA, *input_types.RENAMED, *TESTS, *tests.OLD))
# What the words of a section are properties of.
PARTS = {
    "python.script": field_names(PythonScript),
    "namespaceFiles": field_names(NamespaceFiles),
    "taskRunner": field_names(TaskRunner),
}
INCLUDED = {"tasks.yml": "- {id: a, type: log, message: m}\n- {id: b, type: log, message: m}\n"}
WORKS, IS_READ, MISSING = "works", "read and checked", "not there yet"


def constructs() -> Account:
    """Every construct by its section, with its status."""
    return Account(
        "Kestra's language, word by word",
        "What becomes of each word and type. [What differs](../migrate-from-kestra.md) stands apart.",
        [f"## {section}\n\n| | |\n|---|---|\n{''.join(rows(about))}" for section, about in listed().items()],
    )


def listed() -> dict[str, dict[str, object]]:
    """The sections, as they are written down."""
    found: dict[str, dict[str, object]] = yaml.safe_load(LISTED.read_text(encoding="utf-8"))
    return found


def rows(about: dict[str, object]) -> Iterator[str]:
    """The rows of one section."""
    for name, status in statuses(about):
        yield f"| `{name}` | {cell(status)} |\n"


def statuses(about: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Name and status of each construct of a section."""
    package = f"{about['package']}." if "package" in about else ""
    for kind in ("words", "types", "read"):
        for name in names(about, kind):
            yield package + name, status(package + name, kind)
    for name in texts(about):
        yield name, WORKS if is_whole(texts(about)[name]) else MISSING
    for name in names(about, "properties"):
        yield name, WORKS if name in PARTS[str(about["of"])] else MISSING
    for name in names(about, "runners"):
        yield name, WORKS if name in tuple(Runner) else MISSING
    refused = about.get("refused", {})
    assert isinstance(refused, dict)
    for name, why in refused.items():
        yield package + str(name), f"refused: {why}"


def names(about: dict[str, object], kind: str) -> list[str]:
    """The names of one kind in a section."""
    found = about.get(kind, [])
    assert isinstance(found, list)
    return [str(name) for name in found]


def texts(about: dict[str, object]) -> dict[str, str]:
    """Ways of writing a file, each with a text that is written so; what one includes is `INCLUDED`."""
    found = about.get("texts", {})
    assert isinstance(found, dict)
    return {str(name): str(text) for name, text in found.items()}


def is_whole(text: str) -> bool:
    """Is all of a file read, without a problem that keeps a flow from running?"""
    whole = expand(text, "flow.yml", INCLUDED.__getitem__, "0.20")
    return all(each.flow is not None for each in read_several(whole.text, types=INSTALLED))


def status(name: str, kind: str) -> str:
    """What becomes of a construct that is not refused."""
    match kind:
        case "words":
            return WORKS if name in WORDS else MISSING
        case "types":
            short = SHORT.get(name, "")
            return WORKS if (short and short not in WHY) or INSTALLED.find(name) is not None else MISSING
        case _:
            return of_trigger(name)


def of_trigger(name: str) -> str:
    """What becomes of a trigger, or of a condition of one."""
    condition = condition_types.short(name)
    known = condition in condition_types.READERS or condition == condition_types.MULTIPLE
    if known or trigger_types.short(name):
        return WORKS
    kind = name.removesuffix("Trigger") if polled.runs_script(name) else name
    info = INSTALLED.find(kind)
    if info is not None and (info.fires or kind != name):
        return WORKS
    return IS_READ if name.endswith("Trigger") else MISSING
