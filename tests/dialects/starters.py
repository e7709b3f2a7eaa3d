"""What may start a flow at random? Strategies that make triggers, all of which the language has words for."""

from __future__ import annotations

import functools
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec.structs import replace

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
from tests.dialects.pieces import (
    flags,
    labels,
    maps,
    maybe_span,
    own_names,
    some,
    spans,
    templates,
    texts,
    times,
    words,
)

CORE: Final = "io.kestra.plugin.core.trigger."

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
