"""What does the reference say? `python -m tools.reference` writes docs/en/reference from the code it describes.

With `--check` nothing is written: the pages that are out of date are named, and the exit code is 1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tools.accounts import Account, cell, commands, errors, expressions, settings, task_types
from tools.constructs import constructs
from tools.endpoints import endpoints

PAGES = Path(__file__).resolve().parent.parent / "docs" / "en" / "reference"
HEAD = "<!-- Written by `make docs` from the code; a change here is lost. -->\n\n"
ACCOUNTS = {
    "api": endpoints,
    "commands": commands,
    "errors": errors,
    "expressions": expressions,
    "kestra": constructs,
    "settings": settings,
    "task-types": task_types,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or name those that are not as the code would have them."""
    stale = [(path, text) for path, text in pages() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path, _ in stale:
            sys.stderr.write(f"Out of date: docs/en/reference/{path.name} (make docs)\n")
        return 1 if stale else 0
    PAGES.mkdir(parents=True, exist_ok=True)
    for path, text in stale:
        path.write_text(text, encoding="utf-8")
        sys.stderr.write(f"Wrote docs/en/reference/{path.name}\n")
    return 0


def pages() -> Iterator[tuple[Path, str]]:
    """Every page of the reference with the text it should have; the index is the last."""
    told = {name: account for name, give in ACCOUNTS.items() if (account := give()) is not None}
    for name, account in told.items():
        yield PAGES / f"{name}.md", HEAD + written(account)
    rows = "".join(f"| [{account.title}]({name}.md) | {cell(account.about)} |\n" for name, account in told.items())
    yield PAGES / "README.md", f"{HEAD}# Reference\n\n| | |\n|---|---|\n{rows}"


def written(account: Account) -> str:
    """A page as Markdown."""
    body = "\n".join(section.rstrip() + "\n" for section in account.sections)
    return f"# {account.title}\n\n{account.about}\n\n{body}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
