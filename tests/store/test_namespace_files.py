"""Do files of namespaces and branches move by one transaction after the other, on either database?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from penstock.store import git, namespace_files
from penstock.store.git import Held, HeldKind, State
from penstock.store.namespace_files import Entry, Kind
from penstock.store.port import Store, Tx


def entry(path: str, uri: str = "x", namespace: str = "shop", kind: Kind = Kind.FILE, at: int = 1) -> Entry:
    """A revision to be kept."""
    return Entry(
        namespace=namespace, path=path, kind=kind, uri=uri, size=1, digest="d", changed_at=at, changed_by="ann"
    )


def put(store: Store, *entries: Entry) -> list[int]:
    """Keep revisions, each in a transaction of its own."""
    return [store.write(partial(_put, each)) for each in entries]


def _put(each: Entry, tx: Tx) -> int:
    return namespace_files.put(tx, each)


def paths(store: Store, prefix: str = "", after: str = "", limit: int = 10) -> list[str]:
    """The paths of a page."""
    found = store.read(lambda tx: namespace_files.page(tx, "shop", limit, prefix=prefix, after=after))
    return [each.path for each in found]


def test_paths_come_in_the_order_of_their_letters_and_upper_case_is_another_path(store: Store) -> None:
    put(store, *(entry(path) for path in ("b", "a/x", "a.b", "B", "é", "a/", "a0", "z😀")), entry("a/y", namespace="x"))

    assert paths(store) == ["B", "a.b", "a/", "a/x", "a0", "b", "z😀", "é"]
    assert paths(store, prefix="a/") == ["a/", "a/x"]
    assert paths(store, prefix="b") == ["b"]
    assert paths(store, after="a0", limit=2) == ["b", "z😀"]
    assert paths(store, prefix="%") == paths(store, prefix="_") == []


def test_many_writers_of_one_path_make_one_history(store: Store) -> None:
    with ThreadPoolExecutor(4) as crowd:
        made = list(crowd.map(lambda number: put(store, entry("a", f"uri{number}"))[0], range(12)))

    assert sorted(made) == list(range(1, 13))
    kept = store.read(lambda tx: namespace_files.revisions(tx, "shop", "a", 20))
    head = store.read(lambda tx: namespace_files.get(tx, "shop", "a"))
    assert [each.revision for each in kept] == list(range(12, 0, -1))
    assert head == kept[0]
    assert store.write(lambda tx: sorted(namespace_files.trim(tx, "shop", "a", 3))) == sorted(
        each.uri for each in kept[-3:]
    )


def test_what_is_gone_is_forgotten_unless_it_came_back(store: Store) -> None:
    put(store, entry("a"), entry("a", "", kind=Kind.GONE, at=5), entry("b"), entry("b", "", kind=Kind.GONE, at=5))
    gone = store.read(lambda tx: namespace_files.long_gone(tx, 6, 10))
    put(store, entry("b", "again", at=7))

    left = [store.write(partial(_forget, each)) for each in gone]

    assert left == [["x"], []]
    assert store.read(lambda tx: namespace_files.last(tx, "shop", "a")) is None
    assert paths(store) == ["b"]
    assert store.read(lambda tx: namespace_files.long_gone(tx, 5, 10)) == []


def _forget(each: Entry, tx: Tx) -> list[str]:
    return namespace_files.forget(tx, each)


def test_a_look_that_another_one_overtook_changes_nothing(store: Store) -> None:
    first = store.read(lambda tx: git.get(tx, "main"))
    mine = State(name="main", version=first.version, looked_commit="b", looked_at=2, applied_commit="b")

    assert store.write(lambda tx: git.put(tx, mine))
    assert not store.write(lambda tx: git.put(tx, State(name="main", version=first.version, looked_commit="a")))
    store.write(lambda tx: git.want(tx, "main", 9))
    found = store.read(git.every)["main"]
    assert (found.looked_commit, found.version, found.wanted_at) == ("b", 1, 9)


def test_what_a_branch_brought_is_its_own(store: Store) -> None:
    brought = [Held(HeldKind.FILE, "shop", "a"), Held(HeldKind.FLOW, "shop", "a")]
    for _ in range(2):
        store.write(lambda tx: git.hold(tx, "main", brought))
    store.write(lambda tx: git.hold(tx, "other", brought))
    store.write(lambda tx: git.release(tx, "main", brought[:1]))

    assert store.read(lambda tx: git.held(tx, "main")) == brought[1:]
    assert store.read(lambda tx: git.held(tx, "other")) == brought
    store.write(lambda tx: git.take(tx, "main", brought[1:]))
    assert store.read(lambda tx: git.held(tx, "other")) == brought[:1]
