"""Which filters work on text? Case, blanks, parts, replacement."""

from __future__ import annotations

from penstock.errors.expr import ExprFailed
from penstock.expr.calls import Frame, fits, spend
from penstock.expr.printing import Single, joined_text
from penstock.expr.registry import filter


@filter("upper")
def upper(value: object) -> str:
    """The text in capital letters."""
    return joined_text(value).upper()


@filter("lower")
def lower(value: object) -> str:
    """The text in small letters."""
    return joined_text(value).lower()


@filter("capitalize")
def capitalize(value: str) -> str:
    """The text with its first letter as a capital; the rest as it is."""
    start = len(value) - len(value.lstrip())
    return value[:start] + value[start : start + 1].upper() + value[start + 1 :]


@filter("title")
def title(value: str) -> str:
    """The text with the first letter of every word as a capital; the rest as it is."""
    pieces = []
    begins = True
    for letter in value:
        capital = letter.title()
        pieces.append(capital if begins and len(capital) == 1 else letter)
        begins = letter.isspace()
    return "".join(pieces)


@filter("trim")
def trim(value: str) -> str:
    """The text without blanks around it."""
    # Blanks here are what lies up to the space, no-break spaces not.
    return value.strip("".join(map(chr, range(33))))


@filter("nl2br")
def nl2br(value: str) -> str:
    """The text with `<br />` in place of line breaks."""
    return value.replace("\r\n", "<br />").replace("\n", "<br />").replace("\r", "<br />")


@filter("abbreviate")
def abbreviate(value: str, length: int) -> str:
    """The text, unless it is shorter, cut to a length, three dots at its end included."""
    if length < 0:
        raise ExprFailed("The length of `abbreviate` is 0 at least.")
    if len(value) < length or len(value) <= 3:
        return value
    return value[: length - 3] + "..." if length > 3 else value[:length]


@filter("string")
def string(value: object) -> str:
    """The value as it prints."""
    return joined_text(value)


@filter("substringBefore")
def substring_before(value: object, separator: str) -> str:
    """The text before the first separator; all of it when there is none."""
    return joined_text(value).partition(separator)[0] if separator else ""


@filter("substringBeforeLast")
def substring_before_last(value: object, separator: str) -> str:
    """The text before the last separator; all of it when there is none."""
    text = joined_text(value)
    before, found, _ = text.rpartition(separator) if separator else ("", "", "")
    return before if found else text


@filter("substringAfter")
def substring_after(value: object, separator: str) -> str:
    """The text after the first separator; nothing when there is none."""
    text = joined_text(value)
    return text.partition(separator)[2] if separator else text


@filter("substringAfterLast")
def substring_after_last(value: object, separator: str) -> str:
    """The text after the last separator; nothing when there is none."""
    _, found, after = joined_text(value).rpartition(separator) if separator else ("", "", "")
    return after if found else ""


@filter("startsWith", null="taken")
def starts_with(value: object, prefix: str) -> bool:
    """True when the text starts so."""
    return value is not None and joined_text(value).startswith(prefix)


@filter("endsWith", null="taken")
def ends_with(value: object, suffix: str) -> bool:
    """True when the text ends so."""
    return value is not None and joined_text(value).endswith(suffix)


@filter("slugify")
def slugify(value: object) -> str:
    """The text as a name for addresses and files: small letters and digits, joined by hyphens."""
    import unicodedata

    plain = unicodedata.normalize("NFD", joined_text(value)).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain if c.isalnum() or c in " -_\t\n").split())


@filter("indent")
def indent(value: object, amount: int, prefix: str = " ") -> str:
    """The text with the prefix, amount times, before every line but the first."""
    text = joined_text(value)
    return _indented(text, amount, prefix) if text else text


@filter("nindent")
def nindent(value: object, amount: int, prefix: str = " ") -> str:
    """A line break, then the text with the prefix, amount times, before every line."""
    text = joined_text(value)
    if not text:
        return text
    _fitting(text, amount, prefix)
    return _line_break(text) + prefix * amount + _indented(text, amount, prefix)


@filter("escapeChar")
def escape_char(frame: Frame, value: object, type: str) -> object:
    """The text with quotation marks escaped: `single`, `double`, or `shell`; texts in lists and maps too."""
    replacements = {"single": ("'", "\\'"), "double": ('"', '\\"'), "shell": ("'", "'\\''")}
    if type not in replacements:
        raise ExprFailed(f"`escapeChar` knows `single`, `double` and `shell`, not `{type[:40]}`.")
    return _escaped(frame, value, *replacements[type])


@filter("condense")
def condense(value: str) -> str:
    """The text with every stretch of blanks as one, and none around it."""
    return " ".join(value.split())


@filter("className")
def class_name(value: object) -> str:
    """The name that the kind of the value has in the engine that flows were first written for."""
    match value:
        case bool():
            return "java.lang.Boolean"
        case str():
            return "java.lang.String"
        case int():
            return "java.lang.Long" if -(1 << 63) <= value < 1 << 63 else "java.math.BigInteger"
        case Single():
            return "java.lang.Float"
        case float():
            return "java.lang.Double"
        case list():
            return "java.util.ArrayList"
        case dict():
            return "java.util.LinkedHashMap"
        case _:
            return f"java.time.{type(value).__name__.capitalize()}"


def _indented(value: str, amount: int, prefix: str) -> str:
    _fitting(value, amount, prefix)
    ending = _line_break(value)
    return value.replace(ending, ending + prefix * amount)


def _line_break(value: str) -> str:
    """Give the line break that a text uses; of several kinds the longest is taken for it."""
    return next((ending for ending in ("\r\n", "\n", "\r") if ending in value), "\n")


def _fitting(value: str, amount: int, prefix: str) -> None:
    if amount < 0:
        raise ExprFailed("An indentation is 0 at least.")
    fits((value.count("\n") + value.count("\r") + 1) * amount * len(prefix) + len(value))


def _escaped(frame: Frame, value: object, mark: str, instead: str) -> object:
    spend(frame, 1)
    match value:
        case str():
            return value.replace(mark, instead)
        case list() | tuple():
            return [_escaped(frame, item, mark, instead) for item in value]
        case dict():
            return {key: _escaped(frame, item, mark, instead) for key, item in value.items()}
        case _:
            return value
