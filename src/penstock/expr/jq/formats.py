"""How do `@csv`, `@uri`, `@base64` and their like write a value?"""

from __future__ import annotations

from typing import Any

from penstock.expr.jq.values import fail, is_number, kind, shown, text

_HTML = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&#39;", '"': "&quot;"})
_TABS = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"})


def formatted(name: str, value: Any) -> str:
    """Write a value in a format; raises JqError."""
    import base64
    import binascii
    import urllib.parse

    match name:
        case "@text":
            return text(value)
        case "@json":
            return shown(value)
        case "@html":
            return text(value).translate(_HTML)
        case "@uri":
            return urllib.parse.quote(text(value), safe="-_.~")
        case "@csv":
            return ",".join(_cell(item, _quoted) for item in _row(name, value))
        case "@tsv":
            return "\t".join(_cell(item, lambda cell: cell.translate(_TABS)) for item in _row(name, value))
        case "@sh":
            return " ".join(map(_shell, value if isinstance(value, list) else [value]))
        case "@base64":
            return base64.b64encode(text(value).encode("utf-8", "replace")).decode()
        case "@base32":
            return base64.b32encode(text(value).encode("utf-8", "replace")).decode()
        case "@base64d" | "@base32d":
            decode = base64.b64decode if name == "@base64d" else base64.b32decode
            plain = text(value)
            try:
                return decode(plain + "=" * (-len(plain) % (4 if name == "@base64d" else 8))).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                fail(f"string ({shown(value)[:60]}) is not valid {name[1:-1]} data")
    fail(f"{name[1:]} is not a valid format")


def _row(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        fail(f"{kind(value)} ({shown(value)[:60]}) cannot be {name[1:]}-formatted, only an array can be")
    return value


def _cell(value: Any, written: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return str(written(value))
        case _ if is_number(value):
            return shown(value)
    fail(f"{kind(value)} is not valid in a csv row")


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _shell(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "'\\''") + "'"
    if isinstance(value, (list, dict)):
        fail(f"{kind(value)} ({shown(value)[:60]}) can not be escaped for shell")
    return shown(value)
