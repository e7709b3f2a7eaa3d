"""Does a newer version of a job go on from the state of the one before, and the older one where it cannot?"""

from __future__ import annotations

import itertools
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.plugins.flink.checkpoints import newest
from penstock.sdk.local import LocalContext
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done, message
from tests.lakehouse.counting import Counting

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
names = itertools.count(1)
REPLACE = {"ifRunning": "REPLACE"}
# Each time that the task remembers something during an upgrade: who stops, where it stopped, which job is next, that
# it was submitted, that it works. Somebody may kill it before and after each.
MOMENTS = 5


@pytest.fixture
def counting(lakehouse: Stack, local: LocalContext) -> Iterator[Counting]:
    """A job that counts, under a name of its own."""
    made = Counting(lakehouse, local, f"upgraded-{os.getpid()}-{next(names)}")
    made.begin()
    yield made
    made.end()


def test_counts_go_on_over_an_upgrade_and_wrong_sql_stops_nothing(counting: Counting, local: LocalContext) -> None:
    counting.send(0, 50)
    first = done(local.run("flink.submit", counting.wanted()))
    assert counting.counts() == dict.fromkeys(range(5), 11)

    wrong = local.run("flink.submit", counting.wanted(sql=counting.sql(shown="d"), **REPLACE))
    assert counting.jobs() == [first["jobId"]]
    second = done(local.run("flink.submit", counting.wanted(sql=counting.sql(shown="c + 1000"), **REPLACE)))
    counting.send(50, 5)

    assert "Column 'd' not found" in message(wrong) and "line 5, column 30" in message(wrong), message(wrong)
    assert counting.counts() == dict.fromkeys(range(5), 1011)
    assert counting.jobs() == [second["jobId"]] and "/savepoint-" in str(second["from"])


@pytest.mark.long
def test_the_older_version_goes_on_where_the_newer_does_not_take_its_state(
    counting: Counting, local: LocalContext
) -> None:
    counting.send(0, 50)
    done(local.run("flink.submit", counting.wanted()))
    stateless = counting.sql(counted="CAST(n AS BIGINT)").replace(" GROUP BY MOD(n, 5)", "")
    other = counting.sql(counted="COUNT(DISTINCT n)")
    for sql, why in ((stateless, "Cannot map checkpoint/savepoint state"), (other, "state serializer")):
        said = message(local.run("flink.submit", counting.wanted(sql=sql, **REPLACE)))

        (job,) = counting.jobs()
        assert why in said and said.endswith(f"The version before it goes on from there, as job {job}."), said
    counting.send(50, 5)
    assert counting.counts() == dict.fromkeys(range(5), 12)

    left = done(local.run("flink.submit", counting.wanted(sql=stateless, allowNonRestoredState=True, **REPLACE)))
    assert counting.jobs() == [left["jobId"]]


@pytest.mark.long
@pytest.mark.parametrize("after", [False, True])
def test_an_upgrade_that_is_killed_anywhere_is_done_once(
    counting: Counting, local: LocalContext, *, after: bool
) -> None:
    counting.send(0, 50)
    done(local.run("flink.submit", counting.wanted()))
    sent = 50
    for moment in range(1, MOMENTS + 1):
        upgrade = counting.wanted(sql=counting.sql(shown=f"c + {1000 * moment}"), **REPLACE)
        done(local.run("return", {"format": "a step of its own"}))

        killed(local, upgrade, moment, after=after)
        told = done(local.run("flink.submit", upgrade, attempt=3))
        counting.send(sent, 5)
        sent += 5

        assert counting.jobs() == [told["jobId"]], moment
        assert counting.counts() == dict.fromkeys(range(5), 1000 * moment + sent // 5), moment


@pytest.mark.long
def test_a_savepoint_that_nobody_remembers_is_found_after_the_jobmanager_was_killed(
    counting: Counting, local: LocalContext, lakehouse: Stack
) -> None:
    counting.send(0, 50)
    done(local.run("flink.submit", counting.wanted()))
    upgrade = counting.wanted(sql=counting.sql(shown="c + 1000"), **REPLACE)
    done(local.run("return", {"format": "a step of its own"}))

    killed(local, upgrade, 2, after=False)  # stopped, and not yet remembered where
    lakehouse.jobmanager.crash()
    lakehouse.start(names=["taskmanager"])
    told = done(local.run("flink.submit", upgrade, attempt=3))
    counting.send(50, 5)

    assert "/savepoint-" in str(told["from"])
    assert counting.counts() == dict.fromkeys(range(5), 1011)


def test_the_newest_of_checkpoints_and_savepoints_is_found_by_its_number(tmp_path: Path) -> None:
    job = "82f475813415e8ee9b9da8a1c9af7629"
    for number, folder in ((9, f"c/{job}/chk-9"), (10, f"c/{job}/chk-10"), (12, f"s/savepoint-{job[:6]}-0877b5e69841")):
        written(tmp_path / folder, number)
    written(tmp_path / "s" / "savepoint-ffffff-0877b5e69841", 99)
    written(tmp_path / "s" / f"savepoint-{job[:6]}-000000000000", 13).write_bytes(b"half")
    (tmp_path / "c" / job / "chk-11").mkdir()

    found = newest(f"file://{tmp_path}/c", f"{tmp_path}/s", job)
    alone = newest(f"file://{tmp_path}/c", "", job)
    none = newest(f"file://{tmp_path}/c", f"file://{tmp_path}/s", "0" * 32)

    assert found == f"file://{tmp_path}/s/savepoint-{job[:6]}-0877b5e69841"
    assert alone == f"file://{tmp_path}/c/{job}/chk-10"
    assert none == ""


def written(folder: Path, number: int) -> Path:
    """The file of a checkpoint that is complete, as far as it tells its number."""
    folder.mkdir(parents=True)
    file = folder / "_metadata"
    file.write_bytes(struct.pack(">IiQ", 0x4960672D, 6, number) + b"more")
    return file


class Dying(dict[tuple[str, str], object]):
    """What a namespace remembers, kept in a file; whoever remembers the n-th thing dies of it, before or after."""

    def __init__(self, file: Path, known: dict[tuple[str, str], object], moment: int, *, after: bool) -> None:
        super().__init__(known)
        self._file, self._left, self._after = file, moment, after

    def __setitem__(self, key: tuple[str, str], value: object) -> None:
        self._left -= 1
        if self._left == 0 and not self._after:
            os._exit(9)
        super().__setitem__(key, value)
        self._file.write_text(json.dumps([[*place, each] for place, each in self.items()]))
        if self._left == 0:
            os._exit(9)


def killed(local: LocalContext, upgrade: dict[str, object], moment: int, *, after: bool) -> None:
    """Have a process do the task that dies at a moment, and take over what it remembered."""
    file = local.folder / "remembered"
    file.unlink(missing_ok=True)
    if (child := os.fork()) == 0:
        local.kv = Dying(file, local.kv, moment, after=after)
        local.folder = local.folder / f"dying-{moment}"
        told = local.run("flink.submit", upgrade, attempt=2)
        os.write(2, f"It has not died, and said: {told.failure} {told.logs}".encode())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    if file.exists():
        local.kv = {(space, key): value for space, key, value in json.loads(file.read_text())}
