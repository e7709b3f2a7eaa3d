"""Does what is told elsewhere hold nobody up, wait for who leads, and go on after whatever went wrong?"""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from penstock.app import App, open_app
from penstock.app.exports import exports_of
from penstock.errors.project import WrongSetting
from penstock.errors.work import Unanswered
from penstock.model.policy import SECOND
from penstock.services.exporting.thread import LONGEST, PAUSE, Exporter
from penstock.settings.keys import Alerts, Lineage, Settings, Traces
from penstock.settings.read import Project
from penstock.telemetry import Notice
from tests.services.office import Office


class Telling:
    """An export that does what it is told to: it has more, it has not, it fails."""

    name = "test"

    def __init__(self, *does: bool | Exception) -> None:
        self._does = list(does)
        self.turns = 0
        self.turned = threading.Event()

    def turn(self) -> bool:
        """Do the next thing."""
        self.turns += 1
        self.turned.set()
        done = self._does.pop(0) if self._does else False
        if isinstance(done, Exception):
            raise done
        return done


def led() -> threading.Event:
    """That this server leads."""
    leads = threading.Event()
    leads.set()
    return leads


def test_all_there_is_is_told_and_failures_make_the_next_turn_later(office: Office) -> None:
    heard: list[Notice] = []
    office.core.notices.subscribe(heard.append)
    telling = Telling(True, True, False, Unanswered("away"), ValueError("ours"), *[Unanswered("away")] * 8, False)
    exporter = Exporter(office.core, led(), telling)

    exporter.turn()
    first = (telling.turns, exporter.wait)
    waits = []
    for _ in range(10):
        exporter.turn()
        waits.append(exporter.wait)
    exporter.turn()

    assert first == (3, PAUSE)
    assert waits[:3] == [2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert max(waits) == LONGEST
    assert exporter.wait == PAUSE
    assert {each.name for each in heard} == {"export.failed"}
    assert "ours" in str(heard[1].fields["why"]) and "test_thread" in str(heard[1].fields["where"])


def test_only_who_leads_tells_and_it_stops_when_it_is_asked_to(office: Office) -> None:
    leads, telling = threading.Event(), Telling()
    exporter = Exporter(office.core, leads, telling)
    exporter._wait = SECOND // 100
    exporter.start()
    early = telling.turned.wait(0.2)
    leads.set()
    late = telling.turned.wait(10)
    exporter.close()
    exporter.close()

    assert (early, late) == (False, True)
    assert not [each for each in threading.enumerate() if each.name == "penstock-test"]


def names(folder: Path, **said: object) -> list[str]:
    """What a server with these settings tells."""
    settings = msgspec.structs.replace(Settings(), **said)
    with open_app(Project(root=folder, settings=settings), {"T": "t"}, store=str(folder / "penstock.db")) as app:
        return [each.name for each in exports_of(app, {"T": "t"})]


def test_the_settings_say_what_is_told(tmp_path: Path) -> None:
    assert names(tmp_path) == ["alerts"]
    whole = names(tmp_path, traces=Traces(url="http://c:4318", headers={"a": "${T}"}), lineage=Lineage(file="l.jsonl"))
    assert whole == ["alerts", "traces", "lineage"]
    assert names(tmp_path, lineage=Lineage()) == ["alerts"], "what is told nowhere is kept with the runs alone"


@pytest.mark.parametrize(
    "said",
    [
        {"traces": Traces(url="collector:4318")},
        {"traces": Traces(url="http://c", headers={"a": "${NONE}"})},
        {"lineage": Lineage(url="ftp://x")},
        {"alerts": Alerts(allow=("10.0.0.0/99",))},
    ],
)
def test_what_makes_no_sense_is_said_before_anything_stands(tmp_path: Path, said: dict[str, object]) -> None:
    with pytest.raises(WrongSetting):
        names(tmp_path, **said)


def test_a_core_knows_what_is_told(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(Settings(), traces=Traces(url="http://c", share=0.5), lineage=Lineage(file="l"))
    app: App
    with open_app(Project(root=tmp_path, settings=settings), {}, store=str(tmp_path / "penstock.db")) as app:
        assert (app.core.knobs.traces, app.core.knobs.lineage) == (0.5, True)
