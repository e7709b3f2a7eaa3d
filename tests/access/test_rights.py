"""Is nothing allowed that no grant allows, and do lists and single questions agree?"""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.model.access import EVERYWHERE, NOWHERE, Action, Actor, Grant, Narrowed, Scope
from penstock.services.access import BUILT_IN, can, covers, scope

ACTIONS = st.sampled_from(Action)
PARTS = st.sampled_from(["a", "ab", "b", "a-b"])
NAMESPACES = st.lists(PARTS, min_size=1, max_size=3).map(".".join)
ANYWHERE = st.one_of(st.just(""), NAMESPACES)
OWN = st.builds(Grant, st.just("own"), ANYWHERE, st.frozensets(ACTIONS, max_size=4))
GRANTS = st.one_of(OWN, st.builds(Grant, st.sampled_from([*BUILT_IN, "nothing"]), ANYWHERE))
KEPT = st.builds(
    Narrowed,
    actions=st.none() | st.frozensets(ACTIONS, max_size=20),
    namespaces=st.none() | st.lists(ANYWHERE, max_size=3).map(tuple),
)
ACTORS = st.builds(Actor, name=st.just("ann"), grants=st.lists(GRANTS, max_size=4).map(tuple), narrowed=KEPT)


@given(ACTORS, ACTIONS, ANYWHERE)
def test_lists_and_single_questions_agree(actor: Actor, action: Action, namespace: str) -> None:
    assert can(actor, action, namespace) == covers(scope(actor, action), namespace)


@given(ACTORS, ACTIONS, ANYWHERE)
def test_what_is_allowed_was_granted_there_or_above_and_was_not_taken_away(
    actor: Actor, action: Action, namespace: str
) -> None:
    allowed = can(actor, action, namespace)

    parts = namespace.split(".") if namespace else []
    above = {"", *(".".join(parts[:length]) for length in range(1, len(parts) + 1))}
    granted = any(
        grant.namespace in above and action in BUILT_IN.get(grant.role, grant.actions) for grant in actor.grants
    )
    kept = actor.narrowed
    left = kept.actions is None or action in kept.actions
    here = kept.namespaces is None or bool(above & set(kept.namespaces))
    assert allowed == (granted and left and here)


@given(ACTIONS, ANYWHERE)
def test_who_was_granted_nothing_may_do_nothing(action: Action, namespace: str) -> None:
    nobody = Actor(name="nobody")

    assert not can(nobody, action, namespace)
    assert scope(nobody, action) == NOWHERE
    assert not can(replace(nobody, grants=(Grant("unheard of"),)), action, namespace)


@given(ACTORS, GRANTS, ACTIONS, ANYWHERE)
def test_one_more_grant_takes_nothing_away(actor: Actor, more: Grant, action: Action, namespace: str) -> None:
    richer = replace(actor, grants=(*actor.grants, more))

    assert can(richer, action, namespace) or not can(actor, action, namespace)


@given(ACTORS, KEPT, ACTIONS, ANYWHERE)
def test_what_a_token_keeps_is_never_more(actor: Actor, kept: Narrowed, action: Action, namespace: str) -> None:
    whole = replace(actor, narrowed=Narrowed())

    assert can(whole, action, namespace) or not can(replace(whole, narrowed=kept), action, namespace)


@given(ACTORS, ACTIONS)
def test_a_scope_says_each_namespace_once(actor: Actor, action: Action) -> None:
    reached = scope(actor, action)

    assert not (reached.everywhere and reached.namespaces)
    for one, other in itertools.permutations(reached.namespaces, 2):
        assert not covers(Scope(namespaces=(one,)), other)


@given(st.frozensets(ACTIONS), ACTIONS)
def test_a_built_in_role_is_not_changed_by_what_a_grant_says_of_it(said: frozenset[Action], action: Action) -> None:
    actor = Actor(name="ann", grants=(Grant("viewer", actions=said),))

    assert can(actor, action, "") == (action in BUILT_IN["viewer"])


def test_each_built_in_role_has_all_of_the_one_before_it_and_more() -> None:
    for lesser, greater in itertools.pairwise(BUILT_IN.values()):
        assert lesser < greater

    assert BUILT_IN["owner"] == frozenset(Action)


def test_a_namespace_is_not_one_that_begins_alike() -> None:
    actor = Actor(name="ann", grants=(Grant("owner", "shop"),))

    asked = ["shop", "shop.eu", "shop.eu.north", "shops", "sho", "", "shop-eu", "other.shop"]
    allowed = [namespace for namespace in asked if can(actor, Action.RUNS_VIEW, namespace)]

    assert allowed == ["shop", "shop.eu", "shop.eu.north"]
    assert scope(Actor(name="own", grants=(Grant("owner"),)), Action.RUNS_VIEW) == EVERYWHERE
