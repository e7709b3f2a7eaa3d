"""How is a jq program read? By precedence: `|`, `,`, `//`, assignment, `or`, `and`, comparison, sums, products."""

from __future__ import annotations

import functools

from penstock.errors.expr import ExprFailed
from penstock.expr.jq import nodes
from penstock.expr.jq.nodes import Node, Pattern
from penstock.expr.jq.words import Token, refused, tokens_of

LONGEST = 10_000
_LEVELS = {"//": 2, "or": 4, "and": 5, "+": 7, "-": 7, "*": 8, "/": 8, "%": 8}
_LEVELS |= dict.fromkeys(("=", "|=", "+=", "-=", "*=", "/=", "%=", "//="), 3)
_LEVELS |= dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 6)
_COMMA, _PRODUCT = 1, 8
_KEYWORDS = frozenset(("def", "if", "then", "elif", "else", "end", "as", "reduce", "foreach", "try", "catch", "label"))
_KEYWORDS |= {"and", "or", "import", "include"}


@functools.lru_cache(maxsize=512)
def program(text: str) -> Node:
    """Read a program; raises ExprFailed."""
    if len(text) > LONGEST:
        raise ExprFailed(f"A jq program has {LONGEST:,} characters at most.")
    return _Reader(text, tokens_of(text)).whole()


