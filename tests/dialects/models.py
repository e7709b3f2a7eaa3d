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
from penstock.model.status import RunStatus
from penstock.model.trigger import (
    Calendar,
    ClosedDay,
    Condition,
    Dates,
    Hours,
    Interval,
    Listening,
    Missed,
    MissingHour,
    OnRuns,
    Polling,
    RepeatedHour,
    Rule,
    Schedule,
    Trigger,
    Upstream,
    Webhook,
    Window,
    WindowKind,
)

SECOND: Final = 1_000_000
CORE: Final = "io.kestra.plugin.core.trigger."
TEMPLATES: Final = ("{{ flow.id }}", "{{ 1 + 1 }}", "{% if true %}\na{% endif %}", "a {{ 'b' }}\n", "{{ [1, 2] }}")

words = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_]{0,7}", fullmatch=True)
plain_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}"), max_size=20)
odd_text = st.sampled_from(
    ["", "yes", "0x1F", "1.10", "1e5", "~", "null", "- a", "a: b", "#x", "a # b", " a", "a ", "'", '"', "a\n", "\n",
     "a\nb", " a\n b", "a\n\n\nb\n", "a\n\n", "\ta", "a\t\n", "<<", "=", "!x", "&x", "*x", "@", "`", "%", "|", ">",
     "12:30", "2016-01-02", ".5", "+1", "1_000", "0o7", "a\r\nb", "\x07", "\x85", "\u2028", "\ufeff", "---", "...",
     "[]", "é", "?"]
)  # fmt: skip
texts = plain_text | odd_text
templates = st.sampled_from(TEMPLATES)
mixed = texts | templates
spans = st.integers(0, 400 * 86_400 * SECOND)
times = spans.filter(bool)
flags = st.booleans()
scalars = (
    st.none() | flags | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | mixed
)
values: SearchStrategy[object] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
maps = st.dictionaries(words, values, max_size=3)
labels = st.dictionaries(words, texts, max_size=2)
# Those of a flow are looked for, so that their keys are names and no value is empty.
own_labels = st.dictionaries(words.map(lambda word: f"a{word}"), texts.filter(bool), max_size=2)
maybe_span = st.none() | spans


def some(kind: type[Any], /, **parts: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Values of a kind, some of whose fields are made by strategies."""
    return st.builds(kind, **parts)


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


def own_names(properties: dict[str, object]) -> dict[str, object]:
    """Properties under names that no task has anyway."""
    return {f"own_{name}": value for name, value in properties.items()}


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


tests = templates.map(lambda text: Condition(test=text))
conditions: SearchStrategy[Condition] = st.recursive(
    tests,
    lambda inner: st.builds(
        lambda word, several: Condition(**{word: several}),
        st.sampled_from(["any_of", "all_of", "none_of"]),
        st.lists(inner, min_size=1, max_size=2).map(tuple),
    ),
    max_leaves=4,
)
joined = conditions.filter(lambda each: not each.all_of)
when = st.lists(joined, max_size=2).map(tuple)
some_when = st.lists(joined, min_size=1, max_size=2).map(tuple)
windows = st.one_of(
    some(Window, length=maybe_span, advance=maybe_span),
    some(Window, kind=st.just(WindowKind.SLIDING), length=spans),
    some(Window, kind=st.just(WindowKind.DEADLINE), end=st.just("09:00:00+01:00")),
    some(Window, kind=st.just(WindowKind.DAILY), begin=st.just("08:00:00Z"), end=st.just("09:00:00Z")),
)
upstreams = st.lists(
    some(Upstream, name=words, when=some_when), min_size=1, max_size=2, unique_by=lambda each: each.name
).map(tuple)


calendars = some(
    Calendar,
    name=words,
    country=st.sampled_from(["", "FR"]),
    region=st.sampled_from(["", "BY"]),
    weekdays=st.sampled_from([(), (1, 2, 3, 4, 5)]),
    closed=st.sampled_from([(), ("2026-12-24",)]),
    opened=st.sampled_from([(), ("2026-12-25",)]),
)


@functools.cache
def triggers() -> SearchStrategy[Trigger]:
    """One trigger of some kind."""
    own: dict[str, SearchStrategy[Any]] = {
        "id": words, "description": texts, "disabled": flags, "when": when, "inputs": maps, "labels": labels,
        "stop_after": st.sampled_from([(), (RunStatus.FAILED, RunStatus.WARNING)]), "side_by_side": flags,
        "log_level": st.sampled_from(["", "DEBUG"]),
    }  # fmt: skip
    moments = st.sampled_from(["", "2016-01-02", "2016-01-02T03:04:05Z"])
    once = st.sampled_from([RepeatedHour.FIRST, RepeatedHour.LAST, RepeatedHour.BOTH])
    timed: dict[str, SearchStrategy[Any]] = {
        **own, "timezone": st.sampled_from(["", "Europe/Paris"]), "late": maybe_span, "begin": moments, "end": moments,
        "missed": st.sampled_from(Missed), "missing": st.sampled_from(MissingHour), "calendar": st.none() | calendars,
        "closed": st.sampled_from(ClosedDay), "hours": st.none() | st.just(Hours(begin="08:00", end="18:00")),
        "jitter": spans, "depends_on_past": flags, "at_once": st.integers(0, 9),
    }  # fmt: skip
    runs = {**own, "type": st.just(f"{CORE}Flow"), "states": st.just((RunStatus.SUCCESS, RunStatus.FAILED))}
    return st.one_of(
        some(Schedule, **timed, type=st.just(f"{CORE}Schedule"), cron=st.just("0 9 * * *"),
             repeated=st.sampled_from(RepeatedHour)),
        some(Interval, **timed, type=st.just(f"{CORE}Schedule"), every=times, anchor=moments)
        .map(lambda made: replace(made, missing=MissingHour.SHIFT)),
        some(Rule, **timed, type=st.just(f"{CORE}Schedule"), rule=st.just("FREQ=DAILY"), anchor=moments, repeated=once),
        some(Dates, **timed, type=st.just(f"{CORE}ScheduleOnDates"), dates=st.just(("2016-01-02T03:04:05Z",)),
             repeated=once),
        some(Webhook, **own, type=st.just("Webhook"), key=words, wait=flags, returns_outputs=flags),
        some(OnRuns, **runs),
        some(OnRuns, **runs, waits_for=upstreams, least=st.integers(0, 2), window=windows, reset=flags),
        some(Polling, **own, type=st.just("some.Trigger"), interval=spans, properties=maps.map(own_names)),
        some(Listening, **own, type=st.just("some.RealtimeTrigger"), properties=maps.map(own_names)),
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
