"""Can pools be sized, looked at and forgotten from the command line, and does it say why a run waits?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, Penstock

POOLED = """
id: {id}
namespace: play
tasks:
  - id: load
    type: return
    format: done
    pools: {{warehouse: {weight}}}
"""


@pytest.fixture
def waits(penstock: Penstock) -> str:
    """A run that waits for a pool which nobody has set."""
    Path("pooled.yml").write_text(POOLED.format(id="pooled", weight=2))
    done = penstock("run", "pooled.yml", "--no-wait")
    assert done.code == 0, done.err
    return done.out.strip()


def as_list(done: Done) -> list[Any]:
    """What a command told programs."""
    told: Any = done.json()
    return list(told)


def test_a_pool_is_set_listed_and_forgotten(penstock: Penstock) -> None:
    penstock("pools", "set", "warehouse", "4")
    told = penstock("pools", "set", "warehouse", "3")
    listed = penstock("pools", "list")
    (one,) = as_list(penstock("pools", "list", "--json"))
    gone, again = penstock("pools", "delete", "warehouse"), penstock("pools", "delete", "warehouse")

    assert "warehouse has 3 slots" in told.err
    assert listed.out.split() == ["POOL", "SLOTS", "IN", "USE", "WAITING", "warehouse", "3", "0", "0"]
    assert (one["name"], one["slots"], one["used"], one["waiting"]) == ("warehouse", 3, 0, 0)
    assert (gone.code, again.code) == (0, 2)
    assert "no pool warehouse" in again.err


@pytest.mark.parametrize(("arguments", "code"), [(("ware house", "3"), 2), (("warehouse", "-1"), 2), (("db", "x"), 2)])
def test_a_pool_with_an_odd_name_or_size_is_refused(penstock: Penstock, arguments: tuple[str, ...], code: int) -> None:
    done = penstock("pools", "set", "--", *arguments)

    assert done.code == code, done.err
    assert penstock("pools", "list").out == ""


def test_a_run_tells_which_pool_it_waits_for_and_goes_on_when_that_has_room(penstock: Penstock, waits: str) -> None:
    unset, listed = penstock("runs", "why", waits), penstock("pools", "list")
    penstock("pools", "set", "warehouse", "0")
    (shut,) = as_list(penstock("runs", "why", waits, "load", "--json"))
    penstock("pools", "set", "warehouse", "2")
    ready = penstock("runs", "why", waits)

    assert "penstock pools set warehouse" in unset.out + unset.err
    assert "pools set warehouse SLOTS" in listed.err
    assert (shut["kind"], shut["count"], shut["weight"]) == ("limit", 0, 2)
    assert "ready in the queue default" in ready.out + ready.err


def test_a_run_that_wants_more_than_its_pool_has_fails_and_says_so(penstock: Penstock, waits: str) -> None:
    penstock("pools", "set", "warehouse", "1")

    shown = penstock("runs", "show", waits)

    assert "wants 2 slots of the pool warehouse, which has fewer" in shown.out + shown.err
    assert penstock("runs", "why", waits).code == 0
