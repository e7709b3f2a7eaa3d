"""What does a task get when it asks, and what is it refused?"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from penstock.errors import PenstockError
from penstock.errors.task import Refused
from penstock.errors.work import BadFileName
from penstock.model.flow import Flow
from penstock.model.node import Sequence
from penstock.model.status import RunStatus
from penstock.sdk.context import Ask
from penstock.services import flows as flow_verbs
from penstock.services.secrets.masks import Masks
from penstock.services.worker.answers import Asker, answer
from tests.worker.workshop import Workshop, shell


@pytest.fixture
def asker(workshop: Workshop, tmp_path: Path) -> Asker:
    """A task of a run that has said something."""
    run_id = workshop.run(shell("talk", "echo one; echo two >&2"))
    folder = tmp_path / "attempt"
    folder.mkdir()
    revealed: list[str] = []
    return Asker(workshop.of(run_id), "ask", 1, folder, revealed.append)


def test_values_are_kept_listed_and_forgotten(workshop: Workshop, asker: Asker) -> None:
    ask = workshop.core

    answer(ask, asker, Ask.KV_SET, {"key": "a.b", "value": {"n": 1}, "namespace": ""})
    found = answer(ask, asker, Ask.KV_GET, {"key": "a.b"})
    keys = answer(ask, asker, Ask.KV_KEYS, {"prefix": "a"})
    gone = [answer(ask, asker, Ask.KV_DELETE, {"key": "a.b"}) for _ in range(2)]

    assert found == {"found": True, "value": {"n": 1}}
    assert keys == ["a.b"]
    assert gone == [True, False]
    assert answer(ask, asker, Ask.KV_GET, {"key": "a.b"}) == {"found": False, "value": None}


def test_a_value_is_not_overwritten_against_its_will(workshop: Workshop, asker: Asker) -> None:
    answer(workshop.core, asker, Ask.KV_SET, {"key": "a", "value": 1})

    with pytest.raises(Refused, match="has a value already"):
        answer(workshop.core, asker, Ask.KV_SET, {"key": "a", "value": 2, "overwrite": False})


@pytest.mark.parametrize("key", ["", "../x", "a b", "a/b"])
def test_a_key_has_the_form_of_one(workshop: Workshop, asker: Asker, key: str) -> None:
    with pytest.raises(Refused):
        answer(workshop.core, asker, Ask.KV_GET, {"key": key})


def test_a_namespace_that_does_not_exist_is_refused(workshop: Workshop, asker: Asker) -> None:
    with pytest.raises(Refused, match="no namespace"):
        answer(workshop.core, asker, Ask.KV_GET, {"key": "a", "namespace": "elsewhere"})

    assert answer(workshop.core, asker, Ask.KV_KEYS, {"namespace": "tests.below"}) == []


def test_a_file_is_stored_and_fetched_again_under_a_free_name(workshop: Workshop, asker: Asker) -> None:
    assert asker.folder is not None
    (asker.folder / "data.csv").write_text("a,b")

    uri = str(answer(workshop.core, asker, Ask.FILE_PUT, {"path": str(asker.folder / "data.csv"), "name": "data.csv"}))
    name = str(answer(workshop.core, asker, Ask.FILE_GET, {"uri": uri}))
    size = answer(workshop.core, asker, Ask.FILE_SIZE, {"uri": uri})
    gone = [answer(workshop.core, asker, Ask.FILE_DELETE, {"uri": uri}) for _ in range(2)]

    assert uri.startswith("penstock:///runs/")
    assert name == "1-data.csv"
    assert (asker.folder / name).read_text() == "a,b"
    assert size == 3
    assert gone == [True, False]


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd"])
def test_a_file_beside_the_working_directory_is_not_stored(workshop: Workshop, asker: Asker, path: str) -> None:
    with pytest.raises(BadFileName):
        answer(workshop.core, asker, Ask.FILE_PUT, {"path": path, "name": "x"})


def test_a_name_that_climbs_is_refused(workshop: Workshop, asker: Asker) -> None:
    assert asker.folder is not None
    (asker.folder / "x").write_text("x")

    with pytest.raises(PenstockError):
        answer(workshop.core, asker, Ask.FILE_PUT, {"path": "x", "name": "../../x"})


def test_a_text_is_sealed_for_a_namespace_alone(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, secrets={"KEY": "hunter22"})
    run = workshop.of(workshop.run(shell("talk", "echo one")))
    revealed: list[str] = []
    asker = Asker(run, "ask", 1, None, revealed.append, Masks(["hunter22"]))
    other = Asker(msgspec.structs.replace(run, namespace="elsewhere"), "ask", 1, None, revealed.append)

    sealed = str(answer(workshop.core, asker, Ask.TEXT_SEAL, {"text": "password = hunter22"}))
    answer(workshop.core, asker, Ask.KV_SET, {"key": "kept", "value": sealed})
    told = answer(workshop.core, asker, Ask.TEXT_OPEN, {"sealed": sealed})
    for who, what in ((other, sealed), (asker, "password"), (asker, f"{sealed[:-4]}AAA=")):
        with pytest.raises(Refused, match="not sealed for the namespace"):
            answer(workshop.core, who, Ask.TEXT_OPEN, {"sealed": what})
    workshop.close()

    assert "hunter22" not in sealed
    assert told == "password = hunter22"
    assert revealed == [told]


def test_a_secret_that_is_told_is_hidden_from_then_on(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, secrets={"KEY": "hunter22"})
    run_id = workshop.run(shell("talk", "echo one"))
    revealed: list[str] = []
    asker = Asker(workshop.of(run_id), "ask", 1, None, revealed.append)

    told = answer(workshop.core, asker, Ask.UNSEAL, {"name": "KEY"})
    with pytest.raises(Refused, match='no secret "OTHER"'):
        answer(workshop.core, asker, Ask.UNSEAL, {"name": "OTHER"})
    workshop.close()

    assert told == "hunter22"
    assert revealed == ["hunter22"]


def test_labels_are_added_to_the_run_and_the_systems_own_are_not(workshop: Workshop, asker: Asker) -> None:
    answer(workshop.core, asker, Ask.LABELS_SET, {"labels": {"team": "data", "rows": 3}})
    with pytest.raises(Refused):
        answer(workshop.core, asker, Ask.LABELS_SET, {"labels": {"system.x": "y"}})

    labels = workshop.of(asker.run.id).labels
    assert (labels["team"], labels["rows"]) == ("data", "3")


def test_logs_are_fetched_by_task(workshop: Workshop, asker: Asker) -> None:
    lines = answer(workshop.core, asker, Ask.LOGS_FETCH, {"run": "", "tasks": ["talk"], "level": "info"})
    none = answer(workshop.core, asker, Ask.LOGS_FETCH, {"run": "", "tasks": ["other"]})

    assert isinstance(lines, list)
    assert sorted(line["message"] for line in lines) == ["one", "two"]
    assert {line["step"] for line in lines} == {"talk"}
    assert none == []


def test_a_run_started_twice_by_the_same_words_is_one_run(workshop: Workshop, asker: Asker) -> None:
    inner = Flow(id="inner", namespace="tests", body=Sequence(id="", nodes=(shell("work", "echo inner"),)))
    flow_verbs.push(workshop.core, inner, "", "digest")
    body: dict[str, object] = {"namespace": "", "flow": "inner", "revision": None, "inputs": {}, "labels": {}}

    first = str(answer(workshop.core, asker, Ask.RUN_START, body))
    second = str(answer(workshop.core, asker, Ask.RUN_START, body))
    other = str(answer(workshop.core, asker, Ask.RUN_START, body | {"labels": {"one": "more"}}))

    assert first == second != other
    assert workshop.finish(first).status is RunStatus.SUCCESS


def test_what_is_not_on_the_list_is_not_answered(workshop: Workshop, asker: Asker) -> None:
    with pytest.raises(ValueError, match="database"):
        answer(workshop.core, asker, "database.address", {})
