"""Which flows are both engines asked to run? Topics of cases: a sentence, a flow, what it is given.

A topic is `tests/dialects/kestra/SECTION/NAME.yml`, a list of cases; what the real engine did stands in NAME.json
beside it. A case with `rows` is as many cases as it has rows: `<<name>>` in its texts stands for a row's value.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "dialects" / "kestra"
DIFFERENCES = FOLDER / "differences.yml"
# Which engine settles a version of the language.
ENGINES = {"1": "1.3.31", "2": "2.0.0"}
_CORE = "io.kestra.plugin.core."
# Words that stand for a whole task, so that a case shows what it is about.
_TASKS = {
    "ok": f'{{id: %s, type: {_CORE}debug.Return, format: "%s"}}',
    "bad": f"{{id: %s, type: {_CORE}execution.Fail, errorMessage: it fails}}",
    "warn": f"{{id: %s, type: {_CORE}execution.Fail, allowFailure: true}}",
    "slow": f"{{id: %s, type: {_CORE}flow.Sleep, duration: PT0.5S}}",
}
_SHORT = re.compile(rf"\{{({'|'.join(_TASKS)}) ([\w<>-]+)\}}")
_SAYS = re.compile(r"\{say ([\w<>-]+) (\"[^\"]*\"|'[^']*')\}")
_TYPE = re.compile(r"\btype: core\.")


class Case(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One flow to run. `others` are flows stored before it, `files` texts of FILE inputs; `versions` are those of the
    language that it is about. `everywhere` has it run on PostgreSQL, too; `until` may be `paused`.
    """

    case: str
    flow: str = ""
    others: list[str] = []
    inputs: dict[str, Any] = {}
    files: dict[str, str] = {}
    versions: tuple[str, ...] = ("1", "2")
    until: str = "ended"
    unchecked: bool = False
    everywhere: bool = False

    @property
    def id(self) -> str:
        """The id that its flow gets, the same in every place."""
        return f"c{zlib.crc32(self.case.encode()):08x}"

    @property
    def request(self) -> dict[str, Any]:
        """What the engine is asked."""
        asked = {"do": "run", "flow": self.flow, "with": self.others, "inputs": self.inputs, "files": self.files}
        return {**asked, "until": self.until, "timeout": 20, "unchecked": self.unchecked}


class Topic(msgspec.Struct, frozen=True):
    """Cases about one thing, and what the engine of each version did with them."""

    name: str
    cases: list[Case]
    answers: dict[str, dict[str, Any]]


class Difference(msgspec.Struct, frozen=True):
    """Cases that we answer otherwise on purpose; the reason is a row of docs/en/migrate-from-kestra.md."""

    reason: str
    cases: dict[str, list[str]]


def topics(names: Iterable[str] = ()) -> list[Topic]:
    """Read the topics, all of them or those named."""
    wanted = set(names)
    found = []
    for path in sorted(FOLDER.glob("*/*.yml")):
        name = f"{path.parent.name}/{path.stem}"
        if not wanted or name in wanted or path.parent.name in wanted:
            answers = path.with_suffix(".json")
            said = json.loads(answers.read_text(encoding="utf-8")) if answers.exists() else {}
            found.append(Topic(name, read_cases(path.read_text(encoding="utf-8")), said))
    return found


def read_cases(text: str) -> list[Case]:
    """Read one topic's cases, with one for each of its rows."""
    made = []
    for written in yaml.safe_load(text):
        rows = written.pop("rows", [{}])
        made += [_case(_filled(written, row)) for row in rows]
    return made


def keep(topic: Topic, version: str, answers: Mapping[str, Any]) -> None:
    """Write what an engine did beside its topic, one case a line, so that a change can be read."""
    said: dict[str, Any] = {**topic.answers, version: answers}
    pages = []
    for one in sorted(said):
        told = (f"    {_told(name)}: {_told(said[one][name])}" for name in said[one])
        pages.append(f'  "{one}": {{\n' + ",\n".join(told) + "\n  }")
    path = FOLDER / f"{topic.name}.json"
    path.write_text("{\n" + ",\n".join(pages) + "\n}\n", encoding="utf-8")


def differences() -> list[Difference]:
    """What we do otherwise on purpose."""
    return msgspec.convert(yaml.safe_load(DIFFERENCES.read_text(encoding="utf-8")) or [], list[Difference])


def allowed() -> set[tuple[str, str]]:
    """The cases, with their topics, that have a reason to differ."""
    return {(topic, case) for one in differences() for topic, cases in one.cases.items() for case in cases}


def _case(written: dict[str, Any]) -> Case:
    case = msgspec.convert(written, Case)
    head = f"id: {case.id}\nnamespace: oracle.{case.id}\n"
    flow = head + _spelled(case.flow, case.id)
    others = [_spelled(other, case.id) for other in case.others]
    return msgspec.structs.replace(case, flow=flow, others=others)


def _spelled(text: str, flow: str) -> str:
    text = _SHORT.sub(lambda found: _task(found[1], found[2]), text.replace("<<id>>", flow))
    text = _SAYS.sub(lambda found: f"{{id: {found[1]}, type: {_CORE}debug.Return, format: {found[2]}}}", text)
    return _TYPE.sub(f"type: {_CORE}", text)


def _task(word: str, name: str) -> str:
    pattern = _TASKS[word]
    return pattern % ((name,) * pattern.count("%s"))


def _filled(written: Any, row: Mapping[str, Any]) -> Any:
    match written:
        case str() if written.startswith("<<") and written[2:-2] in row:
            return row[written[2:-2]]
        case str():
            for name, value in row.items():
                written = written.replace(f"<<{name}>>", value if isinstance(value, str) else json.dumps(value))
            return written
        case dict():
            return {key: _filled(value, row) for key, value in written.items()}
        case list():
            return [_filled(value, row) for value in written]
        case _:
            return written


def _told(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
