"""How is the oracle asked from a terminal? `python -m tools.oracle`: run, render, validate, batch, tables, flows …"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from tools.oracle import flows, tables
from tools.oracle.engine import Document, Engine
from tools.oracle.installation import DEFAULT_VERSION, JDK_NEEDED, Installation
from tools.oracle.trouble import NoAnswerError, say

NO_ANSWER, REFUSED, NOT_STARTED, TIMED_OUT = 1, 3, 4, 5
WARM_UP = """
id: warm_up
namespace: oracle
tasks:
  - {id: one, type: io.kestra.plugin.core.debug.Return, format: "{{ flow.id }}"}
"""


def main() -> int:
    """Do what was asked; give the exit code."""
    options = _arguments()
    try:
        code = options.action(options)
    except (NoAnswerError, OSError, ValueError) as trouble:
        say(str(trouble))
        return NO_ANSWER
    assert isinstance(code, int)
    return code


def run(options: argparse.Namespace) -> int:
    """Run a flow and print what happened."""
    request: Document = {"do": "run", "flow": Path(options.flow).read_text()}
    request["with"] = [Path(file).read_text() for file in options.first]
    request["inputs"] = _pairs(options.input)
    request["files"] = {name: Path(file).read_text() for name, file in _pairs(options.file_input).items()}
    request |= {"until": options.until, "timeout": options.timeout}
    request |= {"logs": options.logs, "unchecked": options.unchecked}
    return _told(options, request, [*options.first, options.flow])


def render(options: argparse.Namespace) -> int:
    """Render expressions outside of any flow."""
    if (options.expression is None) == (options.file is None):
        raise NoAnswerError("give either an expression or --file")
    common = json.loads(Path(options.vars).read_text()) if options.vars else {}
    lines: list[Document] = [{"expression": options.expression}]
    if options.file is not None:
        read = [json.loads(line) for line in Path(options.file).read_text().splitlines() if line.strip()]
        lines = [{"expression": line} if isinstance(line, str) else line for line in read]
    requests = [{**line, "do": "render", "vars": common | line.get("vars", {})} for line in lines]
    with _engine(options) as jvm:
        for line, answer in zip(lines, jvm.ask_all(requests), strict=True):
            answer.pop("id", None)
            sys.stdout.write(json.dumps({"expression": line["expression"], **answer}, ensure_ascii=False) + "\n")
    return 0


def validate(options: argparse.Namespace) -> int:
    """Check flows."""
    texts = [Path(file).read_text() for file in options.flows]
    return _told(options, {"do": "validate", "flow": texts[-1], "with": texts[:-1]}, options.flows)


def batch(options: argparse.Namespace) -> int:
    """Send many requests through one JVM."""
    cases = [json.loads(line) for line in Path(options.cases).read_text().splitlines() if line.strip()]
    with Path(options.out).open("w") as out, _engine(options) as jvm:
        for answer in jvm.ask_all(cases, options.jobs):
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")
    say(f"{len(cases)} answers in {options.out}")
    return 0


def fetch(options: argparse.Namespace) -> int:
    """Fetch and prepare engines."""
    for version in options.versions or JDK_NEEDED:
        if version not in JDK_NEEDED:
            raise NoAnswerError(f"no engine {version} here: {', '.join(JDK_NEEDED)}")
        own = Installation(version)
        if not own.archive.exists():
            made = own.archive.with_suffix(".part")
            with Engine(version, heap=options.heap, archive_to=made) as jvm:
                jvm.ask({"do": "run", "flow": WARM_UP})
            if made.exists():
                made.rename(own.archive)
        say(f"engine {version} is ready: {len(own.jars)} jars")
    return 0


def ask_tables(options: argparse.Namespace) -> int:
    """Ask the tables of expressions, keep the answers, print where ours differ."""
    return tables.main(options.names, options.kept)


def ask_flows(options: argparse.Namespace) -> int:
    """Ask the cases of flows, keep what happened, print where ours end otherwise."""
    return flows.main(options.names, options.kept)


def _told(options: argparse.Namespace, request: Document, files: list[str]) -> int:
    with _engine(options) as jvm:
        answer = jvm.ask(request)
    for found in (answer.get("refused", []), answer.get("flows", [])):
        for one, file in zip(found, files, strict=False):
            one["file"] = file
    _show({"version": options.version, **answer})
    if "error" in answer:
        return NO_ANSWER
    if "refused" in answer or any(not flow["valid"] for flow in answer.get("flows", [])):
        return REFUSED
    if "notStarted" in answer:
        return NOT_STARTED
    return TIMED_OUT if answer.get("timedOut") else 0


def _show(document: Document) -> None:
    """Print indented JSON, with objects that hold only plain values on one line."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    flat = re.sub(r"\{\s+([^{}\[\]]{1,160})\n\s*\}", lambda m: "{" + re.sub(r"\n\s+", " ", m[1]) + "}", text)
    sys.stdout.write(flat + "\n")


