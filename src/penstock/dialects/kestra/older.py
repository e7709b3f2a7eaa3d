"""Which words of the language are older ones, and what has taken their place? They work, and are told."""

from __future__ import annotations

from typing import Final

from penstock.dialects.kestra.names import OLD_PACKAGE, PACKAGES, REPLACED
from penstock.dialects.kestra.page import Page, shown, tell
from penstock.dialects.kestra.tree import Map, Tree
from penstock.dialects.kestra.types import TypeInfo
from penstock.errors import Severity
from penstock.errors.flow import Deprecated

# By the name that a task type has here: what to write in its place.
TYPES: Final = {
    "echo": "A `log` writes a `message`.",
    "state.get": "`kv.get` reads what is kept from run to run.",
    "state.set": "`kv.set` keeps what later runs want.",
    "state.delete": "`kv.delete` forgets what was kept.",
    "files.local": "`inputFiles` and `outputFiles` of a task, or of its working directory, do it.",
}
# Version 2 has these among the tasks that call its own interface, which here nobody needs.
GONE: Final = {
    "runs.count": "They are gone in version 2.",
    "runs.resume": "They are gone in version 2.",
    "trigger.toggle": "They are gone in version 2.",
}
IN_2: Final = {"foreach": "Loop", "foreach_item": "Loop"}
RENAMED: Final = {"WaitFor": "LoopUntil"}


def tell_older(page: Page, at: Tree, sentence: str, hint: str = "") -> None:
    """Note that a word is an older one; it works."""
    tell(page, Deprecated, at, sentence, hint, Severity.NOTE)


def of_type(page: Page, found: Tree, word: str, short: str, info: TypeInfo | None) -> None:
    """Note a type that is an older one, or that is named as older versions named it."""
    last = word.rpartition(".")[2]
    name = info.name if info else ""
    if name in TYPES:
        tell_older(page, found, f'Tasks of type "{shown(word)}" are an older way.', TYPES[name])
    elif page.version == "2" and name in GONE:
        tell_older(page, found, f'Tasks of type "{shown(word)}" still work.', GONE[name])
    elif short in REPLACED:
        tell_older(page, found, f'"{word}" is the older way to write {REPLACED[short]}.')
    elif page.version != "0.20" and last in RENAMED and short:
        tell_older(page, found, f'"{word}" is now called "{PACKAGES[0]}{RENAMED[last]}".')
    elif page.version == "2" and short in IN_2 and word != short:
        sentence = f'"{word}" is gone in version 2; it still works.'
        tell_older(page, found, sentence, f"A `{IN_2[short]}` takes its place.")
    elif word.startswith(OLD_PACKAGE) and (short or info):
        tell_older(page, found, f'"{shown(word)}" is an old name of "{short or name}".')


def of_property(page: Page, tree: Map, key: str, info: TypeInfo) -> None:
    """Note a property that its type declares as an older one."""
    about = info.fields.get(key)
    if about is not None and about.deprecated and tree.keys[key].line:
        tell_older(page, tree.keys[key], f'"{key}" is an older word: {about.deprecated}.')


def of_pause(page: Page, tree: Map) -> None:
    """Note the words that a pause had before."""
    for key in ("delay", "timeout"):
        if key in tree.entries and page.version != "0.20":
            newer = "`pauseDuration`" if key == "delay" else "`pauseDuration` with `behavior: FAIL`"
            tell_older(page, tree.keys[key], f'"{key}" of a pause is an older word: {newer} says it.')
    if "tasks" in tree.entries:
        sentence = "A pause with `tasks` is the older way to write tasks behind a pause."
        tell_older(page, tree.keys["tasks"], sentence, "They follow it in the list that it stands in.")
