"""How is a whole template read? Text, prints and tags become statements."""

from __future__ import annotations

from penstock.errors import nearest
from penstock.errors.expr import ExprLimit, UnknownWord
from penstock.expr.cursor import Cursor
from penstock.expr.grammar import CONSTANTS, WORDS, expression, filter_call
from penstock.expr.lexer import Token, place_of, refuse
from penstock.expr.nodes import Block, Body, Expr, Filtered, For, If, Macro, Print, Set, Statement, Text


def parse(text: str, loose: bool = False) -> Body:
    """Read a template, `loose` as version 2 has it; raises ExprSyntaxError, UnknownWord or ExprLimit with the place."""
    try:
        cursor = Cursor(text, loose)
        body, _ = _body(cursor, (), None)
        return body
    except RecursionError:
        raise ExprLimit("The expression nests too deep.", place=place_of(text, 0)) from None


def _body(cursor: Cursor, ends: tuple[str, ...], opening: Token | None) -> tuple[Body, Token]:
    """Read statements up to one of the tags in `ends`; that tag's name is read too and given."""
    statements: list[Statement] = []
    cursor.enter()
    while True:
        token = cursor.next()
        match token.kind:
            case "text":
                statements.append(Text(token.at, token.text))
            case "raw":
                statements.append(Text(token.at, token.text, True))
            case "{{":
                statements.append(Print(token.at, expression(cursor)))
                cursor.expect_close("}}")
            case "{%":
                tag = cursor.expect_name("the name of a tag")
                if tag.text in ends:
                    cursor.leave()
                    return tuple(statements), tag
                statements.append(_tag(cursor, tag, opening))
            case "end":
                if opening is not None:
                    refuse(
                        cursor.text, opening.at, f"`{opening.text}` is never ended: no `{{% {ends[-1]} %}}` follows."
                    )
                cursor.leave()
                return tuple(statements), token
            case _:
                cursor.unexpected("text or a tag")


def _tag(cursor: Cursor, tag: Token, opening: Token | None) -> Statement:
    match tag.text:
        case "if":
            return _if(cursor, tag)
        case "for":
            return _for(cursor, tag)
        case "set":
            return _set(cursor, tag)
        case "filter":
            return _filter(cursor, tag)
        case "block":
            return _block(cursor, tag)
        case "macro":
            return _macro(cursor, tag)
        case _:
            _refuse_tag(cursor, tag, opening)
            raise AssertionError


def _if(cursor: Cursor, tag: Token) -> Statement:
    branches: list[tuple[Expr, Body]] = []
    otherwise: Body = ()
    end = tag
    while end.text != "endif":
        if end.text == "else":
            cursor.expect_close("%}")
            otherwise, end = _body(cursor, ("endif",), tag)
            continue
        condition = expression(cursor)
        cursor.expect_close("%}")
        body, end = _body(cursor, ("elseif", "else", "endif"), tag)
        branches.append((condition, body))
    cursor.expect_close("%}")
    return If(tag.at, tuple(branches), otherwise)


def _for(cursor: Cursor, tag: Token) -> Statement:
    name = _variable(cursor)
    if not cursor.at_name("in"):
        cursor.unexpected("`in`")
    cursor.next()
    over = expression(cursor)
    cursor.expect_close("%}")
    body, end = _body(cursor, ("else", "endfor"), tag)
    otherwise: Body = ()
    if end.text == "else":
        cursor.expect_close("%}")
        otherwise, _ = _body(cursor, ("endfor",), tag)
    cursor.expect_close("%}")
    return For(tag.at, name, over, body, otherwise)


def _set(cursor: Cursor, tag: Token) -> Statement:
    name = _variable(cursor)
    cursor.expect_mark("=", "and a value")
    value = expression(cursor)
    cursor.expect_close("%}")
    return Set(tag.at, name, value)


def _filter(cursor: Cursor, tag: Token) -> Statement:
    filters = [filter_call(cursor)]
    while cursor.mark("|"):
        filters.append(filter_call(cursor))
    cursor.expect_close("%}")
    body, _ = _body(cursor, ("endfilter",), tag)
    cursor.expect_close("%}")
    return Filtered(tag.at, tuple(filters), body)


def _block(cursor: Cursor, tag: Token) -> Statement:
    name = cursor.next() if cursor.token.kind == "string" else cursor.expect_name("the name of the block")
    cursor.expect_close("%}")
    body, _ = _body(cursor, ("endblock",), tag)
    if cursor.token.kind in ("name", "string"):
        cursor.next()
    cursor.expect_close("%}")
    return Block(tag.at, name.text, body)


def _macro(cursor: Cursor, tag: Token) -> Statement:
    name = cursor.expect_name("the name of the macro").text
    cursor.expect_mark("(", "and the macro's parameters")
    parameters: list[tuple[str, Expr | None]] = []
    while not cursor.mark(")"):
        if parameters:
            cursor.expect_mark(",", "between parameters, or `)` after them")
        parameter = _variable(cursor)
        parameters.append((parameter, expression(cursor) if cursor.mark("=") else None))
    cursor.expect_close("%}")
    body, _ = _body(cursor, ("endmacro",), tag)
    if cursor.token.kind == "name":
        cursor.next()
    cursor.expect_close("%}")
    return Macro(tag.at, name, tuple(parameters), body)


def _variable(cursor: Cursor) -> str:
    token = cursor.expect_name("the name of a variable")
    if token.text in WORDS or token.text in CONSTANTS:
        refuse(cursor.text, token.at, f"`{token.text}` has a meaning of its own and cannot be a variable.")
    return token.text


_TAGS = ("if", "elseif", "else", "endif", "for", "endfor", "set", "raw", "verbatim", "filter", "block", "macro")
_INSTEAD = {"elif": "elseif", "elsif": "elseif", "let": "set", "foreach": "for", "unless": "if"}


def _refuse_tag(cursor: Cursor, tag: Token, opening: Token | None) -> None:
    word = tag.text
    if word in ("else", "elseif", "endif", "endfor", "endfilter", "endblock", "endmacro", "endraw", "endverbatim"):
        inside = f"`{opening.text}` is open here." if opening else "Nothing is open here."
        refuse(cursor.text, tag.at, f"`{word}` ends nothing that is open.", inside)
    instead = _INSTEAD.get(word)
    raise UnknownWord(
        f"There is no tag `{word}`.",
        hint=f"Use `{instead}`." if instead else nearest(word, _TAGS),
        place=place_of(cursor.text, tag.at),
    )
