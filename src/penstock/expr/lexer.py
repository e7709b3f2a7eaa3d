"""Which words does a template consist of? Text becomes tokens, each with its offset."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from penstock.errors import Place
from penstock.errors.expr import ExprSyntaxError


class Token(NamedTuple):
    """A word of a template: `kind` is text, raw, {{, }}, {%, %}, name, string, int, float, mark, `"`, #{, }# or end."""

    kind: str
    text: str
    at: int


def tokenize(text: str) -> list[Token]:
    """Read the words of a template, whitespace control and comments already applied."""
    tokens: list[Token] = []
    at = 0
    trim = False
    while True:
        opening = _OPEN.search(text, at)
        piece = text[at : opening.start() if opening else len(text)]
        if trim:
            piece = piece.lstrip()
        if opening is None:
            if piece:
                tokens.append(Token("text", piece, at))
            tokens.append(Token("end", "", len(text)))
            return tokens
        start, kind = opening.start(), opening.group(1)
        if opening.group(2):
            piece = piece.rstrip()
        if piece:
            tokens.append(Token("text", piece, at))
        if kind == "{#":
            at, trim = _comment(text, start)
        elif kind == "{%" and (raw := _RAW.match(text, start)) is not None:
            at, trim = _raw(text, raw, tokens)
        else:
            tokens.append(Token(kind, kind, start))
            at, trim = _inside(text, opening.end(), start, tokens, kind)


def place_of(text: str, at: int) -> Place:
    """Tell line and column, counted from 1, of an offset, with the whole line for the caret."""
    at = max(0, min(at, len(text)))
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    return Place(text.count("\n", 0, at) + 1, at - begin + 1, text=text[begin : end if end >= 0 else len(text)])


def refuse(text: str, at: int, sentence: str, hint: str = "") -> NoReturn:
    """Raise ExprSyntaxError at an offset."""
    raise ExprSyntaxError(sentence, hint=hint, place=place_of(text, at))


