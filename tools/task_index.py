"""Which task types are ours? Writes the two indexes in `sdk` and `pyproject.toml`'s entry points from the code."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

from penstock import plugins
from penstock.sdk.registry import GROUP
from penstock.sdk.task import TaskType

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "src/penstock/sdk/builtin.py"
ALIASES = ROOT / "src/penstock/sdk/aliases.py"
PROJECT = ROOT / "pyproject.toml"
HEAD = """

from __future__ import annotations

from typing import Final

"""
TYPES_HEAD = f'"""Where are our own task types? Name → module and class; written by `tools/task_index.py`."""{HEAD}'
ALIASES_HEAD = f'"""Under which further names are our own task types known? Written by `tools/task_index.py`."""{HEAD}'


def main() -> None:
    """Write all three files."""
    kinds = own_types()
    INDEX.write_text(index(kinds))
    ALIASES.write_text(aliases(kinds))
    PROJECT.write_text(with_entry_points(PROJECT.read_text(), kinds))


def own_types() -> list[type[TaskType]]:
    """Every class under `penstock.plugins` that has a name of its own."""
    found: dict[str, type[TaskType]] = {}
    for page in pkgutil.walk_packages(plugins.__path__, "penstock.plugins."):
        module = importlib.import_module(page.name)
        for value in vars(module).values():
            ours = isinstance(value, type) and issubclass(value, TaskType) and value.__module__ == page.name
            if ours and "type_name" in value.__dict__:
                found[value.type_name] = value
    return [found[name] for name in sorted(found)]


def index(kinds: list[type[TaskType]]) -> str:
    """The text of `sdk/builtin.py`."""
    types = "".join(f'    "{kind.type_name}": "{where(kind)}",\n' for kind in kinds)
    return f"{TYPES_HEAD}TYPES: Final[dict[str, str]] = {{\n{types}}}\n"


def aliases(kinds: list[type[TaskType]]) -> str:
    """The text of `sdk/aliases.py`."""
    pairs = sorted((alias, kind.type_name) for kind in kinds for alias in kind.aliases)
    lines = "".join(f'    "{alias}": "{name}",\n' for alias, name in pairs)
    return f"{ALIASES_HEAD}ALIASES: Final[dict[str, str]] = {{\n{lines}}}\n"


def with_entry_points(text: str, kinds: list[type[TaskType]]) -> str:
    """The text of `pyproject.toml` with our entry points in it."""
    head = f'[project.entry-points."{GROUP}"]\n'
    lines = "".join(f'"{kind.type_name}" = "{where(kind)}"\n' for kind in kinds)
    section = re.compile(re.escape(head) + r'(?:"[^\n]*\n)*')
    if section.search(text):
        return section.sub(lambda _: head + lines, text)
    return text.replace("[dependency-groups]", f"{head}{lines}\n[dependency-groups]", 1)


def where(kind: type[TaskType]) -> str:
    """Module and class, as an entry point says it."""
    return f"{kind.__module__}:{kind.__name__}"


if __name__ == "__main__":
    main()
