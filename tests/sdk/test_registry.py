"""Are task types found by every name, ours and other people's, without importing the rest?"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors.task import BrokenTaskType, UnknownTaskType
from penstock.sdk import registry
from penstock.sdk.aliases import ALIASES
from penstock.sdk.builtin import TYPES
from tools import task_index

ROOT = Path(__file__).resolve().parent.parent.parent
OTHERS = '''
"""A task type of somebody else."""
from typing import Annotated, ClassVar
from msgspec import Meta
from penstock.sdk import Context, TaskType

class Hello(TaskType, frozen=True, kw_only=True):
    """Say hello."""
    type_name: ClassVar[str] = "acme.hello"
    aliases: ClassVar[tuple[str, ...]] = ("com.acme.Hello",)
    name: Annotated[str, Meta(description="Whom to greet.")]

    def run(self, context: Context) -> dict[str, object]:
        return {"said": f"Hello {self.name}"}

not_a_type = 5
'''


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package of somebody else, with a good entry point and two bad ones."""
    info = tmp_path / "acme_tasks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-tasks\nVersion: 1.0\n")
    points = ["acme.hello = acme_tasks:Hello", "acme.gone = acme_missing:Gone", "acme.five = acme_tasks:not_a_type"]
    (info / "entry_points.txt").write_text("\n".join([f"[{registry.GROUP}]", *points]))
    (tmp_path / "acme_tasks.py").write_text(OTHERS)
    monkeypatch.syspath_prepend(tmp_path)
    registry._offered.cache_clear()
    yield
    registry._offered.cache_clear()


def test_the_index_and_the_entry_points_are_those_of_the_code() -> None:
    kinds = task_index.own_types()

    assert task_index.INDEX.read_text() == task_index.index(kinds)
    points = tomllib.loads(task_index.PROJECT.read_text())["project"]["entry-points"][registry.GROUP]
    assert points == {kind.type_name: task_index.where(kind) for kind in kinds} == TYPES


@pytest.mark.parametrize("name", [*TYPES, *ALIASES])
def test_every_name_finds_its_type(name: str) -> None:
    kind = registry.find(name)

    assert kind.type_name == registry.short_name(name)
    assert name == kind.type_name or name in kind.aliases


def test_finding_one_of_ours_imports_no_other_and_reads_no_metadata() -> None:
    script = (
        "import sys; from penstock.sdk import registry; registry.find('io.kestra.plugin.core.log.Log');"
        "print([m for m in sys.modules if m.startswith('penstock.plugins.') or m == 'importlib.metadata'])"
    )

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert "importlib.metadata" not in said
    assert sorted(eval(said)) == ["penstock.plugins.core", "penstock.plugins.core.log"]


@pytest.mark.parametrize("name", ["acme.hello", "com.acme.Hello"])
@pytest.mark.usefixtures("acme")
def test_other_peoples_types_come_by_entry_point(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_offered", lambda: {"acme.hello": "acme_tasks:Hello"})
        kind = registry.find(name)

    assert kind.type_name == "acme.hello"


@pytest.mark.usefixtures("acme")
def test_an_installed_package_is_seen() -> None:
    assert registry.find("acme.hello").type_name == "acme.hello"
    assert registry.known("acme.hello")


@pytest.mark.parametrize(("name", "why"), [("acme.gone", "cannot be imported"), ("acme.five", "is no TaskType")])
@pytest.mark.usefixtures("acme")
def test_a_broken_entry_point_says_what_is_wrong(name: str, why: str) -> None:
    with pytest.raises(BrokenTaskType, match=why):
        registry.find(name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("pythn.script", 'Did you mean "python.script"?'),
        ("io.kestra.plugin.core.log.log", 'Did you mean "io.kestra.plugin.core.log.Log"?'),
        ("qqqqqqqqqqqqqqqq", "`penstock types` lists"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UnknownTaskType) as unknown:
        registry.find(name)

    assert hint in unknown.value.hint
    assert not registry.known(name)
