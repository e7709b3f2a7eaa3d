"""Is every verb that changes something declared with its right, so that neither a command nor the API can forget it?"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import PurePath

from penstock.api.route import Where
from penstock.api.routes.table import SERVED
from penstock.services.access.audited import AUDITED
from tests.house.source import Page, offenders, own_pages

SERVICES = "src/penstock/services/"
# What Penstock does by itself: the work of runs, and what keeps the house in order. Their stories tell of it.
ITSELF = (
    "worker/",
    "firing",
    "looking",
    "scheduler/",
    "apply",
    "admission",
    "cached",
    "claims",
    "fold",
    "reports",
    "sweep",
    "access/witness",
)
# Functions that write and are no verbs, each with its reason.
UNTOLD = {
    "penstock.services.access.bearers._note": "that a token is in use, is no act",
    "penstock.services.access.bearers.expire": "what is past its time, is worth nothing already",
    "penstock.services.access.delay.counted": "failed logins are counted, and nothing came of them",
    "penstock.services.access.delay.forgiven": "part of a login",
    "penstock.services.access.oidc.begin": "a login that is on its way, of whoever it is",
    "penstock.services.access.oidc.finish": "takes that back; the session that it opens is told of",
    "penstock.services.access.sessions.first_owner": "nobody is there yet whose act it could be",
    "penstock.services.audit.forget": "part of pruning; the chain tells of it by itself",
    "penstock.services.audit.seal": "moves what was told",
    "penstock.services.flows.sync_unknown": "rows that an earlier Penstock did not keep yet",
    "penstock.services.git.sync.sync": "what was seen of a branch; what that changes is told of by itself",
    "penstock.services.namespace_files.forget": "part of pruning what was deleted long ago",
    "penstock.services.runs.tell": "the word that each verb about a run says",
    "penstock.services.secrets.given._first_key": "a key that seals what is told of by whoever gives it",
    "penstock.services.stats.sum_up": "the sum of what is there stays what it is",
    "penstock.services.starting.insert": "part of every verb that starts runs; schedules start them, too",
}
# Commands that stand for Penstock, or only look, each with its reason.
FOR_ITSELF = {
    "src/penstock/cli/worker.py": "does the work of runs",
    "src/penstock/cli/serve.py": "who asks is known by each call",
    "src/penstock/cli/dev.py": "the same; what is saved is told of as the caller's",
    "src/penstock/cli/suggest.py": "only looks, for the shell's completion",
    "src/penstock/cli/db.py": "looks, and brings the schema up to date",
}
# Calls that are neither GET nor HEAD and change nothing, each with its reason.
HARMLESS = {
    "validate_flows": "reads a text and keeps nothing of it",
    "check_flows": "the same",
    "check_execution": "tries inputs and keeps nothing but their files, of which the audit tells",
}


def writers(page: Page) -> Iterator[ast.FunctionDef]:
    """The functions of a page, not of its classes, that write to the store."""
    for node in page.tree.body:
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(each, ast.Attribute) and each.attr == "write" and ast.unparse(each.value).endswith("store")
            for each in ast.walk(node)
        ):
            yield node


def verbs_of(page: Page, node: ast.FunctionDef, name: str) -> set[str]:
    """Whose a write is: a function's own, or that of each public one of its page that comes to it."""
    if name in AUDITED or name in UNTOLD or not node.name.startswith("_"):
        return {name}
    own = [each for each in page.tree.body if isinstance(each, ast.FunctionDef)]
    near = [each for each in own if each is not node and node.name in set(map(last_word, ast.walk(each)))]
    return {one for each in near for one in verbs_of(page, each, name_of(page, each))} or {name}


def name_of(page: Page, node: ast.FunctionDef) -> str:
    """A function's whole name."""
    return f"{module_of(page)}.{node.name}"


def module_of(page: Page) -> str:
    """The name by which a page is imported."""
    return ".".join(PurePath(page.path).with_suffix("").parts[1:]).removesuffix(".__init__")


def test_every_verb_that_writes_is_declared_with_its_right() -> None:
    undeclared: list[str] = []
    met: set[str] = set()
    for page in own_pages():
        rest = page.path.removeprefix(SERVICES)
        if rest == page.path or rest.startswith(ITSELF):
            continue
        for node in writers(page):
            name = name_of(page, node)
            importlib.import_module(name.rpartition(".")[0])
            verbs = verbs_of(page, node, name)
            met |= verbs
            if not verbs <= {*AUDITED, *UNTOLD}:
                undeclared.append(f"{page.path}:{node.lineno} {node.name}")

    assert not undeclared, offenders("Verbs without `@audited(right, verb, object)`", undeclared)
    assert not (stale := sorted(set(UNTOLD) - met)), offenders("Exceptions to remove", stale)


def test_only_services_write() -> None:
    elsewhere = [
        f"{page.path}:{node.lineno} {node.name}"
        for page in own_pages()
        if page.path.startswith(("src/penstock/api/", "src/penstock/cli/"))
        for node in writers(page)
        if "core.store.write" in ast.unparse(node) and page.path != "src/penstock/cli/trial.py"
    ]

    assert not elsewhere, offenders("Commands and routes that write by themselves", elsewhere)


def test_every_command_says_for_whom_it_acts() -> None:
    silent = [
        f"{page.path}:{node.lineno}"
        for page in own_pages()
        if page.path.startswith("src/penstock/cli/") and page.path not in FOR_ITSELF
        for node in ast.walk(page.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "open_app"
        if "actor" not in {each.arg for each in node.keywords}
    ]

    assert not silent, offenders("Calls of `open_app` without `actor=caller()`", silent)


def test_every_route_that_changes_something_calls_a_declared_verb() -> None:
    declared = told_verbs()
    silent = []
    for route in SERVED:
        if route.method in ("GET", "HEAD") or route.name in HARMLESS:
            continue
        if route.where is not Where.PUBLIC and not reached(route.handler) & declared:
            silent.append(f"{route.method} {route.path}: {route.name}")

    assert not silent, offenders("Routes that tell the audit nothing", silent)


def told_verbs() -> set[str]:
    """The names of declared verbs, and of functions beside them that call one (`push`, which stores what is new)."""
    found = {name.rpartition(".")[2] for name in AUDITED if name.startswith("penstock.")}
    for page in own_pages():
        own = {name.rpartition(".")[2] for name in AUDITED if name.rpartition(".")[0] == module_of(page)}
        for node in page.tree.body if own else ():
            if isinstance(node, ast.FunctionDef) and own & set(map(last_word, ast.walk(node))):
                found.add(node.name)
    return found


def reached(handler: object) -> set[str]:
    """The names that a handler calls, and those that functions of its module called by it do."""
    module, name = str(getattr(handler, "__module__", "")), str(getattr(handler, "__name__", ""))
    path = f"src/{module.replace('.', '/')}.py"
    tree = next(page.tree for page in own_pages() if page.path == path)
    own = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found: set[str] = set()
    waiting = [name]
    while waiting:
        node = own.get(waiting.pop())
        called = set(map(last_word, ast.walk(node))) - found if node else set()
        found |= called
        waiting += [each for each in called if each in own]
    return found


def last_word(node: ast.AST) -> str:
    """The last word of what a node names: `kill` of `verbs.kill`."""
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return word
        case _:
            return ""