class _Reader:
    """Where a program is being read: its words, and which one is next."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._index = 0

    def whole(self) -> Node:
        node = self._pipe()
        if self._token.kind != "end":
            raise refused(self._text, self._token.at)
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _next(self) -> Token:
        token = self._token
        self._index += token.kind != "end"
        return token

    def _at(self, *words: str) -> bool:
        token = self._token
        return token.kind in ("mark", "name") and token.text in words

    def _take(self, word: str) -> bool:
        if self._at(word):
            self._next()
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise refused(self._text, self._token.at)

    def _pipe(self) -> Node:
        if self._take("def"):
            return self._definition()
        if self._take("label"):
            name = self._variable()
            self._expect("|")
            return nodes.Label(name, self._pipe())
        left = self._binary(_COMMA)
        return nodes.Pipe(left, self._pipe()) if self._take("|") else left

    def _definition(self) -> Node:
        name = self._next().text
        parameters: list[str] = []
        if self._take("("):
            while not parameters or self._take(";"):
                token = self._next()
                if token.kind not in ("name", "variable"):
                    raise refused(self._text, token.at)
                parameters.append(token.text)
            self._expect(")")
        self._expect(":")
        body = self._pipe()
        self._expect(";")
        return nodes.Define(name, tuple(parameters), body, self._pipe())

    def _binary(self, least: int) -> Node:
        """Read operators that bind at least so tightly."""
        if least > _PRODUCT:
            return self._postfix()
        if least == _COMMA:
            left = self._binary(_COMMA + 1)
            while self._take(","):
                left = nodes.Comma(left, self._binary(_COMMA + 1))
            return left
        left = self._binary(least + 1)
        while self._token.kind in ("mark", "name") and _LEVELS.get(self._token.text) == least:
            operator = self._next().text
            if least == 2:
                return nodes.Operation(operator, left, self._binary(least))
            right = self._binary(least + 1) if least != 3 else self._binary(2)
            left = nodes.Update(operator, left, right) if least == 3 else nodes.Operation(operator, left, right)
        return left

    def _postfix(self) -> Node:
        node = self._term()
        while True:
            token = self._token
            if token.kind == "field":
                self._next()
                node = nodes.Index(node, nodes.Literal(token.text[1:]))
            elif self._take("."):
                if self._token.kind == "string":
                    node = nodes.Index(node, self._text_of(self._next(), ""))
                elif not self._at("["):
                    raise refused(self._text, self._token.at)
            elif self._take("["):
                node = self._bracket(node)
            elif self._take("?"):
                node = nodes.Try(node, None)
            elif self._take("as"):
                pattern = self._pattern()
                self._expect("|")
                return nodes.Bind(node, pattern, self._pipe())
            else:
                return node

    def _bracket(self, of: Node) -> Node:
        if self._take("]"):
            return nodes.Each(of)
        start = None if self._at(":") else self._pipe()
        if self._take(":"):
            end = None if self._at("]") else self._pipe()
            self._expect("]")
            return nodes.Slice(of, start, end)
        self._expect("]")
        assert start is not None
        return nodes.Index(of, start)

    def _term(self) -> Node:
        token = self._next()
        match token.kind:
            case "field":
                return nodes.Index(nodes.Identity(), nodes.Literal(token.text[1:]))
            case "number":
                whole = token.text.isdigit()
                return nodes.Literal(int(token.text) if whole and len(token.text) < 400 else float(token.text))
            case "string":
                return self._text_of(token, "")
            case "format":
                if self._token.kind == "string":
                    return self._text_of(self._next(), token.text)
                return nodes.Format(token.text)
            case "variable":
                return nodes.Variable(token.text)
            case "name":
                return self._named(token)
            case _:
                return self._marked(token)

    def _marked(self, token: Token) -> Node:
        match token.text:
            case ".":
                if self._token.kind == "string":
                    return nodes.Index(nodes.Identity(), self._text_of(self._next(), ""))
                return nodes.Identity()
            case "..":
                return nodes.Everything()
            case "-":
                return nodes.Negation(self._postfix())
            case "(":
                inner = self._pipe()
                self._expect(")")
                return inner
            case "[":
                if self._take("]"):
                    return nodes.ListOf(None)
                inner = self._pipe()
                self._expect("]")
                return nodes.ListOf(inner)
            case "{":
                return self._map()
            case _:
                raise refused(self._text, token.at)

    def _named(self, token: Token) -> Node:
        match token.text:
            case "if":
                return self._if()
            case "try":
                body = self._postfix()
                return nodes.Try(body, self._postfix() if self._take("catch") else None)
            case "reduce":
                of, pattern = self._source()
                start, update, *more = self._parts()
                if more:
                    raise refused(self._text, token.at)
                return nodes.Reduce(of, pattern, start, update)
            case "foreach":
                of, pattern = self._source()
                start, update, *more = self._parts()
                return nodes.Foreach(of, pattern, start, update, more[0] if more else nodes.Identity())
            case "break":
                return nodes.Break(self._variable())
            case "def":
                return self._definition()
            case word if word in _KEYWORDS:
                raise refused(self._text, token.at)
        args: list[Node] = []
        if self._take("("):
            while not args or self._take(";"):
                args.append(self._pipe())
            self._expect(")")
        return nodes.Call(token.text, tuple(args))

    def _if(self) -> Node:
        condition = self._pipe()
        self._expect("then")
        then = self._pipe()
        if self._take("elif"):
            return nodes.If(condition, then, self._if())
        otherwise: Node = nodes.Identity()
        if self._take("else"):
            otherwise = self._pipe()
        self._expect("end")
        return nodes.If(condition, then, otherwise)

    def _source(self) -> tuple[Node, Pattern]:
        """Read `term as pattern`; the term's own `as` must not take the parenthesis that follows."""
        node = self._term()
        while not self._at("as"):
            token = self._token
            if token.kind == "field":
                self._next()
                node = nodes.Index(node, nodes.Literal(token.text[1:]))
            elif self._take("["):
                node = self._bracket(node)
            elif self._take("?"):
                node = nodes.Try(node, None)
            else:
                raise refused(self._text, token.at)
        self._expect("as")
        return node, self._pattern()

    def _parts(self) -> list[Node]:
        self._expect("(")
        parts = [self._pipe()]
        while self._take(";"):
            parts.append(self._pipe())
        self._expect(")")
        if not 2 <= len(parts) <= 3:
            raise refused(self._text, self._token.at)
        return parts

    def _pattern(self) -> Pattern:
        if self._token.kind == "variable":
            return nodes.NamePattern(self._next().text)
        if self._take("["):
            items = [self._pattern()]
            while self._take(","):
                items.append(self._pattern())
            self._expect("]")
            return nodes.ListPattern(tuple(items))
        self._expect("{")
        entries: list[tuple[str, Node, Pattern | None]] = []
        while not entries or self._take(","):
            variable = self._token.text if self._token.kind == "variable" else ""
            key = self._key()
            below = self._pattern() if self._take(":") else None
            if below is None and not variable:
                raise refused(self._text, self._token.at)
            entries.append((variable, key, below))
        self._expect("}")
        return nodes.MapPattern(tuple(entries))

    def _map(self) -> Node:
        entries: list[tuple[Node, Node]] = []
        while not self._take("}"):
            if entries:
                self._expect(",")
            token = self._token
            key = self._key()
            if self._take(":"):
                value = self._binary(_COMMA + 1)
                while self._take("|"):
                    value = nodes.Pipe(value, self._binary(_COMMA + 1))
            elif token.kind == "variable":
                value = nodes.Variable(token.text)
            else:
                value = nodes.Index(nodes.Identity(), key)
            entries.append((key, value))
        return nodes.MapOf(tuple(entries))

    def _key(self) -> Node:
        token = self._next()
        match token.kind:
            case "name":
                return nodes.Literal(token.text)
            case "variable":
                return nodes.Literal(token.text[1:])
            case "string":
                return self._text_of(token, "")
            case "number":
                return nodes.Literal(token.text)
            case "format" if self._token.kind == "string":
                return self._text_of(self._next(), token.text)
            case "mark" if token.text == "(":
                inner = self._pipe()
                self._expect(")")
                return inner
            case _:
                raise refused(self._text, token.at)

    def _variable(self) -> str:
        token = self._next()
        if token.kind != "variable":
            raise refused(self._text, token.at)
        return token.text

    def _text_of(self, token: Token, format_: str) -> Node:
        parts = tuple(part if isinstance(part, str) else _Reader(self._text, part).whole() for part in token.parts)
        if len(parts) == 1 and isinstance(parts[0], str):
            return nodes.Literal(parts[0])
        return nodes.Text(parts, format_)
