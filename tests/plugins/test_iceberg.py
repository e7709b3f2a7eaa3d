"""Which states of a table go, and which are new to a trigger, as branches, tags and times say?"""

from __future__ import annotations

from penstock.plugins.iceberg.catalog import NOBODY, Ref, Snapshot, Table
from penstock.plugins.iceberg.retention import Going, Rule, going
from penstock.plugins.iceberg.triggers import NOTHING, Seen, since

NOW = 1_000_000


def table(line: dict[int, int], refs: dict[str, Ref], **properties: str) -> Table:
    """A table whose states came of those before them, each at a time; a branch of the last where none is named."""
    snapshots: dict[int, Snapshot] = {}
    parent = NOBODY
    for number, at in line.items():
        snapshots[number] = Snapshot(id=number, parent=parent, at=at, summary={})
        parent = number
    named = refs or {"main": Ref(snapshot=parent, kind="branch")}
    return Table(uuid="t", location="", columns=[], snapshots=snapshots, refs=named, properties=properties)


def gone(of: Table, rule: Rule) -> list[int]:
    return sorted(going(of, rule, NOW).snapshots)


LINE = {1: NOW - 500, 2: NOW - 400, 3: NOW - 300, 4: NOW - 200, 5: NOW - 100}


def test_states_go_by_age_and_so_many_stay() -> None:
    of = table(LINE, {})
    assert gone(of, Rule(age=250)) == [1, 2, 3]
    assert gone(of, Rule(age=0)) == [1, 2, 3, 4]
    assert gone(of, Rule(age=0, keep=3)) == [1, 2]
    assert gone(of, Rule()) == []
    said = {"history.expire.max-snapshot-age-ms": "350", "history.expire.min-snapshots-to-keep": "2"}
    assert gone(table(LINE, {}, **said), Rule()) == [1, 2]
    assert gone(table({}, {"main": Ref(snapshot=9, kind="branch")}), Rule(age=0)) == []


def test_what_is_named_stays_until_its_time_is_over() -> None:
    refs = {
        "main": Ref(snapshot=5, kind="branch"),
        "month": Ref(snapshot=2, kind="tag"),
        "day": Ref(snapshot=1, kind="tag", limits={"max-ref-age-ms": 450}),
    }
    assert going(table(LINE, refs), Rule(age=0), NOW) == Going(frozenset({1, 3, 4}), ("day",))
    assert going(table(LINE, refs), Rule(age=0), NOW - 100).refs == ()


def test_a_branch_goes_by_its_own_limits() -> None:
    refs = {
        "main": Ref(snapshot=5, kind="branch"),
        "audit": Ref(snapshot=3, kind="branch", limits={"max-snapshot-age-ms": 450, "min-snapshots-to-keep": 1}),
    }
    assert gone(table(LINE, refs), Rule(age=0)) == [1, 4]


def test_what_no_name_leads_to_stays_while_it_is_young() -> None:
    of = table(LINE, {"main": Ref(snapshot=3, kind="branch")})
    assert gone(of, Rule(age=150)) == [1, 2, 4]


def test_a_trigger_sees_what_came_behind_the_state_it_saw_last() -> None:
    of = table(LINE, {})

    def new(seen: Seen, of: Table = of) -> list[int]:
        return [each.id for each in since(of, of.snapshots[5], seen)]

    assert new(Seen("t", 3, NOW - 300)) == [4, 5]
    assert new(Seen("t", 5, NOW - 100)) == []
    assert new(Seen("t", 77, NOW - 250)) == [4, 5]  # it is expired
    assert new(NOTHING) == [1, 2, 3, 4, 5]
    assert new(Seen("other", 77, NOW)) == [1, 2, 3, 4, 5]
    assert [each.id for each in since(of, of.snapshots[2], Seen("t", 5, NOW))] == []  # gone back
    assert since(of, None, NOTHING) == []


def test_what_a_branch_lacks_are_states_that_changed_rows() -> None:
    summaries = {1: "append", 2: "append", 3: "replace", 4: "append"}
    states = {
        number: Snapshot(
            id=number, parent=number - 1, at=number, summary={"operation": operation, "added-data-files": "1"}
        )
        for number, operation in summaries.items()
    }
    states[5] = Snapshot(id=5, parent=3, at=5, summary={"operation": "append"})
    of = Table(uuid="t", location="", columns=[], snapshots=states, refs={})
    assert [each.id for each in of.lacks(states[2], states[4])] == [4]
    assert of.lacks(states[2], states[3]) == [] and of.lacks(states[2], states[5]) == []
    assert of.lacks(states[4], states[2]) == []
