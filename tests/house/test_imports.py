"""Can everything reach everything? No: no import cycle, no import hidden in a function, no vendor at the door."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator

from tests.house.source import Page, offenders, own_pages, page, pages

OURS = frozenset({"penstock", "projects", "bench", "tools", "tests"})

# The libraries of the core, as they are imported.
CORE = frozenset(
    {
        "click",
        "cronsim",
        "httptools",
        "msgspec",
        "obstore",
        "regex",
        "rich",
        "starlette",
        "uvicorn",
        "watchfiles",
        "yaml",
        "zstandard",
    }
)

# Files that are a vendor's library in our words and loaded only when it is wanted, each with its reason.
GIVEN = "src/penstock/plugins/scripts/given/python"
VENDORS_OWN: dict[str, str] = {
    f"{GIVEN}/kestra.py": "it stands beside what it imports, in a folder of the scripts' own path",
    f"{GIVEN}/penstock.py": "it stands beside what it imports, in a folder of the scripts' own path",
    "src/penstock/testing/collecting.py": "only pytest loads it, as a plugin of its own",
}

# Files that may name a module of ours in a text, each with its reason.
BY_NAME = {
    "src/penstock/runners/process/zygote.py": "one self-contained file: it must load where penstock is not installed",
}


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module_name(each): set(imports_of(each)) for each in own_pages()}

    knots = [" <-> ".join(sorted(knot)) for knot in strongly_connected(graph) if len(knot) > 1]

    assert not knots, offenders("Import cycles", knots)


def test_our_own_modules_are_never_imported_inside_a_function() -> None:
    hidden = [
        f"{each.path}:{node.lineno} {ast.unparse(node)}"
        for each in pages()
        for node in imports_in_functions(each.tree)
        if OURS & roots(node)
    ]

    assert not hidden, offenders("Own imports inside functions", hidden)


def test_no_own_module_is_reached_by_a_name_put_together_at_run_time() -> None:
    """The one door for names from data is the entry points, and those belong to the plugins."""
    dynamic = [
        f"{each.path}:{node.lineno} {ast.unparse(node)}"
        for each in own_pages()
        if each.path not in BY_NAME
        for node in ast.walk(each.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "importlib.import_module")
        if any(isinstance(argument, ast.Constant | ast.JoinedStr) for argument in node.args)
        if "penstock" in ast.unparse(node)
    ]

    assert not dynamic, offenders("Own modules imported by text", dynamic)


def test_a_vendors_library_is_imported_where_it_runs() -> None:
    early = [
        f"{each.path}:{node.lineno} {ast.unparse(node)}"
        for each in own_pages()
        for node in imports_at_the_top(each.tree)
        if (roots(node) - sys.stdlib_module_names - OURS - CORE) and each.path not in VENDORS_OWN
    ]

    assert not early, offenders("Vendors' libraries imported at the top of a file", early)


def test_only_the_app_names_a_database() -> None:
    named = [
        f"{each.path} imports {target}"
        for each in own_pages()
        if not module_name(each).startswith(("penstock.app", "penstock.store."))
        for target in imports_of(each)
        if target.startswith(("penstock.store.sqlite", "penstock.store.postgres"))
    ]

    assert not named, offenders("Databases named outside the app", named)


def imports_at_the_top(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import statement that runs when the file is imported; those for type checkers do not."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.Try | ast.If) and ast.unparse(getattr(node, "test", node)) != "TYPE_CHECKING":
            yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom))


def module_name(source: Page) -> str:
    """The dotted name of a file of the package."""
    return source.path.removeprefix("src/").removesuffix(".py").replace("/", ".").removesuffix(".__init__")


@functools.cache
def own_modules() -> frozenset[str]:
    """The dotted names of all files of the package."""
    return frozenset(module_name(each) for each in own_pages())


def imports_of(source: Page) -> Iterator[str]:
    """The modules of the package that a file imports, those for type checkers only included."""
    known = own_modules()
    for node in ast.walk(source.tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name in known)
            case ast.ImportFrom(module=str(origin), names=names, level=0) if origin in known:
                inner = [f"{origin}.{name.name}" for name in names]
                yield from (name if name in known else origin for name in inner)
            case _:
                continue


def imports_in_functions(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import statement that only runs when a function does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom))


def roots(node: ast.Import | ast.ImportFrom) -> set[str]:
    """The top-level packages that an import statement names; a relative one names ours."""
    if isinstance(node, ast.Import):
        return {name.name.partition(".")[0] for name in node.names}
    return {"penstock"} if node.level else {(node.module or "").partition(".")[0]}


def strongly_connected(graph: dict[str, set[str]]) -> list[set[str]]:
    """The sets of modules that all reach each other (Tarjan)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        path.append(module)
        for target in graph.get(module, ()):
            if target not in order:
                visit(target)
                lowest[module] = min(lowest[module], lowest[target])
            elif target in path:
                lowest[module] = min(lowest[module], order[target])
        if lowest[module] == order[module]:
            knot = set(path[path.index(module) :])
            del path[path.index(module) :]
            found.append(knot)

    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10 * len(graph) + 1000))
    for module in graph:
        if module not in order:
            visit(module)
    return found


def test_the_cycle_finder_finds_a_cycle() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}

    knots = strongly_connected(graph)

    assert {"b", "c"} in knots
    assert sorted(len(knot) for knot in knots) == [1, 1, 2]


def test_the_import_reader_reads_this_very_page() -> None:
    here = page("tests/house/test_imports.py")

    found = [roots(node) for node in ast.walk(here.tree) if isinstance(node, ast.Import | ast.ImportFrom)]

    assert {"ast"} in found
    assert {"tests"} in found
