"""Which flows can be said in the language? Strategies that make flows at random, all of which it has words for."""

from __future__ import annotations

import functools
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec.structs import replace

from penstock.model.flow import Flow, Language
from penstock.model.inputs import Input, Output
from penstock.model.node import (
    Dag,
    Folder,
    ForEach,
    Group,
    If,
    Keep,
    Need,
    Node,
    Parallel,
    Pause,
    PauseEnd,
    Sequence,
    Subflow,
    Switch,
    Task,
    TriggerRule,
    Until,
)
from penstock.model.plan import every_node
from penstock.model.policy import (
    Backoff,
    Breach,
    Cache,
    Check,
    IfUnmet,
    Limit,
    OnChildFailure,
    Retry,
    Sensor,
    Sla,
    WhenFull,
)
from tests.dialects.pieces import (
    SECOND,
    flags,
    labels,
    maps,
    maybe_span,
    mixed,
    own_labels,
    own_names,
    scalars,
    some,
    spans,
    templates,
    texts,
    times,
    values,
    words,
)
from tests.dialects.starters import triggers


@st.composite
def retries(draw: st.DrawFn, version: str) -> Retry:
    """Policies whose waits fit into each other."""
    grows = Backoff.LINEAR if version == "0.20" else Backoff.EXPONENTIAL
    kind = draw(st.sampled_from([Backoff.CONSTANT, Backoff.RANDOM, grows]))
    interval = draw(st.integers(0, 100 * SECOND))
    factor = draw(st.integers(1, 9).map(float)) if kind is grows else 2.0
    return Retry(
        backoff=kind,
        interval=interval,
        factor=factor,
        cap=None if kind is Backoff.CONSTANT else interval + draw(st.integers(1, 100 * SECOND)),
        jitter=draw(st.sampled_from([0.0, 0.5, 1.0])),
        max_attempts=draw(st.none() | st.integers(1, 9)),
        max_duration=draw(st.none() | st.integers(1, 9).map(lambda more: interval + more)),
        warn=draw(flags),
        warn_after=2 if version == "0.20" else 1,
        new_run=draw(flags),
        exit_codes=draw(st.lists(st.integers(0, 255), max_size=2).map(tuple)),
        kinds=draw(st.sampled_from([(), ("lost",), ("exit", "timeout")])),
    )


pools = st.lists(words, max_size=2, unique=True).map(lambda names: tuple(Limit(name=name) for name in names))
other_limits = st.lists(
    some(
        Limit, count=st.integers(5, 9), weight=st.integers(1, 5), window=st.none() | times, key=st.just(""),
        name=st.just("") | words,
    ),
    max_size=2,
).map(tuple)  # fmt: skip


@functools.cache
def common(version: str) -> dict[str, SearchStrategy[Any]]:
    """What every node may have."""
    return {
        "description": texts,
        "disabled": flags,
        "retry": st.none() | retries(version),
        "deadline": st.none() | spans,
        "allow_failure": flags,
        "allow_warning": flags,
    }


@functools.cache
def tasks(version: str) -> SearchStrategy[Node]:
    """One task: of a type that is known, or of any other."""
    own: dict[str, SearchStrategy[Any]] = {
        **common(version),
        "id": st.just("x"),
        "run_if": st.just("") | templates,
        "timeout": st.just("") | times | st.just("{{ 'PT1S' }}"),
        "log_level": st.sampled_from(["", "WARN"]),
        "sensor": st.none() | some(Sensor, interval=spans, longest=maybe_span, soft=flags),
        "cache": st.none() | some(Cache, ttl=maybe_span, key=st.just("") | templates, version=texts),
        "limits": st.builds(lambda one, other: (*one, *other), pools, other_limits),
        "queue": st.just("default") | words,
    }
    log = some(Task, **own, type=st.just("log"), properties=mixed.map(lambda text: {"message": text, "level": "WARN"}))
    other = some(Task, **own, type=st.just("some.other"), properties=maps.map(own_names))
    return log | other


@functools.cache
def nodes(version: str) -> SearchStrategy[Node]:
    """A task or a group, whose ids are not yet its own."""
    leaves = tasks(version) | _subflows(version) | _pauses(version)
    return st.recursive(leaves, lambda inner: _groups(inner, version), max_leaves=5)


def _subflows(version: str) -> SearchStrategy[Node]:
    return some(
        Subflow, **common(version), id=st.just("x"), namespace=st.just("co"), flow=st.just("other") | templates,
        revision=st.none() | st.integers(1, 9), inputs=maps, labels=labels, wait=flags, transmit_failed=flags,
        transmit_cancelled=st.just(version != "0.20"), inherit_labels=flags, at=st.just("") | templates, go_on=flags,
    )  # fmt: skip


