"""Which task types are ours? Writes `sdk/builtin.py` and the entry points in `pyproject.toml` from the code."""

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
PROJECT = ROOT / "pyproject.toml"
HEAD = '''"""Where are our own task types? Name → module and class, alias → name; written by `tools/task_index.py`."""

from __future__ import annotations

from typing import Final

'''


def main() -> None:
    """Write both files."""
    kinds = own_types()
    INDEX.write_text(index(kinds))
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
    pairs = sorted((alias, kind.type_name) for kind in kinds for alias in kind.aliases)
    aliases = "".join(f'    "{alias}": "{name}",\n' for alias, name in pairs)
    return f"{HEAD}TYPES: Final[dict[str, str]] = {{\n{types}}}\n\nALIASES: Final[dict[str, str]] = {{\n{aliases}}}\n"


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
