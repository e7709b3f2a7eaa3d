"""How do plain values look as YAML that is read as the same values? Blocks, text of several lines behind `|`."""

from __future__ import annotations

import re
from typing import Final

import yaml

from penstock.dialects.kestra.scalars import resolve

# Text that can stand behind `|` and comes back as it was: lines without blanks at their ends, none of them odd.
LINES: Final = re.compile(
    r"(?:[^\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff][^\n\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]*\n|\n(?=.))+", re.DOTALL
)
TEXT: Final = "tag:yaml.org,2002:str"


class Writer(yaml.SafeDumper):
    """Writes every value out where it stands, each text so that the dialect reads text."""

    def ignore_aliases(self, data: object) -> bool:
        """Write what is the same twice."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Begin the items of a list further in than their key."""
        super().increase_indent(flow, False)


def _text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        block = LINES.fullmatch(text if text.endswith("\n") else f"{text}\n")
        good = block and not any(line != line.rstrip() for line in text.split("\n")) and not text.endswith("\n\n")
        return writer.represent_scalar(TEXT, text, style="|" if good else '"')
    if not text or resolve(text) != text or text[0].isdigit() or not text.isprintable():
        return writer.represent_scalar(TEXT, text, style='"')
    return writer.represent_scalar(TEXT, text, style='"' if "{{" in text or "{%" in text else None)


Writer.add_representer(str, _text)


def emitted(value: object) -> str:
    """A value as YAML, ending in a line break."""
    return yaml.dump(
        value, Dumper=Writer, sort_keys=False, allow_unicode=True, width=1_000_000, default_flow_style=False
    )


def inline(text: str) -> str:
    """A text as it stands behind a key, in one line."""
    written = emitted({"k": text})[3:].strip()
    return written if "\n" not in written else _quoted(text)


def _quoted(text: str) -> str:
    node = yaml.dump(text, Dumper=yaml.SafeDumper, default_style='"', allow_unicode=True, width=1_000_000)
    return str(node).strip()


def indented(text: str, column: int) -> str:
    """Lines moved to the right, empty ones left empty."""
    return "".join(f"{' ' * column if line.strip() else ''}{line}" for line in text.splitlines(keepends=True))