def _pauses(version: str) -> SearchStrategy[Node]:
    return some(
        Pause, **common(version), id=st.just("x"), delay=st.just("") | spans | st.just("{{ 'PT1S' }}"),
        at_end=st.sampled_from(PauseEnd), inputs=st.lists(inputs(version), max_size=1).map(tuple),
        resumers=st.lists(words, max_size=2).map(tuple),
    )  # fmt: skip


def _groups(inner: SearchStrategy[Node], version: str) -> SearchStrategy[Node]:
    several = st.lists(inner, min_size=1, max_size=2).map(tuple)
    few = st.lists(inner, max_size=1).map(tuple)
    own = {**common(version), "id": st.just("x"), "errors": few, "finally_": few}
    if version != "0.20":
        own["run_if"] = st.just("") | templates
    over = st.lists(scalars.filter(lambda value: value is not None), max_size=3) | st.just("{{ [1, 2] }}") | maps
    limit = st.integers(0, 5) | st.just("{{ 1 + 1 }}")
    failing = st.sampled_from([OnChildFailure.CONTINUE, OnChildFailure.CANCEL, OnChildFailure.FAIL])
    most = st.integers(2, 9) if version == "0.20" else st.none() | st.integers(1, 9)
    outputs = st.lists(handed, max_size=2, unique_by=lambda each: each.id).map(tuple)
    loops = some(ForEach, **own, values=over, nodes=several, limit=limit)
    whole = {**own, "errors": st.just(()), "finally_": st.just(())}
    each = some(Sequence, id=st.just("x-values"), nodes=several, errors=few, finally_=several)
    gathering = some(
        ForEach, **whole, values=over, nodes=several | st.tuples(each), limit=limit, distinct=st.just(False),
        gathers=st.just(True), outputs=outputs,
    )  # fmt: skip
    silent = gathering.map(
        lambda each: replace(each, on_child_failure=OnChildFailure.FINISH, allow_failure=True, allow_warning=True)
    )
    until = some(
        Until, **own, condition=templates, nodes=several, most=most, longest=spans if version == "0.20" else maybe_span,
        interval=spans, keep=st.sampled_from(Keep), fail_at_most=flags,
    )  # fmt: skip
    done = st.lists(tasks(version), min_size=1, max_size=2).map(tuple)
    folder = some(Folder, **own, nodes=done, properties=st.sampled_from([{}, {"outputFiles": ["*.csv"]}, CACHED]))
    switch = some(
        Switch, **own, value=templates, cases=st.dictionaries(texts, several, min_size=1, max_size=2), default=few
    )
    return st.one_of(
        some(Sequence, **own, nodes=several),
        some(Parallel, **own, nodes=several, limit=limit, on_child_failure=failing),
        some(If, **own, condition=templates, then=several, else_=few),
        some(Dag, **own, nodes=several, limit=limit, on_child_failure=st.sampled_from(OnChildFailure)),
        switch, loops, gathering, silent, until, folder,
    )  # fmt: skip


CACHED: Final = {"inputFiles": {"a": "b"}, "cache": {"patterns": ["x/**"], "ttl": 90.5}}
handed = some(Output, id=words, type=st.just("STRING"), value=texts, required=flags, description=texts)


@functools.cache
def inputs(version: str) -> SearchStrategy[Input]:
    """One input of some type, with a default or bounds that fit."""
    own: dict[str, SearchStrategy[Any]] = {"id": words, "description": texts, "display_name": texts}
    free = {**own, "required": flags, "condition": st.just("") | st.just("{{ true }}")}
    return st.one_of(
        some(Input, **free, type=st.sampled_from(["STRING", "JSON", "YAML", "URI", "SECRET", "BOOLEAN", "FILE"])),
        some(Input, **own, type=st.just("STRING"), default=texts, has_default=st.just(True)),
        some(Input, **own, type=st.just("JSON"), default=values.filter(bool), has_default=st.just(True)),
        some(Input, **free, type=st.just("INT"), least=st.none() | st.integers(-9, 0), most=st.integers(1, 9)),
        some(Input, **free, type=st.just("DATE"), least=st.just("2016-01-02")),
        some(Input, **free, type=st.just("ARRAY"), item_type=st.sampled_from(["INT", "BOOLEAN"])),
        some(
            Input, **free, type=st.just("SELECT"), values=st.lists(texts, min_size=1, max_size=3).map(tuple),
            allow_custom=flags,
        ),
        some(Input, **free, type=st.just("STRING"), validator=st.just("[a-z]+")),
        some(Input, **free, type=st.just("FILE"), extensions=st.just((".csv",))),
    )  # fmt: skip


