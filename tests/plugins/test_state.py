"""Does a task type that shares its process keep nothing in its module for the task after it?"""

from __future__ import annotations

import ast
import inspect
import sys

import pytest

from penstock.sdk import registry
from penstock.sdk.task import Mode, ScriptType, TaskType

KINDS = [kind for kind in registry.all_types() if kind.__module__.startswith("penstock.plugins.")]
FOLDERS = sorted({kind.__module__.rpartition(".")[0] for kind in KINDS if kind.mode is Mode.WARM})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type_name)
def test_peoples_code_never_shares_a_process_and_all_else_of_ours_does(kind: type[TaskType]) -> None:
    assert kind.mode is Mode.FRESH if issubclass(kind, ScriptType) else kind.mode in (Mode.WARM, Mode.INLINE)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_page_of_such_types_has_a_global_or_a_cache(folder: str) -> None:
    pages = [module for name, module in sys.modules.items() if name.startswith(f"{folder}.")]

    nodes = [node for page in pages for node in ast.walk(ast.parse(inspect.getsource(page)))]

    assert not [node for node in nodes if isinstance(node, ast.Global)]
    named = [ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute | ast.Name)]
    assert not [name for name in named if name.rpartition(".")[2] in ("cache", "lru_cache")]
    assert pages
