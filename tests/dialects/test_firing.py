"""Does each word of the language about triggers do what it says? Flows are read, and runs and dates come by."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence
from typing import Final

import pytest

from penstock.engine.calendar import micros
from penstock.model.flow import Flow
from penstock.model.run import Run
from penstock.model.status import Outcome
from penstock.model.trigger import OnTime
from penstock.services import flows
from penstock.services import runs as verbs
from penstock.services.preview import firings
from penstock.services.project import Manner, read_text
from penstock.services.render import calls_in
from penstock.services.scheduler import upstream
from penstock.services.scheduler.lead import Lead
from penstock.store import runs
from tests.services.conftest import office
from tests.services.office import Office

__all__ = ["office"]

CONDITION: Final = "io.kestra.plugin.core.condition."
BEGIN: Final = "2026-01-01T00:00:00+00:00"
# Of each condition the first dates that meet it, from the beginning of 2026 on, which is a Thursday, each noon.
DATES: Final = {
    "DateTimeBetween, after: '2026-01-03T12:00:00Z', before: '2026-01-06T00:00:00Z'": "01-04 01-05",
    "DateTimeBetween, date: \"{{ trigger.date | dateAdd(1, 'DAYS') }}\", before: '2026-01-03T12:00:00Z'": "01-01",
    "DayWeek, dayOfWeek: MONDAY": "01-05 01-12 01-19",
    "DayWeekInMonth, dayOfWeek: MONDAY, dayInMonth: FIRST": "01-05 02-02 03-02",
    "DayWeekInMonth, dayOfWeek: FRIDAY, dayInMonth: THIRD": "01-16 02-20 03-20",
    "DayWeekInMonth, dayOfWeek: FRIDAY, dayInMonth: LAST": "01-30 02-27 03-27",
    "TimeBetween, after: '11:00:00+00:00', before: '13:00:00+00:00'": "01-01 01-02 01-03",
    "TimeBetween, after: '12:00:00+00:00'": "",
    "TimeBetween, after: '13:30:00+02:00'": "01-01 01-02 01-03",
    "Weekend": "01-03 01-04 01-10",
    "PublicHoliday, country: FR": "01-01 04-06 05-01",
    "PublicHoliday, country: DE, subDivision: BY": "01-01 01-06 04-03",
    "Expression, expression: \"{{ trigger.date | date('dd') == '13' }}\"": "01-13 02-13 03-13",
    f"Not, conditions: [{{type: {CONDITION}Weekend}}, {{type: {CONDITION}DayWeek, dayOfWeek: FRIDAY}}]": "01-01 01-05",
    f"Or, conditions: [{{type: {CONDITION}Weekend}}, {{type: {CONDITION}DayWeek, dayOfWeek: FRIDAY}}]": "01-02 01-03",
}
WHEN: Final = {
    "{{ isWeekend(trigger.date) }}": "01-03 01-04",
    "{{ dayOfWeek(trigger.date) == 'MONDAY' }}": "01-05 01-12",
    "{{ isDayWeekInMonth(trigger.date, 'MONDAY', 'SECOND') }}": "01-12 02-09",
    "{{ isPublicHoliday(trigger.date, 'FR') }}": "01-01 04-06",
    "{{ hourOfDay(trigger.date) == 12 and dayOfMonth(trigger.date) == 2 }}": "01-02 02-02",
}


def read(text: str, version: str = "1") -> Flow:
    """A flow of one task, with this besides."""
    return read_whole(f"namespace: co\ntasks: [{{id: say, type: log, message: hello}}]\n{text}", version)


def read_whole(text: str, version: str = "1") -> Flow:
    reading = read_text(text, Manner(version=version))
    assert reading.flow is not None, reading.problems
    return reading.flow


def dates(office: Office, trigger: str, version: str, many: int) -> list[str]:
    """The first dates of a flow's one trigger."""
    flow = read(f"id: timed\ntriggers:\n  - {{id: t, {trigger}}}", version)
    (timed,) = flow.triggers
    assert isinstance(timed, OnTime)
    after = micros(datetime.datetime.fromisoformat(BEGIN))
    found = firings(flow, timed, after, calls_in(office.core, "co", set()), office.core.calendars.of(timed))
    return [f"{each.date:%m-%d}" for each in itertools.islice((each for each in found if not each.skipped), many)]


