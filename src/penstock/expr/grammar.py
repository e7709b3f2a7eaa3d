"""How is the text of one expression read? By precedence, into a tree of nodes."""

from __future__ import annotations

from penstock.expr.cursor import Cursor
from penstock.expr.lexer import Token, refuse
from penstock.expr.nodes import (
    NO_ARGS,
    Args,
    Binary,
    Call,
    Coalesce,
    Const,
    Expr,
    Filter,
    Item,
    Joined,
    ListOf,
    Logic,
    MapOf,
    Name,
    Ternary,
    Test,
    Unary,
)

# Higher binds tighter; these are the numbers of the language that flows were written for.
PRECEDENCE = {
    "or": 10,
    "and": 15,
    "is": 20,
    "contains": 20,
    "==": 30,
    "!=": 30,
    ">": 30,
    "<": 30,
    ">=": 30,
    "<=": 30,
    "equals": 30,
    "+": 40,
    "-": 40,
    "*": 60,
    "/": 60,
    "%": 60,
    "|": 100,
    "~": 110,
    "..": 120,
    "??": 120,
    "???": 120,
    "isIn": 120,
}
# From language version 2 on these bind no tighter than a comparison.
LOOSE = PRECEDENCE | {"??": 30, "???": 30, "isIn": 30}
LOOSENED = ("??", "isIn")
UNARY = 500
WORDS = {"or", "and", "is", "contains", "isIn", "equals", "not"}
CONSTANTS: dict[str, bool | None] = {
    "true": True,
    "TRUE": True,
    "false": False,
    "FALSE": False,
    "null": None,
    "NULL": None,
    "none": None,
    "NONE": None,
}


def expression(cursor: Cursor, floor: int = 0) -> Expr:
    """Read an expression whose operators bind at least as tight as `floor`."""
    cursor.enter()
    table = LOOSE if cursor.loose else PRECEDENCE
    left = _operand(cursor)
    while True:
        token = cursor.token
        if token.kind != "mark" and token.kind != "name":
            break
        precedence = table.get(token.text, -1)
        if precedence < floor:
            break
        cursor.next()
        height = cursor.height
        left = _applied(cursor, token, precedence, left)
        cursor.grow(max(height, cursor.height) + 1)
    if floor == 0:
        left = _ternary(cursor, left)
    cursor.leave()
    return left


def filter_call(cursor: Cursor) -> tuple[int, str, Args]:
    """Read a filter's name and its arguments."""
    token = cursor.expect_name("the name of a filter")
    args = arguments(cursor) if cursor.at_mark("(") else _no_arguments(cursor)
    return token.at, token.text, args


def arguments(cursor: Cursor) -> Args:
    """Read `(a, b, name=c)`."""
    cursor.expect_mark("(", "before arguments")
    positional: list[Expr] = []
    named: list[tuple[str, Expr]] = []
    height = 0
    while not cursor.mark(")"):
        if positional or named:
            cursor.expect_mark(",", "between arguments, or `)` after them")
            if cursor.mark(")"):
                break
        token = cursor.token
        after = cursor.tokens[cursor.index + 1] if token.kind == "name" else token
        if after.kind == "mark" and after.text == "=":
            cursor.next()
            cursor.next()
            if any(name == token.text for name, _ in named):
                refuse(cursor.text, token.at, f"The argument `{token.text}` is given twice.")
            named.append((token.text, expression(cursor)))
        elif named:
            refuse(cursor.text, token.at, "An argument without a name cannot follow one with a name.")
        else:
            positional.append(expression(cursor))
        height = max(height, cursor.height)
    cursor.grow(height + 1)
    return Args(tuple(positional), tuple(named))


def _no_arguments(cursor: Cursor) -> Args:
    cursor.grow(1)
    return NO_ARGS


def _applied(cursor: Cursor, token: Token, precedence: int, left: Expr) -> Expr:
    """Read what stands right of an operator, and put both sides together."""
    word = token.text
    if word == "|":
        at, name, args = filter_call(cursor)
        return Filter(at, name, left, args)
    if word == "is":
        negated = cursor.at_name("not")
        if negated:
            cursor.next()
        named = cursor.expect_name("the name of a test, such as `defined`")
        args = arguments(cursor) if cursor.at_mark("(") else _no_arguments(cursor)
        return Test(named.at, named.text, left, args, negated)
    right = expression(cursor, precedence + 1)
    match word:
        case "or" | "and":
            return Logic(token.at, word, left, right)
        case "??" | "???":
            return Coalesce(token.at, left, right, word == "??")
        case "equals":
            return Binary(token.at, "==", left, right)
        case _:
            return Binary(token.at, word, left, right)


def _ternary(cursor: Cursor, condition: Expr) -> Expr:
    token = cursor.token
    height = cursor.height
    if cursor.mark("?:"):
        otherwise = expression(cursor)
        cursor.grow(max(height, cursor.height) + 1)
        return Ternary(token.at, condition, None, otherwise)
    if not cursor.mark("?"):
        return condition
    then = expression(cursor)
    height = max(height, cursor.height)
    cursor.expect_mark(":", "and what holds otherwise")
    otherwise = expression(cursor)
    cursor.grow(max(height, cursor.height) + 1)
    return Ternary(token.at, condition, then, otherwise)


def _operand(cursor: Cursor) -> Expr:
    token = cursor.token
    if (token.kind == "name" and token.text == "not") or (token.kind == "mark" and token.text in "+-"):
        cursor.next()
        of = expression(cursor, UNARY)
        cursor.grow(cursor.height + 1)
        return Unary(token.at, token.text, of)
    return _path(cursor, _primary(cursor, token))


