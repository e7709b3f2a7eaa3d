"""What does a jq program give? Each node turns an input into results, each with its path where one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from penstock.errors import nearest
from penstock.errors.expr import ExprFailed, ExprLimit
from penstock.expr.calls import Frame, fits, spend
from penstock.expr.jq import nodes
from penstock.expr.jq.calling import BreakOut, Env, Function, Path, Result, Stream, values, with_variable
from penstock.expr.jq.making import made, matched
from penstock.expr.jq.nodes import Node
from penstock.expr.jq.plain import PLAIN
from penstock.expr.jq.prelude import prelude
from penstock.expr.jq.reading import program
from penstock.expr.jq.streams import STREAMS
from penstock.expr.jq.values import MOST_ELEMENTS, JqError, item_of, kind, part_of, shown, text, truth


def results(text_: str, value: object, frame: Frame) -> list[object]:
    """Run a program over a value; raises ExprError."""
    node = program(text_)
    found: list[object] = []
    try:
        for _, result in run(node, Env(frame, run), None, value):
            spend(frame, 1)
            found.append(result)
            fits(len(found), MOST_ELEMENTS)
    except JqError as error:
        # `error(null)` ends a program, and is no failure.
        if error.value is None:
            return found
        raise ExprFailed(f"`jq` failed: {text(error.value)[:200]}.") from None
    except BreakOut:
        raise ExprFailed("`jq` failed: a `break` has no label.") from None
    except RecursionError:
        raise ExprLimit("The jq program, or a value in it, nests too deep.") from None
    return found


def run(node: Node, env: Env, path: Path, value: Any) -> Iterator[Result]:
    """Give the results of a node on an input; with a path, the results have paths too."""
    spend(env.frame, 1)
    match node:
        case nodes.Identity():
            yield path, value
        case nodes.Index() | nodes.Slice() | nodes.Each() | nodes.Everything():
            yield from _below(node, env, path, value)
        case nodes.Pipe():
            for inner, found in run(node.left, env, path, value):
                yield from run(node.right, env, inner, found)
        case nodes.Comma():
            yield from run(node.left, env, path, value)
            yield from run(node.right, env, path, value)
        case nodes.Call():
            yield from _call(node, env, path, value)
        case nodes.If():
            for _, holds in run(node.condition, env, None, value):
                yield from run(node.then if truth(holds) else node.otherwise, env, path, value)
        case nodes.Try():
            yield from _try(node, env, path, value)
        case nodes.Operation(operator="//"):
            yield from _alternative(node, env, path, value)
        case nodes.Bind() | nodes.Reduce() | nodes.Foreach():
            yield from _bound(node, env, path, value)
        case nodes.Define():
            functions = dict(env.functions)
            inner_env = Env(env.frame, run, env.variables, functions)
            functions[node.name, len(node.parameters)] = Function(node.parameters, node.body, inner_env)
            yield from run(node.rest, inner_env, path, value)
        case nodes.Label():
            yield from _label(node, env, path, value)
        case nodes.Break():
            if node.name not in env.variables:
                raise JqError(f"{node.name} is not defined")
            raise BreakOut(env.variables[node.name])
        case _:
            if path is not None:
                raise JqError(f"Invalid path expression with result {shown(value)[:60]}")
            yield from ((None, found) for found in made(node, env, value))


def _below(
    node: nodes.Index | nodes.Slice | nodes.Each | nodes.Everything, env: Env, path: Path, value: Any
) -> Iterator[Result]:
    match node:
        case nodes.Index():
            for inner, of in run(node.of, env, path, value):
                for key in values(node.key, env, value):
                    yield None if inner is None else (*inner, key), item_of(of, key)
        case nodes.Slice():
            for inner, of in run(node.of, env, path, value):
                for end in values(node.end, env, value) if node.end is not None else (None,):
                    for start in values(node.start, env, value) if node.start is not None else (None,):
                        key = {"start": start, "end": end}
                        yield None if inner is None else (*inner, key), part_of(of, start, end)
        case nodes.Each():
            for inner, of in run(node.of, env, path, value):
                if not isinstance(of, (list, dict)):
                    raise JqError(f"Cannot iterate over {kind(of)}")
                for key, item in of.items() if isinstance(of, dict) else enumerate(of):
                    yield None if inner is None else (*inner, key), item
        case nodes.Everything():
            yield path, value
            if isinstance(value, (list, dict)):
                for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                    yield from run(node, env, None if path is None else (*path, key), item)


def _call(node: nodes.Call, env: Env, path: Path, value: Any) -> Iterator[Result]:
    key = (node.name, len(node.args))
    known = env.functions.get(key) or prelude(key)
    if known is not None:
        yield from _called(known, node, env, path, value)
    elif key in PLAIN:
        if path is not None:
            raise JqError(f"Invalid path expression with {node.name}")
        yield from ((None, found) for found in _plain(PLAIN[key], node.args, env, value, ()))
    elif key in STREAMS:
        yield from STREAMS[key](Stream(env, node.args, path, value))
    else:
        names = [name for name, _ in (*PLAIN, *STREAMS, *env.functions)]
        raise ExprFailed(f"jq has no function `{node.name}/{len(node.args)}` here.", hint=nearest(node.name, names))


def _called(known: Function, node: nodes.Call, env: Env, path: Path, value: Any) -> Iterator[Result]:
    home = known.env or Env(env.frame, run)
    functions = dict(home.functions)
    by_value: list[tuple[str, Node]] = []
    for parameter, argument in zip(known.parameters, node.args, strict=True):
        functions[parameter.lstrip("$"), 0] = Function((), argument, env)
        if parameter.startswith("$"):
            by_value.append((parameter, argument))
    if known.env is None:
        functions[node.name, len(node.args)] = known
    inner = Env(env.frame, run, home.variables, functions)
    if not by_value:
        return run(known.body, inner, path, value)
    return _with_values(known, inner, by_value, Stream(env, (), path, value))


def _with_values(known: Function, inner: Env, pending: list[tuple[str, Node]], given: Stream) -> Iterator[Result]:
    """Call for each combination of the values of the parameters that are variables."""
    if not pending:
        yield from run(known.body, inner, given.path, given.value)
        return
    (name, argument), *rest = pending
    for found in values(argument, given.env, given.value):
        more = with_variable(inner, name, found)
        yield from _with_values(known, more, rest, given)


def _plain(
    call: Callable[..., Any], args: tuple[Node, ...], env: Env, value: Any, given: tuple[Any, ...]
) -> Iterator[Any]:
    """Call a function for each combination of its arguments' values, the last argument's going slowest."""
    if not args:
        spend(env.frame, len(value) >> 4 if isinstance(value, (str, list, dict)) else 0)
        yield call(env.frame, value, *given)
        return
    for found in values(args[-1], env, value):
        yield from _plain(call, args[:-1], env, value, (found, *given))


def _try(node: nodes.Try, env: Env, path: Path, value: Any) -> Iterator[Result]:
    try:
        yield from run(node.body, env, path, value)
    except JqError as error:
        if node.otherwise is not None and error.value is not None:
            yield from run(node.otherwise, env, None, error.value)


def _label(node: nodes.Label, env: Env, path: Path, value: Any) -> Iterator[Result]:
    mark = object()
    inner = with_variable(env, node.name, mark)
    try:
        yield from run(node.body, inner, path, value)
    except BreakOut as out:
        if out.label is not mark:
            raise


def _alternative(node: nodes.Operation, env: Env, path: Path, value: Any) -> Iterator[Result]:
    some = False
    try:
        for found in run(node.left, env, path, value):
            if truth(found[1]):
                some = True
                yield found
    except JqError:
        pass
    if not some:
        yield from run(node.right, env, path, value)


def _bound(node: nodes.Bind | nodes.Reduce | nodes.Foreach, env: Env, path: Path, value: Any) -> Iterator[Result]:
    match node:
        case nodes.Bind():
            for found in values(node.of, env, value):
                for inner in matched(node.pattern, found, env):
                    yield from run(node.body, inner, path, value)
        case nodes.Reduce():
            for start in run(node.start, env, path, value):
                state = start
                for found in values(node.of, env, value):
                    for inner in matched(node.pattern, found, env):
                        state = _last(run(node.update, inner, *state))
                yield state
        case nodes.Foreach():
            for start in run(node.start, env, path, value):
                state = start
                for found in values(node.of, env, value):
                    for inner in matched(node.pattern, found, env):
                        for made_new in run(node.update, inner, *state):
                            state = made_new
                            yield from run(node.extract, inner, *state)


def _last(found: Iterator[Result]) -> Result:
    last: Result = (None, None)
    for one in found:
        last = one
    return last