@pytest.mark.parametrize("condition", DATES, ids=lambda each: each[:60])
def test_conditions_pass_dates_over(office: Office, condition: str) -> None:
    wanted = DATES[condition].split()
    trigger = "type: io.kestra.plugin.core.trigger.Schedule, cron: '0 12 * * *', end: '2026-12-31'"

    found = dates(office, f"{trigger}, conditions: [{{type: {CONDITION}{condition}}}]", "1", max(len(wanted), 1))

    assert found == wanted


@pytest.mark.parametrize("when", WHEN)
def test_functions_take_their_place(office: Office, when: str) -> None:
    trigger = "type: io.kestra.plugin.core.trigger.Schedule, cron: '0 12 * * *'"

    assert dates(office, f'{trigger}, when: "{when}"', "2", 2) == WHEN[when].split()


class Desk:
    """An office with flows that are waited for, whose scheduler looks at what became of their runs."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.lead = Lead(office.core, "one")
        outputs = "outputs: [{id: n, type: INT, value: 5}]"
        self.push(read(f"id: a\nlabels: {{team: data, deep.er: x}}\n{outputs}"))
        self.push(read("id: b"))
        retry = "retry: {type: constant, interval: PT1S, maxAttempts: 3}"
        task = f"tasks: [{{id: say, type: log, message: hello, {retry}}}]"
        self.push(read_whole(f"id: again\nnamespace: co.sub\n{task}"))

    def push(self, flow: Flow) -> None:
        flows.push(self.office.core, flow, str(flow), str(flow))

    def waits(self, trigger: str, version: str = "1") -> None:
        """Store a flow with a trigger."""
        text = f"id: after\ntriggers:\n  - {{id: t, type: io.kestra.plugin.core.trigger.Flow, {trigger}}}"
        self.push(read(text, version))

    def run(self, name: str, *outcomes: Outcome) -> Run:
        """Let a flow run to its end, its task ending so, one attempt after the other."""
        core = self.office.core
        namespace, _, flow_id = name.rpartition(".")
        run_id = verbs.start(core, flows.newest_plan(core, namespace, flow_id), verbs.Start())
        does = {"say": list(outcomes)} if outcomes else None
        for _ in range(4):
            self.office.work(does)
            self.office.wait(1)
        return self.office.run(run_id)

    def started(self) -> list[Run]:
        """What has been started by now."""
        assert self.lead.seek()
        while upstream.fire(self.office.core, self.lead):
            pass
        wanted = runs.Filter(flow="after")
        return sorted(self.office.store.read(lambda tx: runs.list_runs(tx, wanted, 100)), key=lambda run: run.id)


A, B, AGAIN = "co.a", "co.b", "co.sub.again"
ALL: Final = (A, B, AGAIN)
# Of each condition whose ends meet it; all of them are successes.
CONDITIONS: Final = {
    "ExecutionFlow, namespace: co, flowId: a": (A,),
    "ExecutionNamespace, namespace: co": (A, B),
    "ExecutionNamespace, namespace: co, comparison: PREFIX": ALL,
    "ExecutionNamespace, namespace: co, prefix: true": ALL,
    "ExecutionNamespace, namespace: sub, comparison: SUFFIX": (AGAIN,),
    "ExecutionStatus, in: [SUCCESS]": ALL,
    "ExecutionStatus, in: [FAILED, KILLED]": (),
    "ExecutionStatus, notIn: [SUCCESS]": (),
    "ExecutionStatus, in: [SUCCESS, WARNING], notIn: [WARNING]": ALL,
    "ExecutionLabels, labels: {team: data}": (A,),
    "ExecutionLabels, labels: [{key: team, value: data}, {key: deep.er, value: x}]": (A,),
    "ExecutionLabels, labels: {team: data, other: x}": (),
    "ExecutionOutputs, expression: '{{ trigger.outputs.n == 5 }}'": (A,),
    "ExecutionOutputs, expression: '{{ true }}'": (A,),
    "HasRetryAttempt, in: [FAILED]": (AGAIN,),
    "HasRetryAttempt, in: [KILLED]": (),
    "HasRetryAttempt, notIn: [KILLED]": (AGAIN,),
    "Expression, expression: \"{{ trigger.flowId == 'b' }}\"": (B,),
    f"Not, conditions: [{{type: {CONDITION}ExecutionFlow, namespace: co, flowId: a}}]": (B, AGAIN),
    f"Or, conditions: [{{type: {CONDITION}ExecutionLabels, labels: {{team: data}}}},"
    f" {{type: {CONDITION}HasRetryAttempt, in: [SUCCESS]}}]": (A, AGAIN),
}


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda each: each[:60])
def test_conditions_pass_runs_over(office: Office, condition: str) -> None:
    desk = Desk(office)
    desk.waits(f"states: [SUCCESS], conditions: [{{type: {CONDITION}{condition}}}]")
    done = {
        desk.run(A).id: A,
        desk.run(B).id: B,
        desk.run(AGAIN, Outcome.FAILED, Outcome.DONE).id: AGAIN,
    }

    came = [done[str(run.trigger["executionId"])] for run in desk.started()]

    assert came == list(CONDITIONS[condition])


def of(name: str, flow: str) -> str:
    return f"{name}: {{type: {CONDITION}ExecutionFlow, namespace: co, flowId: {flow}}}"


BOTH: Final = f"id: m, conditions: {{{of('x', 'a')}, {of('y', 'b')}}}"
FLOWS: Final = "flows: [{namespace: co, flowId: a, states: [SUCCESS]}, {namespace: co, flowId: b}]"
WHERE: Final = "where: [{id: x, filters: [%s]}, {id: y, filters: [{field: FLOW_ID, type: EQUAL_TO, value: b}]}]"
FILTERS: Final = (
    "{field: FLOW_ID, type: EQUAL_TO, value: a}",
    "{field: FLOW_ID, type: IN, values: [a, z]}",
    "{field: FLOW_ID, type: NOT_IN, values: [b, again]}",
    "{field: FLOW_ID, type: NOT_EQUAL_TO, value: b}",
    "{field: FLOW_ID, type: STARTS_WITH, value: a}",
    "{field: FLOW_ID, type: ENDS_WITH, value: a}",
    "{field: FLOW_ID, type: CONTAINS, value: a}",
    "{field: FLOW_ID, type: REGEX, value: '[a]'}",
    "{field: NAMESPACE, type: EQUAL_TO, value: co}, {field: FLOW_ID, type: EQUAL_TO, value: a}",
    "{field: STATE, type: EQUAL_TO, value: SUCCESS}, {field: FLOW_ID, type: EQUAL_TO, value: a}",
    "{field: EXPRESSION, type: IS_TRUE, value: '{{ trigger.outputs.n == 5 }}'}",
    "{field: EXPRESSION, type: IS_FALSE, value: '{{ trigger.outputs.n != 5 }}'}",
    "{field: EXPRESSION, type: IS_NOT_NULL, value: '{{ trigger.outputs.n }}'}",
)
NULL: Final = "{field: EXPRESSION, type: IS_NULL, value: '{{ trigger.outputs.z ?? null }}'}"
DEPENDS: Final = "dependsOn: [{namespace: co, flowId: a}, {namespace: co, flowId: b, when: '{{ true }}'}]"
# What is waited for, by the version of the language: which of the runs of these flows start one.
SEVERAL: Final = (
    ("1", f"conditions: [{{type: {CONDITION}MultipleCondition, {BOTH}}}]", (A, A, B), (2,)),
    ("1", f"conditions: [{{type: {CONDITION}MultipleCondition, {BOTH}, resetOnSuccess: false}}]", (A, B, A), (1, 2)),
    ("1", f"preconditions: {{id: p, {FLOWS}}}", (B, A, B, A), (1, 3)),
    ("1", f"preconditions: {{id: p, resetOnSuccess: false, {FLOWS}}}", (B, A, B), (1, 2)),
    *(("1", f"preconditions: {{id: p, {WHERE % each}}}", (B, A), (1,)) for each in FILTERS),
    ("1", "preconditions: {id: p, where: [{id: x, operand: OR, filters: ["
     "{field: FLOW_ID, type: EQUAL_TO, value: a}, {field: FLOW_ID, type: EQUAL_TO, value: b}]}]}", (B, A), (0, 1)),
    ("1", f"preconditions: {{id: p, {WHERE % NULL}}}", (A, B), (1,)),
    ("2", DEPENDS, (A, B, B), (1,)),
    ("2", f"mode: ALL, {DEPENDS}", (A, A, B), (2,)),
    ("2", f"mode: ANY, {DEPENDS}", (A, B), (0, 1)),
    ("2", f"mode: AT_LEAST, minSatisfied: 2, {DEPENDS}", (A, B), (1,)),
    ("2", "dependsOn: [{namespace: co, flowId: a, when: '{{ trigger.outputs.n > 5 }}'}]", (A,), ()),
    ("2", "dependsOn: [{namespace: co, flowId: a, states: [FAILED]}]", (A,), ()),
    ("2", "dependsOn: [{namespace: co, labels: {team: data}}]", (B, A), (1,)),
)  # fmt: skip


@pytest.mark.parametrize(("version", "trigger", "come", "start"), SEVERAL)
def test_several_are_waited_for(
    office: Office, version: str, trigger: str, come: Sequence[str], start: Sequence[int]
) -> None:
    desk = Desk(office)
    desk.waits(f"states: [SUCCESS], {trigger}", version)

    ended = []
    for name in come:
        ended.append(desk.run(name).id)
        desk.started()

    assert [str(run.trigger["executionId"]) for run in desk.started()] == [ended[place] for place in start]


# Of each window the times of day of two ends that lie in it together, and of two that do not.
WINDOWS: Final = (
    ("1", "timeWindow: {type: DURATION_WINDOW}", ("00:10", "23:50"), ("23:50", "24:10")),
    ("1", "timeWindow: {type: DURATION_WINDOW, window: PT1H}", ("09:10", "09:50"), ("09:50", "10:10")),
    ("1", "timeWindow: {type: DURATION_WINDOW, window: PT1H, windowAdvance: PT30M}", ("09:40", "10:20"),
     ("09:20", "09:40")),
    ("1", "timeWindow: {type: SLIDING_WINDOW, window: PT1H}", ("09:50", "10:40"), ("09:10", "10:20")),
    ("1", "timeWindow: {type: DAILY_TIME_DEADLINE, deadline: '09:00:00'}", ("01:00", "08:50"), ("08:50", "09:10")),
    ("1", "timeWindow: {type: DAILY_TIME_DEADLINE, deadline: '09:00:00+02:00'}", ("01:00", "06:50"),
     ("06:50", "07:10")),
    ("1", "timeWindow: {type: DAILY_TIME_WINDOW, startTime: '06:00:00', endTime: '09:00:00'}", ("06:10", "08:50"),
     ("05:50", "08:50")),
    ("2", "window: {deadline: '09:00:00'}", ("01:00", "08:50"), ("08:50", "09:10")),
    ("2", "window: {deadline: '09:00:00', timezone: America/New_York}", ("05:10", "13:50"), ("13:50", "14:10")),
    ("2", "window: {from: '06:00:00', to: '09:00:00', timezone: Europe/Paris}", ("05:10", "07:50"), ("04:50", "05:10")),
    ("2", "window: {every: PT1H}", ("09:10", "09:50"), ("09:50", "10:10")),
    ("2", "window: {every: PT1H, offset: PT30M}", ("09:40", "10:20"), ("09:20", "09:40")),
    ("2", "window: {lookback: PT1H}", ("09:50", "10:40"), ("09:10", "10:20")),
    ("2", "window: {timezone: Asia/Kolkata}", ("18:40", "24:10"), ("18:20", "18:40")),
)  # fmt: skip


@pytest.mark.parametrize(("version", "window", "together", "apart"), WINDOWS)
def test_a_window_holds_what_comes_in_it(
    office: Office, version: str, window: str, together: tuple[str, str], apart: tuple[str, str]
) -> None:
    midnight = micros(datetime.datetime.fromisoformat(BEGIN))

    def fired(times: tuple[str, str]) -> bool:
        desk = Desk(office)
        before = len(desk.started())
        waits = f"preconditions: {{id: p, {window}, {FLOWS}}}" if version == "1" else f"{window}, {DEPENDS}"
        desk.waits(f"description: '{times[0]}', states: [SUCCESS], {waits}", version)
        for time, name in zip(times, (A, B), strict=True):
            hours, _, minutes = time.partition(":")
            office.clock.set_wall(midnight + (int(hours) * 60 + int(minutes)) * 60_000_000 - office.clock.steady())
            desk.run(name)
            after = len(desk.started())
        return after > before

    assert fired(together)
    midnight += 10 * 86_400_000_000
    assert not fired(apart)
