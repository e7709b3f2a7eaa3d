"""Does a saved file become a revision at once, and does a wrong one change nothing?"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.services.project import Manner
from penstock.services.watching import Looked, Watching
from penstock.store import flows
from tests.services.office import Office

FLOW = "id: {id}\nnamespace: shop\ntasks:\n- id: say\n  type: io.kestra.plugin.core.log.Log\n  message: {says}\n"
WAIT = 20.0


class Desk:
    """A folder that is watched, and what was told of it."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office = office
        self.folder = folder
        self._told: queue.Queue[Looked] = queue.Queue()
        self.watching = Watching(office.core, [folder], Manner(), "ann", self._told.put)

    def write(self, name: str, flow_id: str = "load", says: str = "hello") -> None:
        """Save a file as editors do: beside it first, then in its place."""
        beside = self.folder / f".{name}.tmp"
        beside.write_text(FLOW.format(id=flow_id, says=says))
        beside.replace(self.folder / name)

    def told(self) -> Looked:
        """The next look in which something came out."""
        while True:
            looked = self._told.get(timeout=WAIT)
            if looked != Looked():
                return looked

    def revisions(self) -> dict[str, int]:
        return {each.id: each.revision for each in self.office.store.read(flows.list_flows)}


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "flows"
    folder.mkdir()
    made = Desk(office, folder)
    made.write("load.yml")
    made.watching.start()
    assert made.told() == Looked(stored=("shop.load",))
    yield made
    made.watching.close()


def test_a_saved_file_is_a_new_revision(desk: Desk) -> None:
    desk.write("load.yml", says="more")

    assert desk.told() == Looked(stored=("shop.load",))
    assert desk.revisions() == {"load": 2}


def test_a_new_file_is_a_new_flow_and_a_file_that_is_gone_starts_no_more_runs(desk: Desk) -> None:
    desk.write("other.yml", "other")
    assert desk.told() == Looked(stored=("shop.other",))

    (desk.folder / "load.yml").unlink()
    assert desk.told() == Looked(removed=("shop.load",))
    assert desk.revisions() == {"other": 1}


def test_a_wrong_file_is_told_and_its_flow_stays(desk: Desk) -> None:
    (desk.folder / "load.yml").write_text("id: load\nnamespace: shop\ntasks:\n- id: say\n  type: nowhere.Log\n")

    looked = desk.told()
    (problem,) = looked.problems[str(desk.folder / "load.yml")]
    assert "nowhere.Log" in problem.sentence
    assert desk.revisions() == {"load": 1}

    desk.write("load.yml", says="mended")
    assert desk.told() == Looked(stored=("shop.load",))
    assert desk.watching.problems == {}


def test_a_flow_that_changes_its_name_is_another_one(desk: Desk) -> None:
    desk.write("load.yml", "renamed")

    assert desk.told() == Looked(stored=("shop.renamed",), removed=("shop.load",))


def test_a_flow_that_stands_twice_is_the_first_ones(desk: Desk) -> None:
    desk.write("copy.yml", "load", "copy")

    looked = desk.told()
    (problem,) = looked.problems[str(desk.folder / "copy.yml")]
    assert "stands in" in problem.sentence
    assert desk.revisions() == {"load": 1}


def test_a_file_that_is_included_is_looked_at_through_who_includes_it(desk: Desk) -> None:
    (desk.folder / "words.txt").write_text("first")
    (desk.folder / "with.yml").write_text("# kestra: 0.20\n" + FLOW.format(id="with", says='"[[> words.txt]]"'))
    assert desk.told().stored == ("shop.with",)

    (desk.folder / "words.txt").write_text("second")

    assert desk.told() == Looked(stored=("shop.with",))
    assert desk.revisions()["with"] == 2
