"""Is what has happened found again: attempts, outputs, loop values, numbers, flows, values, the feed?"""

from __future__ import annotations

from penstock.model.access import EVERYWHERE
from penstock.model.run import Attempt
from penstock.model.status import Outcome, StepStatus
from penstock.store import attempts, feed, flows, kv, metrics, outputs, steps
from penstock.store.port import Store, Tx
from penstock.store.postgres.lane import PostgresTx
from penstock.store.sqlite.session import SqliteTx
from tests.store.makers import NOW, a_step


def test_steps_are_found_by_key_by_node_and_while_open(store: Store) -> None:
    inside = [a_step(f"each[{i}]/load", node="load") for i in range(3)]
    plain, ended = a_step("plain"), a_step("ended", StepStatus.SUCCESS)
    store.write(lambda tx: steps.save(tx, "r", [*inside, plain, ended]))

    assert store.read(lambda tx: steps.load(tx, "r", ["plain", "each[1]/load", "nope"])) == {
        "plain": plain,
        "each[1]/load": inside[1],
    }
    assert store.read(lambda tx: steps.of_nodes(tx, "r", ["load", "plain"])) == [plain, *inside]
    assert store.read(lambda tx: steps.open_steps(tx, "r")) == [*inside, plain]
    assert len(store.read(lambda tx: steps.every(tx, "r"))) == 5
    assert store.read(lambda tx: steps.load(tx, "other", ["plain"])) == {}


def test_a_step_saved_again_is_the_later_one(store: Store) -> None:
    store.write(lambda tx: steps.save(tx, "r", [a_step("a")]))

    store.write(lambda tx: steps.save(tx, "r", [a_step("a", StepStatus.SUCCESS, attempt=2)]))

    assert store.read(lambda tx: steps.every(tx, "r")) == [a_step("a", StepStatus.SUCCESS, attempt=2)]


def test_the_first_word_on_an_attempt_stands_and_saved_state_is_the_newest(store: Store) -> None:
    told = [
        Attempt(step="a", number=1, outcome=Outcome.SNOOZED, state={"cursor": 1}),
        Attempt(step="a", number=2, outcome=Outcome.SNOOZED, state={"cursor": 2}),
        Attempt(step="a", number=3, outcome=Outcome.FAILED),
        Attempt(step="b", number=1, outcome=Outcome.DONE),
    ]
    store.write(lambda tx: attempts.append(tx, "r", told))

    store.write(lambda tx: attempts.append(tx, "r", [Attempt(step="b", number=1, outcome=Outcome.FAILED)]))

    assert store.read(lambda tx: attempts.every(tx, "r")) == told
    assert store.read(lambda tx: attempts.of_step(tx, "r", "a")) == told[:3]
    assert store.read(lambda tx: attempts.last_state(tx, "r", "a")) == {"cursor": 2}
    assert store.read(lambda tx: attempts.last_state(tx, "r", "b")) is None


def test_the_newest_attempts_outputs_count(store: Store) -> None:
    def put(tx: Tx) -> None:
        outputs.put(tx, "r", "each[2]/load", 1, b'{"n":1}')
        outputs.put(tx, "r", "each[2]/load", 2, '{"n":2}')
        outputs.put(tx, "r", "load", 1, uri="blob:///r/load")

    store.write(put)

    by_key = store.read(lambda tx: outputs.load(tx, "r", ["each[2]/load", "nope"]))
    by_node = store.read(lambda tx: outputs.of_nodes(tx, "r", ["load"]))

    assert {key: one.values() for key, one in by_key.items()} == {"each[2]/load": {"n": 2}}
    assert {key: (one.attempt, one.uri) for key, one in by_node.items()} == {
        "load": (1, "blob:///r/load"),
        "each[2]/load": (2, ""),
    }
    assert store.read(lambda tx: outputs.every(tx, "r")) == by_node


def test_a_loops_values_are_read_back_in_chunks(store: Store) -> None:
    values = [{"i": i} for i in range(250)]
    store.write(lambda tx: outputs.keep_values(tx, "r", "each", values))

    chunks = store.read(lambda tx: [outputs.values_chunk(tx, "r", "each", number) for number in range(4)])

    assert [len(chunk) for chunk in chunks] == [100, 100, 50, 0]
    assert [value for chunk in chunks for value in chunk] == values


def test_numbers_come_back_in_the_order_reported(store: Store) -> None:
    told = [
        metrics.Metric(step="a", attempt=1, name="rows", value=3, at=NOW, tags={"table": "t"}),
        metrics.Metric(step="a", attempt=1, name="took", value=0.25, at=NOW, kind=metrics.MetricKind.TIMER, unit="s"),
    ]

    store.write(lambda tx: metrics.append(tx, "r", told))

    assert store.read(lambda tx: metrics.every(tx, "r")) == told


def test_a_text_pushed_again_is_the_same_revision(store: Store) -> None:
    first = flows.Written(namespace="shop.eu", id="load", dialect="kestra", digest="1", source="a", model="{}")
    second = flows.Written(namespace="shop.eu", id="load", dialect="kestra", digest="2", source="b", model="{}")

    numbers = store.write(lambda tx: [flows.push(tx, text, NOW, "ann") for text in (first, first, second)])

    assert numbers == [1, 1, 2]
    current = store.read(lambda tx: flows.current(tx, "shop.eu", "load"))
    assert current is not None and (current.source, current.created_by) == ("b", "ann")
    old = store.read(lambda tx: flows.revision(tx, "shop.eu", "load", 1))
    assert old is not None and old.source == "a"
    assert [one.revision for one in store.read(lambda tx: flows.revisions(tx, "shop.eu", "load"))] == [2, 1]
    assert [(one.id, one.revision) for one in store.read(lambda tx: flows.list_flows(tx, "shop"))] == [("load", 2)]
    assert store.read(lambda tx: flows.list_flows(tx, "sho")) == []


