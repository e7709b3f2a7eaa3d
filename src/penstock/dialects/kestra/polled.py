"""What must a trigger say that runs a script, and starts a run when the script ends as it should?"""

from __future__ import annotations

from typing import Final

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.page import Page, shown, tell
from penstock.dialects.kestra.tree import Map, Scalar, Tree, plain, spot
from penstock.errors import nearest
from penstock.errors.flow import UnfitProperty, UnknownType

# Such a trigger bears the name of the task type that it runs.
KINDS: Final = {"ScriptTrigger": "script", "CommandsTrigger": "commands"}
OWN: Final = ("exitCondition", "edge", "interval")


def runs_script(word: str) -> bool:
    """Whether a trigger's type names a script task that it runs."""
    return word.rpartition(".")[2] in KINDS


def check(page: Page, tree: Map, found: Tree, word: str, common: tuple[str, ...]) -> None:
    """Note what is wrong with a trigger that looks again and again, as far as its type is known here."""
    if runs_script(word):
        _check_script(page, tree, found, word, common)
    elif word.endswith(".http.Trigger"):
        fields.needed(page, tree, "uri", f'Trigger "{shown(fields.text(page, tree, "id"))}"')


def _check_script(page: Page, tree: Map, found: Tree, word: str, common: tuple[str, ...]) -> None:
    """Note what is wrong with a trigger that runs a script: its language, what it lacks, what nobody knows."""
    task = word.removesuffix("Trigger")
    info = page.types.find(task)
    if info is None:
        known = [f"{name}Trigger" for name in page.types.names() if name.endswith((".Script", ".Commands"))]
        tell(page, UnknownType, found, f'There is no trigger of type "{shown(word)}".', nearest(word, known))
        return
    owner = f'Trigger "{shown(fields.text(page, tree, "id"))}"'
    fields.known(page, tree, (*common, *OWN, *info.fields), owner)
    fields.needed(page, tree, KINDS[word.rpartition(".")[2]], owner)
    fields.needed(page, tree, "exitCondition", owner)
    edge = fields.given(tree, "edge")
    if not (isinstance(edge, Scalar) and "{{" in edge.text):
        fields.flag(page, tree, "edge", default=True)
    said = {key: plain(item) for key, item in tree.entries.items() if key in info.fields and key not in common}
    for misfit in page.types.check(info.name, said):
        if misfit.path and fields.given(tree, str(misfit.path[0])) is not None:
            at = spot(tree, misfit.path, key=len(misfit.path) > 1)
            tell(page, UnfitProperty, at, f"{owner}: {misfit.sentence}", misfit.hint)
