"""What does `penstock init` do? Writes a new project: settings, two flows, tests, a README; ready to run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import click

from penstock.cli.options import HELP, json_too
from penstock.cli.said import as_json, data, note
from penstock.errors.project import FolderTaken, WrongCall
from penstock.model import ids

TEMPLATES: Final = Path(__file__).parent / "template"
# In a package a file that begins with a dot, or that is settings, would be taken for the package's own; and a module
# would be compiled when the package is installed, with what comes of that beside it.
NAMES: Final = {
    "gitignore.txt": ".gitignore",
    "penstock.txt": "penstock.yaml",
    "readme.txt": "README.md",
    "total.txt": "scripts/total.py",
}


@click.command(
    "init",
    context_settings=HELP,
    epilog="\b\nExamples:\n  penstock init shop && cd shop && penstock run flows/hello.yml\n"
    "  penstock init . --namespace shop.loading",
)
@click.argument("folder", default=".")
@click.option("--namespace", default="", help="The namespace of its flows; the folder's name by default.")
@json_too
def init(**given: Any) -> None:
    """Write a new project that runs: penstock.yaml, flows, tests, a README. Files that are there are never touched."""
    folder = Path(given["folder"])
    name = folder.absolute().name
    namespace = given["namespace"] or re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.") or "main"
    ids.check_namespace(namespace)
    if folder.exists() and not folder.is_dir():
        raise WrongCall(f"{folder} is a file.")
    if (folder / "penstock.yaml").exists():
        raise FolderTaken(f"{folder.absolute()} holds a project already.")
    made: list[str] = []
    for source in sorted(TEMPLATES.rglob("*")):
        if source.is_dir() or source.parent.name == "__pycache__":
            continue
        place = source.relative_to(TEMPLATES)
        target = folder / place.parent / NAMES.get(place.name, place.name)
        if target.exists():
            note(f"{target} is there already and stays as it is.")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8").replace("NAMESPACE", namespace).replace("PROJECT", name)
        target.write_text(text, encoding="utf-8")
        made.append(str(target))
    if given["json"]:
        as_json({"project": str(folder.absolute()), "namespace": namespace, "files": made})
        return
    data("\n".join(made))
    where = "" if folder.absolute() == Path.cwd() else f"cd {folder} && "
    note(f"\nRun it:  {where}penstock run flows/hello.yml -i who=you")