def _engine(options: argparse.Namespace) -> Engine:
    return Engine(options.version, heap=options.heap, log=options.engine_log or "")


def _pairs(items: list[str]) -> dict[str, str]:
    result = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals:
            raise NoAnswerError(f"expected name=value, got {item!r}")
        result[name] = value
    return result


def _arguments() -> argparse.Namespace:
    top = argparse.ArgumentParser(prog="python -m tools.oracle", description=__doc__)
    commands = top.add_subparsers(required=True)

    asked = argparse.ArgumentParser(add_help=False)
    asked.add_argument("--heap", default="2g", help="largest heap of the JVM (2g)")
    asked.add_argument("--version", choices=JDK_NEEDED, default=DEFAULT_VERSION)
    asked.add_argument("--engine-log", metavar="FILE", help="keep what the engine itself logs")

    sub = commands.add_parser("run", parents=[asked], help="run a flow and print what happened")
    sub.set_defaults(action=run)
    sub.add_argument("flow", metavar="FLOW.yml")
    sub.add_argument("first", nargs="*", metavar="OTHER.yml", help="flows to load first (subflows)")
    sub.add_argument("-i", "--input", action="append", default=[], metavar="NAME=VALUE")
    sub.add_argument("-f", "--file-input", action="append", default=[], metavar="NAME=FILE")
    sub.add_argument("--until", choices=["ended", "paused"], default="ended")
    sub.add_argument("--timeout", type=float, default=60, metavar="SECONDS")
    sub.add_argument("--logs", action="store_true")
    sub.add_argument("--unchecked", action="store_true", help="store and run even what validate refuses")

    sub = commands.add_parser("render", parents=[asked], help="render expressions outside of any flow")
    sub.set_defaults(action=render)
    sub.add_argument("expression", nargs="?")
    sub.add_argument("--vars", metavar="VARS.json")
    sub.add_argument("--file", metavar="LINES.jsonl", help='lines: "…" or {"expression": "…", "vars": {…}}')

    sub = commands.add_parser("validate", parents=[asked], help="check flows")
    sub.set_defaults(action=validate)
    sub.add_argument("flows", nargs="+", metavar="FLOW.yml")

    sub = commands.add_parser("batch", parents=[asked], help="many requests through one JVM")
    sub.set_defaults(action=batch)
    sub.add_argument("cases", metavar="CASES.jsonl")
    sub.add_argument("out", metavar="OUT.jsonl")
    sub.add_argument("--jobs", type=int, default=4, help="requests at a time (4)")

    sub = commands.add_parser("fetch", help="fetch and prepare the engines")
    sub.set_defaults(action=fetch)
    sub.add_argument("versions", nargs="*", metavar="VERSION", help=" or ".join(JDK_NEEDED))
    sub.add_argument("--heap", default="2g", help="largest heap of the JVM (2g)")

    sub = commands.add_parser("tables", help="ask the tables of expressions, and print where ours differ")
    sub.set_defaults(action=ask_tables)
    sub.add_argument("names", nargs="*", metavar="TABLE")
    sub.add_argument("--kept", action="store_true", help="compare with the answers kept, and ask nobody")

    sub = commands.add_parser("flows", help="ask the cases of flows, and print what differs")
    sub.set_defaults(action=ask_flows)
    sub.add_argument("names", nargs="*", metavar="SECTION|TOPIC")
    sub.add_argument("--kept", action="store_true", help="compare with what was kept, and ask nobody")
    return top.parse_args()


if __name__ == "__main__":
    sys.exit(main())