_OPEN = re.compile(r"(\{\{|\{%|\{#)(-?)")
_RAW = re.compile(r"\{%-?\s*(raw|verbatim)\s*-?%\}")
# One pattern for all, since compiling it is a good part of what importing the language costs.
_WORD = re.compile(
    r"""\s*(?:(?P<name>[^\W\d]\w*)
    |(?P<close>-?[}%]\})
    |(?P<float>\d+\.\d+)
    |(?P<int>\d+[lL]?(?!\w))
    |(?P<string>'(?:[^'\\]|\\.)*'|"[^"\\#]*")
    |(?P<quote>")
    |(?P<comment>\{\#.*?\#\}|\#[^\n]*?(?=-?[%}]\}|\n|$))
    |(?P<mark>\?\?\?|\?\?|\?:|==|!=|>=|<=|\.\.|[<>+\-*/%~|.,:?=()\[\]{}]))
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"\s*")
_QUOTED = re.compile(r'(?:[^"\\#]|\\.|#(?!\{))+', re.DOTALL)
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_CLOSING = {"{{": "}}", "{%": "%}", "#{": "}"}


def _comment(text: str, start: int) -> tuple[int, bool]:
    end = text.find("#}", start + 2)
    if end < 0:
        refuse(
            text,
            start,
            "This comment never ends.",
            "A comment is `{# … #}`; a shell's `${#x}` stands between `{% raw %}` and `{% endraw %}`.",
        )
    return end + 2, text[end - 1] == "-" and end - 1 > start + 1


def _raw(text: str, opening: re.Match[str], tokens: list[Token]) -> tuple[int, bool]:
    word = opening.group(1)
    closing = re.compile(r"\{%-?\s*end" + word + r"\s*(-?)%\}").search(text, opening.end())
    if closing is None:
        refuse(text, opening.start(), f"`{{% {word} %}}` has no `{{% end{word} %}}`.")
    tokens.append(Token("raw", text[opening.end() : closing.start()], opening.end()))
    return closing.end(), closing.group(1) == "-"


def _inside(text: str, at: int, start: int, tokens: list[Token], kind: str) -> tuple[int, bool]:
    """Read the words between the braces; give where the text goes on, and whether to trim it."""
    close = _CLOSING[kind]
    brackets: list[str] = []
    while True:
        found = _WORD.match(text, at)
        if found is None:
            _strange(text, at, start, kind)
        group = found.lastgroup
        if group == "name":
            tokens.append(Token("name", found.group("name"), found.start("name")))
            at = found.end()
        elif group == "close" and not brackets and found.group("close").endswith(close) and kind != "#{":
            tokens.append(Token(close, close, found.end() - 2))
            return found.end(), text[found.start("close")] == "-"
        elif kind == "#{" and not brackets and text.startswith("}", found.start(group or "")):
            tokens.append(Token("}#", "}", found.start(group or "")))
            return found.start(group or "") + 1, False
        else:
            at = _word(text, found, brackets, tokens)


def _word(text: str, found: re.Match[str], brackets: list[str], tokens: list[Token]) -> int:
    group = found.lastgroup or ""
    word, at = found.group(group), found.start(group)
    if group == "close":
        # Within brackets, or in the wrong braces, these are marks one by one: `{{ {'a': {'b': 1}} }}`.
        group, word = "mark", word[0]
    match group:
        case "mark":
            if word in _CLOSES:
                brackets.append(word)
            elif word in (")", "]", "}"):
                _close(text, at, word, brackets)
            tokens.append(Token("mark", word, at))
        case "float":
            tokens.append(Token("float", word, at))
        case "int":
            tokens.append(Token("int", word.rstrip("lL"), at))
        case "string":
            tokens.append(Token("string", unescape(word[1:-1], word[0]), at))
        case "quote":
            return _interpolated(text, at, tokens)
        case _:
            return found.end()
    return at + len(word)


def _close(text: str, at: int, word: str, brackets: list[str]) -> None:
    if not brackets:
        refuse(text, at, f"`{word}` closes nothing that is open here.")
    opening = brackets.pop()
    if _CLOSES[opening] != word:
        refuse(text, at, f"`{opening}` is still open here.", f"Write `{_CLOSES[opening]}` where it ends.")


def _interpolated(text: str, start: int, tokens: list[Token]) -> int:
    tokens.append(Token('"', '"', start))
    at = start + 1
    while True:
        if (piece := _QUOTED.match(text, at)) is not None:
            tokens.append(Token("string", unescape(piece.group(), '"'), at))
            at = piece.end()
        if text.startswith('"', at):
            tokens.append(Token('"', '"', at))
            return at + 1
        if not text.startswith("#{", at):
            refuse(text, start, "This text has no closing quotation mark.")
        tokens.append(Token("#{", "#{", at))
        # Quotation marks may nest (`"a #{ "b #{ c }" }"`), each level two Python frames.
        at, _ = _inside(text, at + 2, at, tokens, "#{")


def _strange(text: str, at: int, start: int, kind: str) -> NoReturn:
    blank = _BLANK.match(text, at)
    at = blank.end() if blank else at
    if at >= len(text):
        refuse(text, start, f"`{kind}` is never closed.", f"Write `{_CLOSING[kind]}` where the expression ends.")
    character = text[at]
    if character in "'\"":
        refuse(text, at, "This text has no closing quotation mark.")
    hints = {
        "&": "Use `and`.",
        "!": "Use `not`, or `!=`.",
        "`": "Text stands in '…' or \"…\".",
        "$": "Names stand alone: `inputs.day`.",
        "\\": "A backslash can stand only inside quotation marks.",
    }
    refuse(text, at, f"`{character}` has no meaning here.", hints.get(character, ""))


def unescape(body: str, quote: str) -> str:
    """Drop the backslash before the quotation mark; every other backslash stays as it was written."""
    return body.replace("\\" + quote, quote) if "\\" in body else body