SAY: Final = Task(id="x", type="log", properties={"message": "hello"})


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """A flow in some version of the language, with much of one kind: tasks, triggers, or what stands around them."""
    version = draw(st.sampled_from(["0.20", "1", "2"]))
    bare = Flow(id="a", namespace="co.team", language=Language(version=version), body=Sequence(id="", nodes=(SAY,)))
    kind = draw(st.sampled_from(["tasks", "triggers", "around"]))
    if kind == "triggers":
        return _numbered(replace(bare, triggers=(draw(triggers()),)), draw)
    if kind == "around":
        return _numbered(replace(bare, **draw(_around(version))), draw)
    one = draw(nodes(version))
    places = draw(st.sampled_from(["nodes", "errors", "finally_", "after"]))
    if places == "after":
        return _numbered(replace(bare, after=(one,)), draw)
    return _numbered(replace(bare, body=replace(bare.body, **{places: (one,)})), draw)


@functools.cache
def _around(version: str) -> SearchStrategy[dict[str, Any]]:
    """What a flow says besides its tasks and triggers."""
    slas = (Sla(id="a", duration=SECOND), Sla(id="b", condition="{{ true }}", breach=Breach.FAIL, labels={"a": "b"}))
    checks = (Check(condition="{{ true }}", message="no"), Check(condition="{{ 1 }}", message="é", unmet=IfUnmet.GO_ON))
    limits = (Limit(3), Limit(1, WhenFull.FAIL, window=SECOND, key="{{ inputs }}", name="n"))
    return st.fixed_dictionaries(
        {
            "description": texts,
            "labels": own_labels,
            "inputs": st.lists(inputs(version), max_size=2, unique_by=lambda each: each.id).map(tuple),
            "outputs": st.lists(handed, max_size=2, unique_by=lambda each: each.id).map(tuple),
            "variables": maps,
            "limits": st.sampled_from([(), *((each,) for each in limits)]),
            "retry": st.none() | retries(version),
            "sla": st.sampled_from([(), slas]),
            "checks": st.sampled_from([(), checks]),
            "timeout": maybe_span,
            "disabled": flags,
        }
    )


def _numbered(flow: Flow, draw: st.DrawFn) -> Flow:
    """The flow with ids that are its nodes' own, and edges of its dags between them."""
    count = iter(range(1_000_000))

    def several(found: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(one(each) for each in found)

    def one(node: Node) -> Node:
        name = f"n{next(count)}"
        if isinstance(node, Group):
            node = replace(node, errors=several(node.errors), finally_=several(node.finally_))
        match node:
            case If():
                node = replace(node, then=several(node.then), else_=several(node.else_))
            case Switch():
                cases = {case: several(found) for case, found in node.cases.items()}
                node = replace(node, cases=cases, default=several(node.default))
            case Dag():
                inside = several(node.nodes)
                node = replace(node, nodes=inside, **_edges([each.id for each in inside], draw))
            case ForEach(nodes=(Sequence(id="x-values") as each,)):
                node = replace(node, nodes=(replace(one(each), id=f"{name}-values"),))
            case Sequence() | Parallel() | ForEach() | Until() | Folder():
                node = replace(node, nodes=several(node.nodes))
            case _:
                pass
        return replace(node, id=name)

    body = flow.body
    inside = {name: several(getattr(body, name)) for name in ("nodes", "errors", "finally_")}
    made = replace(flow, body=replace(body, **inside), after=several(flow.after))
    assert len({node.id for node in every_node(made)}) == len(list(every_node(made)))
    return made


def _edges(names: list[str], draw: st.DrawFn) -> dict[str, Any]:
    """What the second of two nodes waits for: nothing, the first by some rule, or that it was set up."""
    if len(names) < 2:
        return {}
    first, second = names
    kind = draw(st.sampled_from(["free", "plain", "ruled", "teardown"]))
    if kind == "free":
        return {}
    if kind == "teardown":
        need = Need((first,), TriggerRule.ALL_DONE_SETUP_SUCCESS, (first,))
        return {"needs": {second: need}, "judges": (first,)}
    rule = (
        TriggerRule.ALL_DONE if kind == "plain" else draw(st.sampled_from([TriggerRule.ONE_FAILED, TriggerRule.ALWAYS]))
    )
    return {"needs": {second: Need((first,), rule)}}
