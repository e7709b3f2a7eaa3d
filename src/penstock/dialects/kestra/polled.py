"""What must a trigger say that a worker looks or listens for: one of a plugin's type, or one that runs a script?"""

from __future__ import annotations

from typing import Final

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.page import Page, note_templates, shown, tell
from penstock.dialects.kestra.tree import Map, Scalar, Tree, plain, spot
from penstock.dialects.kestra.types import TypeInfo
from penstock.errors import Severity, nearest
from penstock.errors.flow import UnfitProperty, UnknownType

# Such a trigger bears the name of the task type that it runs.
KINDS: Final = {"ScriptTrigger": "script", "CommandsTrigger": "commands"}
OWN: Final = ("exitCondition", "edge", "interval")


def runs_script(word: str) -> bool:
    """Whether a trigger's type names a script task that it runs."""
    return word.rpartition(".")[2] in KINDS


def kind_of(page: Page, tree: Map, found: Tree, word: str, common: tuple[str, ...]) -> str:
    """Whether a trigger is polling or listening, or neither (the empty text); what is wrong with it is noted."""
    if runs_script(word):
        _check_script(page, tree, found, word, common)
        return "polling"
    info = page.types.find(word)
    if info is not None and info.fires:
        _check_known(page, tree, info, common)
        return info.fires
    last = word.rpartition(".")[2].lower()
    if info is not None or not last.endswith("trigger"):
        return ""
    names = [name for name in page.types.names() if name.rpartition(".")[2].lower().endswith("trigger")]
    hint = nearest(word, names) or "It never fires, and everything else of the flow works."
    tell(page, UnknownType, found, f'There is no trigger of type "{shown(word)}" here.', hint, Severity.WARNING)
    return "listening" if last.replace("_", "").endswith("realtimetrigger") else "polling"


def properties(page: Page, tree: Map, word: str, name: str, common: tuple[str, ...]) -> dict[str, object]:
    """What is handed to the worker that looks: the type's own, and of a type that is not known all there is."""
    info = page.types.find(word)
    declared = info.fields if info is not None else {}
    made: dict[str, object] = {}
    for key, item in tree.entries.items():
        about = declared.get(key)
        if key in ("id", "type", "interval") or (key in common and about is None):
            continue
        if about is None or about.template:
            note_templates(page, item, name, "trigger")
        made[key] = fields.text_of(item, whole=about.one) if about is not None and about.text else plain(item)
    return made


def _check_known(page: Page, tree: Map, info: TypeInfo, common: tuple[str, ...]) -> None:
    owner = f'Trigger "{shown(fields.text(page, tree, "id"))}"'
    every = ("interval",) if info.fires == "polling" else ()
    fields.known(page, tree, (*common, *every, *info.fields), owner)
    for key, about in info.fields.items():
        if about.required:
            fields.needed(page, tree, key, owner)
    given = {key: item for key, item in tree.entries.items() if key in info.fields and fields.given(tree, key)}
    said = {
        key: fields.text_of(item, whole=info.fields[key].one) if info.fields[key].text else plain(item)
        for key, item in given.items()
    }
    _misfits(page, tree, info, said, owner)


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
    _misfits(page, tree, info, said, owner)


def _misfits(page: Page, tree: Map, info: TypeInfo, said: dict[str, object], owner: str) -> None:
    for misfit in page.types.check(info.name, said):
        if misfit.path and fields.given(tree, str(misfit.path[0])) is not None:
            at = spot(tree, misfit.path, key=len(misfit.path) > 1)
            tell(page, UnfitProperty, at, f"{owner}: {misfit.sentence}", misfit.hint)
