"""Do the arguments of a call fit the word that is called? They are put into the word's order, or refused."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.errors import PenstockError, nearest
from penstock.errors.expr import ExprError, ExprFailed, NeedsOutside, WrongArguments, WrongType
from penstock.expr.calls import Frame, spend
from penstock.expr.nodes import Args, Expr
from penstock.expr.printing import kind_of
from penstock.expr.registry import Word


def bind(word: Word, args: Args) -> list[Expr | None]:
    """Give the expressions in the order of the word's parameters, None for a default; raises WrongArguments."""
    parameters = word.parameters
    many = bool(parameters) and parameters[-1].many
    if len(args.positional) > len(parameters) and not many:
        count = len(parameters)
        takes = "no arguments" if count == 0 else "one argument" if count == 1 else f"{count} arguments at most"
        raise WrongArguments(f"`{word.name}` takes {takes}, not {len(args.positional)}.", hint=_as(word))
    bound: list[Expr | None] = list(args.positional)
    names = [parameter.name for parameter in parameters if not parameter.many]
    bound += [None] * (len(names) - len(bound))
    for name, value in args.named:
        if name not in names:
            raise WrongArguments(
                f"`{word.name}` has no argument `{name}`.",
                hint=" ".join(filter(None, [nearest(name, names), _as(word)])),
            )
        index = names.index(name)
        if bound[index] is not None:
            raise WrongArguments(f"The argument `{name}` of `{word.name}` is given twice.", hint=_as(word))
        bound[index] = value
    for parameter, given in zip(parameters, bound, strict=False):
        if given is None and parameter.required:
            raise WrongArguments(f"`{word.name}` needs the argument `{parameter.name}`.", hint=_as(word))
    return bound


def invoke(word: Word, frame: Frame, subject: tuple[object, ...], values: Sequence[object]) -> object:
    """Call a word's Python function with values whose kinds are checked first; its failures are ExprErrors."""
    spend(frame, 1)
    for value in subject:
        if word.subject and not _fits(value, word.subject):
            raise WrongType(f"`{word.name}` works on {_wanted(word.subject)}, not {kind_of(value)}.")
        spend(frame, size_of(value))
    parameters = word.parameters
    last = len(parameters) - 1
    given = list(values)
    for index, value in enumerate(given):
        parameter = parameters[min(index, last)]
        if value is None and not parameter.required and not parameter.many:
            given[index] = parameter.default
        elif parameter.kinds and not _fits(value, parameter.kinds):
            raise WrongType(
                f"The argument `{parameter.name}` of `{word.name}` is {_wanted(parameter.kinds)}, not {kind_of(value)}."
            )
    try:
        result = word.call(frame, *subject, *given) if word.framed else word.call(*subject, *given)
    except PenstockError:
        raise
    except (ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise ExprFailed(f"`{word.name}` failed: {error}.", hint=_as(word)) from error
    spend(frame, size_of(result))
    return result


def reach_out(word: Word, frame: Frame, values: Sequence[object], named: dict[str, object]) -> object:
    """Call the function that the outside gives for this word."""
    spend(frame, 1)
    call = frame.calls.functions.get(word.name)
    if call is None:
        raise NeedsOutside(f"`{word.name}` reaches out, and here only data is at hand.")
    clock = frame.calls.clock
    began = clock() if clock is not None else 0
    try:
        return call(*values, **named)
    except ExprError:
        raise
    except Exception as error:
        if isinstance(error, PenstockError):
            raise ExprFailed(f"`{word.name}` failed: {error.sentence}", hint=error.hint) from error
        raise ExprFailed(f"`{word.name}` failed: {str(error) or type(error).__name__}") from error
    finally:
        if clock is not None:
            frame.fuel[2] += clock() - began


def size_of(value: object) -> int:
    """Tell how much work a value may be, in steps: 64 characters or 16 elements are one."""
    if isinstance(value, str):
        return len(value) >> 6
    return len(value) >> 4 if isinstance(value, (list, dict)) else 0


def _fits(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)


def _wanted(kinds: tuple[type, ...]) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list"}
    known = [names.get(kind, "a map" if kind.__name__ == "Mapping" else f"a {kind.__name__}") for kind in kinds]
    if "a number" in known:
        known = [name for name in known if name != "a whole number"]
    return " or ".join(name for name in dict.fromkeys(known) if name not in ("a tuple", "a NoneType"))


def _as(word: Word) -> str:
    return f"It is written `{word.signature}`."