def test_a_deleted_flow_keeps_its_revisions_and_comes_back_with_a_new_one(store: Store) -> None:
    text = flows.Written(namespace="shop", id="load", dialect="kestra", digest="1", source="a", model="{}")
    store.write(lambda tx: flows.push(tx, text, NOW))

    deleted = store.write(lambda tx: flows.delete(tx, "shop", "load", NOW))
    gone = store.read(lambda tx: (flows.current(tx, "shop", "load"), flows.list_flows(tx)))
    again = store.write(lambda tx: flows.push(tx, text, NOW))

    assert deleted and gone == (None, [])
    assert again == 2
    assert store.read(lambda tx: flows.revision(tx, "shop", "load", 1)) is not None


def test_a_kept_value_counts_its_changes_and_expires(store: Store) -> None:
    first = store.write(lambda tx: kv.set_value(tx, "shop", "last_day", {"d": 1}, now=NOW))
    second = store.write(lambda tx: kv.set_value(tx, "shop", "last_day", [2], now=NOW, expires_at=NOW + 10))
    refused = store.write(lambda tx: kv.set_value(tx, "shop", "last_day", 3, now=NOW, overwrite=False))

    assert (first, second, refused) == (1, 2, None)
    entry = store.read(lambda tx: kv.get(tx, "shop", "last_day", NOW + 9))
    assert entry is not None and entry.value == [2]
    assert store.read(lambda tx: kv.get(tx, "shop", "last_day", NOW + 10)) is None
    assert store.read(lambda tx: kv.get(tx, "other", "last_day", NOW)) is None
    assert store.write(lambda tx: kv.set_value(tx, "shop", "last_day", 3, now=NOW + 10, overwrite=False)) == 3


def test_kept_values_are_listed_deleted_and_swept(store: Store) -> None:
    def keep(tx: Tx) -> None:
        kv.set_value(tx, "shop", "a_1", 1, now=NOW)
        kv.set_value(tx, "shop", "ab1", 2, now=NOW)
        kv.set_value(tx, "shop", "old", 3, now=NOW, expires_at=NOW + 1)

    store.write(keep)

    assert [one.key for one in store.read(lambda tx: kv.list_values(tx, "shop", NOW + 5))] == ["a_1", "ab1"]
    assert [one.key for one in store.read(lambda tx: kv.list_values(tx, "shop", NOW, "a_"))] == ["a_1"]
    assert store.write(lambda tx: kv.delete(tx, "shop", "a_1", NOW))
    assert not store.write(lambda tx: kv.delete(tx, "shop", "a_1", NOW))
    assert store.write(lambda tx: kv.expire(tx, NOW + 5)) == 1


def test_a_reader_of_the_feed_sees_every_row_once_it_stands(store: Store) -> None:
    store.write(lambda tx: feed.append(tx, [("run", "before", 1)], NOW))
    place = store.read(feed.start)
    store.write(lambda tx: feed.append(tx, [("run", "r", 1), ("flow", "f", 7)], NOW))

    found, after = store.read(lambda tx: feed.read(tx, place, NOW))
    nothing, _ = store.read(lambda tx: feed.read(tx, after, NOW))

    assert [(one.what, one.key, one.version) for one in found][-2:] == [("run", "r", 1), ("flow", "f", 7)]
    assert nothing == []
    assert 0 < store.read(feed.floor) <= found[0].id


def test_a_hole_in_the_feed_is_asked_for_again_for_some_seconds(store: Store) -> None:
    store.write(lambda tx: feed.append(tx, [("run", str(n), 1) for n in range(3)], NOW))
    first = store.read(lambda tx: feed.read_after(tx, 0))
    seen, late, last = first[-3:]
    place = feed.Position(last.id, ((late.id, NOW),))

    found, after = store.read(lambda tx: feed.read(tx, place, NOW + 1))
    patient = store.read(lambda tx: feed.read(tx, feed.Position(last.id, ((last.id + 5, NOW),)), NOW + 1))[1]
    tired = store.read(lambda tx: feed.read(tx, feed.Position(last.id, ((last.id + 5, NOW),)), NOW + feed.PATIENCE))[1]

    assert found == [late] and after == feed.Position(last.id)
    assert patient.holes == ((last.id + 5, NOW),) and tired.holes == ()
    assert seen.id < late.id


def test_labels_of_a_flow_are_told_even_where_an_older_penstock_wrote_it(store: Store) -> None:
    model = '{"labels":{"team":"red","tier":"1"}}'
    text = flows.Written(namespace="shop", id="load", dialect="kestra", digest="1", source="a", model=model)
    store.write(lambda tx: flows.push(tx, text, NOW))

    def listed(tx: Tx) -> list[dict[str, str]]:
        return [one.labels for one in flows.page(tx, EVERYWHERE, 9, labels={"tier": "1"})]

    def forget(tx: Tx) -> None:
        assert isinstance(tx, SqliteTx | PostgresTx)
        tx._session.execute("UPDATE revisions SET labels = NULL")

    now = store.read(listed)
    store.write(forget)

    assert now == store.read(listed) == [{"team": "red", "tier": "1"}]
    assert store.read(lambda tx: flows.page(tx, EVERYWHERE, 9, labels={"tier": "2"})) == []
