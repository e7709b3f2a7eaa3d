"""How is a flow written in a story? An outline of nodes in a few words of YAML, turned into the model by msgspec."""

from __future__ import annotations

import re

import msgspec

from penstock.model.flow import Flow
from penstock.model.policy import MILLISECOND, SECOND

KINDS = ("sequence", "parallel", "foreach", "if", "switch", "subflow", "dag", "until", "pause", "folder")
LISTS = {"tasks": "nodes", "then": "then", "else": "else_", "default": "default", "errors": "errors"} | {
    "finally": "finally_"
}
DURATIONS = ("interval", "cap", "max_duration", "deadline", "timeout", "delay", "longest", "duration", "window")
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
RANGE = re.compile(r"([a-z]+)(\d+)\.\.([a-z]+)(\d+)")
NEED = re.compile(r"(?:(?P<rule>\w+) of )?(?P<on>.+?)(?: with setups (?P<setups>.+))?")
UNITS = {"ms": MILLISECOND, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}


def flow(written: object) -> Flow:
    """Read a flow: a list of nodes, or a map with `tasks` and what else the flow has."""
    top = dict(written) if isinstance(written, dict) else {"tasks": written}
    body = {"id": ""} | {LISTS[name]: nodes(top.pop(name)) for name in ("tasks", "errors", "finally") if name in top}
    top |= {"limits": [top.pop("limit")]} if "limit" in top else {}
    top |= {"after": nodes(top["after"])} if "after" in top else {}
    top = {"id": "story", "namespace": "tests", "body": body} | {name: measured(name, top[name]) for name in top}
    return msgspec.convert(top, type=Flow)


def nodes(written: object) -> list[dict[str, object]]:
    """Read a list of nodes; `t1..t9` stands for nine of them."""
    assert isinstance(written, list), f"{written!r} is no list of nodes"
    found: list[dict[str, object]] = []
    for each in written:
        ((head, body),) = each.items() if isinstance(each, dict) else [(each, None)]
        found += [node({name: body}) for name in names(str(head))]
    return found


def names(text: str) -> list[str]:
    """Read one name, or all those of a range such as `t1..t9`."""
    found = RANGE.fullmatch(text)
    return [f"{found[1]}{number}" for number in range(int(found[2]), int(found[4]) + 1)] if found else [text]


def node(written: object) -> dict[str, object]:
    """Read one node: `a:` is a task; `parallel p: …` a group with its tasks, or a map of its properties."""
    assert isinstance(written, dict) and len(written) == 1, f"{written!r} is no node"
    ((head, body),) = written.items()
    word, _, name = str(head).rpartition(" ")
    assert word in ("", *KINDS), f"{word!r} is no kind of group"
    about = dict(body) if isinstance(body, dict) else {"tasks": body} if body is not None else {}
    found: dict[str, object] = {"node": word or "task", "id": name}
    if not word:
        found["type"] = "log"
    if word == "subflow":
        found["namespace"] = "tests"
    for key, value in about.items():
        if key in LISTS:
            found[LISTS[key]] = nodes(value)
        elif key == "cases":
            found[key] = {case: nodes(listed) for case, listed in value.items()}
        elif key == "needs":
            found[key] = {name: need(text) for name, text in value.items()}
        else:
            found[key] = measured(key, value)
    return found


def need(text: str) -> dict[str, object]:
    """Read what a node of a dag waits for: `a b`, `all_done of a b`, `all_done_setup_success of a b with setups a`."""
    found = NEED.fullmatch(text)
    assert found, f"{text!r} is no need"
    on = [name for text in found["on"].split() for name in names(text)]
    written = {"on": on, "setups": (found["setups"] or "").split()}
    return written | ({"rule": found["rule"]} if found["rule"] else {})


def measured(key: str, value: object) -> object:
    """Read a property; durations such as `5s` become microseconds, inside policies too."""
    if isinstance(value, dict):
        return {name: measured(name, below) for name, below in value.items()}
    if isinstance(value, list):
        return [measured(key, below) if isinstance(below, dict) else below for below in value]
    return micros(value) if key in DURATIONS and isinstance(value, str) and DURATION.fullmatch(value) else value


def micros(text: str) -> int:
    """Microseconds of `5s`, `200ms`, `2m` or `1h`."""
    found = DURATION.fullmatch(text)
    assert found, f"{text!r} is no duration"
    return round(float(found[1]) * UNITS[found[2]])
