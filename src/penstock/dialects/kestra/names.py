"""By which names are the ways of arranging tasks known? Task types' names stand in the registry alone."""

from __future__ import annotations

from typing import Final

PACKAGES: Final = ("io.kestra.plugin.core.flow.", "io.kestra.core.tasks.flows.")
OLD_PACKAGE: Final = "io.kestra.core."

GROUPS: Final = {
    "Sequential": "sequence",
    "Parallel": "parallel",
    "ForEach": "foreach",
    "EachSequential": "each_sequential",
    "EachParallel": "each_parallel",
    "If": "if",
    "Switch": "switch",
    "Subflow": "subflow",
    "AllowFailure": "allow_failure",
    "Dag": "dag",
    "Pause": "pause",
    "WaitFor": "loop_until",
    "LoopUntil": "loop_until",
    "WorkingDirectory": "working_directory",
    "ForEachItem": "foreach_item",
    "Loop": "loop",
}
REFUSED: Final = {
    "Template": "template",
    "Approval": "approval",
}
WHY: Final = {
    "template": ("Templates are not kept here.", "Make it a flow of its own, and call it with a `subflow`."),
    "approval": (
        "`Approval` is not among the tasks of Kestra's open engine.",
        "A `pause` asks people: `onResume` for what they say, `resumers` for who may.",
    ),
}
OLDER: Final = {"Flow": "subflow"}
REPLACED: Final = {"each_sequential": "ForEach", "each_parallel": "ForEach"}

SHORT: Final = {
    **{short: short for short in (*GROUPS.values(), *REFUSED.values())},
    **{package + word: short for package in PACKAGES for word, short in (GROUPS | REFUSED).items()},
    **{PACKAGES[1] + word: short for word, short in OLDER.items()},
}