def _primary(cursor: Cursor, token: Token) -> Expr:
    cursor.height = 1
    match token.kind:
        case "name":
            return _named(cursor, token)
        case "string":
            cursor.next()
            return Const(token.at, token.text)
        case "int":
            cursor.next()
            return Const(token.at, _integer(cursor, token))
        case "float":
            cursor.next()
            return Const(token.at, float(token.text))
        case '"':
            return _joined(cursor, token)
        case "mark" if token.text == "(":
            cursor.next()
            inner = expression(cursor)
            cursor.expect_mark(")", "for the `(` before")
            return inner
        case "mark" if token.text == "[":
            return _list(cursor, token)
        case "mark" if token.text == "{":
            return _map(cursor, token)
        case _:
            cursor.unexpected("a value")


def _named(cursor: Cursor, token: Token) -> Expr:
    if token.text in WORDS:
        cursor.unexpected("a value")
    cursor.next()
    if cursor.at_mark("("):
        args = arguments(cursor)
        return Call(token.at, token.text, args)
    if token.text in CONSTANTS:
        return Const(token.at, CONSTANTS[token.text])
    return Name(token.at, token.text)


def _integer(cursor: Cursor, token: Token) -> int:
    # 19 digits are the most that 64 bits hold; asked first, since reading a very long number is slow by itself.
    value = int(token.text) if len(token.text.lstrip("0")) <= 19 else 1 << 63
    if value >= 1 << 63:
        refuse(cursor.text, token.at, f"{token.text[:25]} does not fit into 64 bits.")
    return value


def _path(cursor: Cursor, left: Expr) -> Expr:
    """Read the `.x`, `[…]` behind an operand."""
    while cursor.token.kind == "mark":
        token = cursor.token
        height = cursor.height
        if token.text == ".":
            cursor.next()
            name = cursor.expect_name("a name after the dot; other keys stand in brackets: `['a-b']`")
            if cursor.at_mark("("):
                _refuse_method(cursor, name)
            left = Item(name.at, left, Const(name.at, name.text), True)
            cursor.height = 1
        elif token.text == "[":
            cursor.next()
            key = expression(cursor)
            cursor.expect_mark("]", "for the `[` before")
            left = Item(token.at, left, key, False)
        else:
            break
        cursor.grow(max(height, cursor.height) + 1)
    return left


_INSTEAD = {
    "length": "`| length`",
    "size": "`| length`",
    "isEmpty": "`is empty`",
    "toUpperCase": "`| upper`",
    "toLowerCase": "`| lower`",
    "upper": "`| upper`",
    "lower": "`| lower`",
    "trim": "`| trim`",
    "strip": "`| trim`",
    "replace": "`| replace({'a': 'b'})`",
    "replaceAll": "`| replace({'a': 'b'}, regexp=true)`",
    "split": "`| split(',')`",
    "join": "`| join(',')`",
    "contains": "the operator `contains`",
    "containsKey": "the operator `contains`",
    "startsWith": "`| startsWith('a')`",
    "endsWith": "`| endsWith('a')`",
    "substring": "`| slice(0, 3)`",
    "get": "`[key]`",
    "keySet": "`| keys`",
    "keys": "`| keys`",
    "values": "`| values`",
    "equals": "`==`",
    "toString": "`| string`",
    "format": "`| date('yyyy-MM-dd')`",
}


def _refuse_method(cursor: Cursor, name: Token) -> None:
    instead = _INSTEAD.get(name.text)
    hint = f"Use {instead}." if instead else "Filters do what methods would: `value | name(…)`."
    refuse(cursor.text, name.at, f"Values are data: they have no method `{name.text}`.", hint)


def _list(cursor: Cursor, opening: Token) -> Expr:
    cursor.next()
    items: list[Expr] = []
    height = 0
    while not cursor.mark("]"):
        if items:
            cursor.expect_mark(",", "between the elements, or `]` after them")
            if cursor.mark("]"):
                break
        items.append(expression(cursor))
        height = max(height, cursor.height)
    cursor.grow(height + 1)
    return ListOf(opening.at, tuple(items))


def _map(cursor: Cursor, opening: Token) -> Expr:
    cursor.next()
    entries: list[tuple[Expr, Expr]] = []
    height = 0
    while not cursor.mark("}"):
        if entries:
            cursor.expect_mark(",", "between the entries, or `}` after them")
            if cursor.mark("}"):
                break
        key = _key(cursor)
        height = max(height, cursor.height)
        cursor.expect_mark(":", "after the key of an entry")
        entries.append((key, expression(cursor)))
        height = max(height, cursor.height)
    cursor.grow(height + 1)
    return MapOf(opening.at, tuple(entries))


def _key(cursor: Cursor) -> Expr:
    """Read a key; a bare word is the variable of that name, and where there is none, itself."""
    token = cursor.token
    after = cursor.tokens[cursor.index + 1] if token.kind == "name" else token
    if token.kind == "name" and after.kind == "mark" and after.text == ":":
        cursor.next()
        cursor.height = 2
        return Coalesce(token.at, Name(token.at, token.text), Const(token.at, token.text), False)
    return expression(cursor)


def _joined(cursor: Cursor, opening: Token) -> Expr:
    cursor.next()
    parts: list[Expr] = []
    height = 0
    while cursor.token.kind != '"':
        if cursor.token.kind == "string":
            token = cursor.next()
            parts.append(Const(token.at, token.text))
            continue
        cursor.next()
        parts.append(expression(cursor))
        height = max(height, cursor.height)
        if cursor.token.kind != "}#":
            cursor.unexpected("`}` or an operator")
        cursor.next()
    cursor.next()
    cursor.grow(height + 1)
    return Joined(opening.at, tuple(parts))
