"""Does each older word become its newer one, with everything around it left as it was, and the flow the same flow?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from penstock.dialects.kestra import INSTALLED, Installed, Reading, read_several
from penstock.dialects.kestra.rewriting.migrate import Migrated, migrate
from penstock.dialects.kestra.writing.flow import write
from penstock.model.flow import Flow
from tests.dialects.corpus import BROKEN, GOOD
from tests.dialects.models import flows

TOP = "id: a\nnamespace: co\n"
SAY = "tasks:\n  - id: say # says\n    type: log\n    message: hello\n"


def readings(text: str) -> tuple[Reading, ...]:
    return read_several(text, types=INSTALLED)


def migrated(text: str) -> Migrated:
    """A text that is rewritten; what comes of it is rewritten again, which must change nothing."""
    found = migrate(text, readings, INSTALLED)
    assert found.problems == ()
    assert migrate(found.text, readings, INSTALLED).text == found.text
    return found


SAME = {
    "taskDefaults": (
        SAY + "taskDefaults: # all\n  - type: log\n    values: {level: WARN}\n",
        SAY.replace("    message", "    level: WARN\n    message"),
    ),
    "pluginDefaults": (
        "pluginDefaults:\n  # logs\n  - type: io.kestra.plugin.core.log\n    values:\n      level: WARN\n"
        "      retry: {type: constant, interval: PT1S}\n  - type: log\n    forced: true\n    values: {level: ERROR}\n"
        "  - {type: return, values: {format: x}}\n"
        "tasks: # two\n  - {id: a, type: log, message: m, retry: {type: constant, interval: PT5S}}\n"
        "  - id: g\n    type: io.kestra.plugin.core.flow.Sequential\n    tasks:\n      - id: b\n        type: log\n"
        "        # loud\n        level: INFO\n        message: m\n",
        "# logs\ntasks: # two\n"
        "  - {id: a, type: log, level: ERROR, message: m, retry: {type: constant, interval: PT5S}}\n"
        "  - id: g\n    type: io.kestra.plugin.core.flow.Sequential\n    tasks:\n      - id: b\n        type: log\n"
        "        retry:\n          type: constant\n          interval: PT1S\n"
        "        # loud\n        level: ERROR\n        message: m\n",
    ),
    "pluginDefaults with a list beside a list": (
        SAY + "  - {id: p, type: shell.commands, commands: [ls], env: {A: a}}\n"
        "pluginDefaults:\n  - {type: shell.commands, values: {commands: [pwd]}}\n",
        SAY + "  - {id: p, type: shell.commands, commands: [ls], env: {A: a}}\n"
        "pluginDefaults:\n  - {type: shell.commands, values: {commands: [pwd]}}\n",
    ),
    "name and types of inputs": (
        "inputs:\n  # who\n  - name: who # really\n    type: ENUM\n    values: [a]\n  - {id: ok, type: BOOLEAN}\n"
        + SAY,
        "inputs:\n  # who\n  - id: who # really\n    type: SELECT\n    values: [a]\n  - {id: ok, type: BOOL}\n" + SAY,
    ),
    "options": (
        "inputs:\n  - id: who\n    type: MULTISELECT\n    options: [a]\n" + SAY,
        "inputs:\n  - id: who\n    type: MULTISELECT\n    values: [a]\n" + SAY,
    ),
    "maxAttempt": (
        SAY + "    retry: {type: constant, interval: PT1S, maxAttempt: 3} # thrice\n",
        SAY + "    retry: {type: constant, interval: PT1S, maxAttempts: 3} # thrice\n",
    ),
    "names of types": (
        SAY.replace("type: log", "type: io.kestra.core.tasks.log.Log   # old"),
        SAY.replace("type: log", "type: io.kestra.plugin.core.log.Log   # old"),
    ),
    "a group in an older package": (
        "tasks:\n  - {id: g, type: io.kestra.core.tasks.flows.Sequential, tasks: [{id: x, type: log, message: m}]}\n",
        "tasks:\n  - {id: g, type: io.kestra.plugin.core.flow.Sequential, tasks: [{id: x, type: log, message: m}]}\n",
    ),
    "WaitFor": (
        'tasks:\n  - id: w\n    type: io.kestra.plugin.core.flow.WaitFor\n    condition: "{{ true }}"\n    '
        + SAY.replace("\n", "\n    ").rstrip(" "),
        'tasks:\n  - id: w\n    type: io.kestra.plugin.core.flow.LoopUntil\n    condition: "{{ true }}"\n    '
        + SAY.replace("\n", "\n    ").rstrip(" "),
    ),
    "json": (
        "tasks:\n  - id: say\n    type: log\n    message: \"{{ json('{}') | json }} json(\"\n",
        "tasks:\n  - id: say\n    type: log\n    message: \"{{ fromJson('{}') | toJson }} json(\"\n",
    ),
    "a pause with a delay": (
        "tasks:\n  - id: p\n    type: pause\n    # a while\n    delay: PT1S\n    timeout: PT9S\n",
        "tasks:\n  - id: p\n    type: pause\n    # a while\n    pauseDuration: PT1S\n",
    ),
    "a pause with a timeout": (
        "tasks:\n  - {id: p, type: pause, timeout: PT1S}\n",
        "tasks:\n  - {id: p, type: pause, pauseDuration: PT1S, behavior: FAIL}\n",
    ),
    "a pause with tasks": (
        "tasks:\n  - id: p # waits\n    type: pause\n    delay: PT1S\n    tasks:\n      # then\n      - id: x\n"
        "        type: log\n        message: |\n          a\n            b\n\n"
        "  # last\n  - {id: y, type: log, message: m}\n",
        "tasks:\n  - id: p-group\n    type: io.kestra.plugin.core.flow.Sequential\n    tasks:\n      - id: p # waits\n"
        "        type: pause\n        pauseDuration: PT1S\n      # then\n      - id: x\n        type: log\n"
        "        message: |\n          a\n            b\n\n  # last\n  - {id: y, type: log, message: m}\n",
    ),
    "a parallel group": (
        "tasks:\n  - id: g\n    type: parallel\n    tasks:\n      - {id: x, type: log, message: m}\n",
        "tasks:\n  - id: g\n    type: parallel\n    onChildFailure: CONTINUE\n    tasks:\n"
        "      - {id: x, type: log, message: m}\n",
    ),
    "outputs of a subflow": (
        "tasks:\n  - id: s\n    type: subflow\n    namespace: co\n    flowId: b\n    outputs:\n      x: y\n"
        "    wait: true\n",
        "tasks:\n  - id: s\n    type: subflow\n    namespace: co\n    flowId: b\n    wait: true\n",
    ),
    "listeners": (
        SAY + "listeners:\n  # always\n  - tasks:\n      # really\n      - {id: x, type: log, message: m}\n",
        SAY + "afterExecution:\n  # always\n  - id: listener-1\n    type: io.kestra.plugin.core.flow.Sequential\n"
        "    tasks:\n      # really\n      - {id: x, type: log, message: m}\n",
    ),
    "listeners with conditions, behind tasks after the end": (
        SAY + "listeners:\n  - conditions:\n      - type: io.kestra.plugin.core.condition.ExecutionStatusCondition\n"
        "        in: [FAILED] # failed\n    tasks:\n      - {id: x, type: log, message: m}\n"
        "afterExecution:\n  - {id: y, type: log, message: m}\n",
        SAY + "afterExecution:\n  - {id: y, type: log, message: m}\n  - id: listener-1\n"
        "    type: io.kestra.plugin.core.flow.If\n    condition: \"{{ ((execution.state == 'FAILED')) }}\"\n    then:\n"
        "      - {id: x, type: log, message: m}\n",
    ),
    "conditions of a schedule": (
        SAY + "triggers:\n  - id: t\n    type: io.kestra.core.models.triggers.types.Schedule\n    cron: '0 9 * * *'\n"
        "    backfill: {}\n    # not then\n    scheduleConditions:\n"
        "      - type: io.kestra.core.models.conditions.types.WeekendCondition\n",
        SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Schedule\n    cron: '0 9 * * *'\n"
        '    # not then\n    when: "{{ isWeekend(trigger.date) }}"\n',
    ),
    "conditions of a flow": (
        SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n    conditions:\n"
        "      - type: io.kestra.plugin.core.condition.ExecutionFlow\n        namespace: co\n        flowId: b\n"
        "      - type: io.kestra.plugin.core.condition.Expression\n        expression: '{{ true }}'\n",
        SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n"
        "    when: \"{{ (trigger.namespace == 'co' and trigger.flowId == 'b') and (true) }}\"\n",
    ),
    "preconditions": (
        SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n    preconditions:\n      id: p\n"
        "      timeWindow: {type: SLIDING_WINDOW, window: PT1H}\n      # both\n      flows:\n"
        "        - {namespace: co, flowId: b, states: [FAILED]}\n        - {namespace: co, flowId: c}\n",
        SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n    # both\n    dependsOn:\n"
        "      - namespace: co\n        flowId: b\n        states:\n          - FAILED\n"
        "      - namespace: co\n        flowId: c\n        states:\n          - SUCCESS\n          - WARNING\n"
        "    window:\n      lookback: PT1H\n",
    ),
    "preconditions that filter": (
        SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n    preconditions:\n      id: p\n"
        "      where:\n        - id: w\n          filters:\n"
        "            - {field: FLOW_ID, type: EQUAL_TO, value: b}\n            # ours\n"
        "            - {field: NAMESPACE, type: EQUAL_TO, value: co}\n"
        "            - {field: STATE, type: IN, values: [FAILED, KILLED]}\n"
        "            - {field: EXPRESSION, type: IS_TRUE, value: \"{{ trigger.outputs.n > 1 and flow.id == 'a' }}\"}\n",
        SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n    # ours\n    dependsOn:\n"
        "      - namespace: co\n        flowId: b\n        states:\n          - FAILED\n          - KILLED\n"
        "        when: \"{{ (trigger.outputs.n > 1) and (flow.id == 'a') }}\"\n",
    ),
    "MultipleCondition": (
        SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n    conditions:\n"
        "      - type: io.kestra.plugin.core.condition.ExecutionStatus\n        in: [SUCCESS]\n"
        "      - id: both\n        type: io.kestra.plugin.core.condition.MultipleCondition\n        window: P1D\n"
        "        windowAdvance: PT6H\n        conditions:\n          # first\n"
        "          b: {type: io.kestra.plugin.core.condition.ExecutionFlow, namespace: co, flowId: b}\n"
        "          c: {type: io.kestra.plugin.core.condition.ExecutionFlow, namespace: co, flowId: c}\n",
        SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n    # first\n    dependsOn:\n"
        "      - namespace: co\n        flowId: b\n      - namespace: co\n        flowId: c\n"
        "    window:\n      every: P1D\n      offset: PT6H\n    when: \"{{ (trigger.state == 'SUCCESS') }}\"\n",
    ),
    "a version that is named": (
        "# kestra: 1\n" + SAY,
        SAY,
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_an_older_word_becomes_a_newer_one_and_the_flow_stays_the_same(name: str) -> None:
    older, newer = SAME[name]
    head = older.partition("\n")[0] + "\n" if older.startswith("#") else ""

    found = migrated(head + TOP + older.removeprefix(head))

    assert found.text == "# kestra: 2\n" + TOP + newer
    assert found.differences == ()


DIFFERENT = {
    "EachSequential": (
        "tasks:\n  - id: each\n    type: io.kestra.core.tasks.flows.EachSequential\n    value: [a, b]\n    tasks:\n"
        "      - {id: x, type: return, format: '{{ taskrun.value }} {{ taskrun.iteration }}'}\n"
        "      - {id: y, type: log, message: '{{ outputs.x[taskrun.value].value }}'} # said\n",
        "tasks:\n  - id: each\n    type: io.kestra.plugin.core.flow.Loop\n    values: [a, b]\n    concurrencyLimit: 1\n"
        "    tasks:\n      - {id: x, type: return, format: '{{ item.value }} {{ item.index }}'}\n"
        "      - {id: y, type: log, message: '{{ outputs.x.value }}'} # said\n",
        "co.a: each.gathers: nothing → true",
    ),
    "EachParallel": (
        "tasks:\n  - id: each\n    type: io.kestra.plugin.core.flow.EachParallel\n    value: '{{ [1] }}'\n    tasks:\n"
        "      - {id: x, type: log, message: '{{ taskrun.value }}'}\n      - {id: y, type: log, message: m}\n",
        "tasks:\n  - id: each\n    type: io.kestra.plugin.core.flow.Loop\n    values: '{{ [1] }}'\n"
        "    concurrencyLimit: 0\n    tasks:\n      - id: each-values\n"
        "        type: io.kestra.plugin.core.flow.Parallel\n        onChildFailure: CONTINUE\n        tasks:\n"
        "          - {id: x, type: log, message: '{{ item.value }}'}\n          - {id: y, type: log, message: m}\n",
        "co.a: each.distinct: nothing → false",
    ),
    "Echo": (
        "tasks:\n  - id: x\n    type: io.kestra.plugin.core.debug.Echo\n    format: hi # there\n",
        "tasks:\n  - id: x\n    type: io.kestra.plugin.core.log.Log\n    message: hi # there\n",
        'co.a: x.type: "echo" → "log"',
    ),
    "a container": (
        "tasks:\n  - id: x\n    type: io.kestra.plugin.scripts.shell.Commands\n    runner: DOCKER\n    docker:\n"
        "      image: ubuntu\n      pullPolicy: NEVER\n    commands: [ls]\n",
        "tasks:\n  - id: x\n    type: io.kestra.plugin.scripts.shell.Commands\n    taskRunner:\n"
        "      type: io.kestra.plugin.scripts.runner.docker.Docker\n      pullPolicy: NEVER\n"
        "    containerImage: ubuntu\n    commands: [ls]\n",
        'co.a: x.properties.containerImage: nothing → "ubuntu"',
    ),
    "LocalFiles": (
        "tasks:\n  - id: wd\n    type: working_directory\n    tasks:\n      - id: come\n        # these\n"
        "        type: io.kestra.plugin.core.storage.LocalFiles\n        inputs:\n"
        "          # one\n          a.txt: hello\n"
        "      - {id: x, type: shell.commands, commands: [ls]}\n      - id: go\n"
        "        type: io.kestra.core.tasks.storages.LocalFiles\n        outputs: ['*.csv']\n"
        "  - {id: y, type: log, message: \"{{ outputs.go.uris['a.csv'] }}\"}\n",
        "tasks:\n  - id: wd\n    type: working_directory\n    outputFiles:\n      - '*.csv'\n    inputFiles:\n"
        "      # one\n      a.txt: hello\n    tasks:\n      # these\n"
        "      - {id: x, type: shell.commands, commands: [ls]}\n"
        "  - {id: y, type: log, message: \"{{ outputs.wd.outputFiles['a.csv'] }}\"}\n",
        "co.a: y.properties.message: \"{{ outputs.go.uris['a.csv'] }}\" → \"{{ outputs.wd.outputFiles['a.csv'] }}\"",
    ),
    "a process": (
        "tasks:\n  - {id: x, type: io.kestra.plugin.scripts.shell.Commands, runner: PROCESS, commands: [ls]}\n",
        "tasks:\n  - {id: x, type: io.kestra.plugin.scripts.shell.Commands, "
        'taskRunner: {"type":"io.kestra.plugin.core.runner.Process"}, commands: [ls]}\n',
        'co.a: x.properties.runner: "PROCESS" → nothing',
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_then_means_something_else_is_told(name: str) -> None:
    older, newer, told = DIFFERENT[name]

    found = migrated(TOP + older)

    assert found.text == "# kestra: 2\n" + TOP + newer
    assert told in found.differences


@pytest.mark.parametrize(
    "filters",
    [
        "{field: STATE, type: IN, values: [FAILED]}",
        "{field: NAMESPACE, type: STARTS_WITH, value: co}",
        "{field: NAMESPACE, type: EQUAL_TO, value: co}]}, {id: v, filters: [{field: NAMESPACE, value: co}",
    ],
)
def test_runs_that_are_waited_for_without_telling_them_apart_stay_as_they_were(filters: str) -> None:
    text = SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n    preconditions:\n"
    text += f"      id: p\n      where: [{{id: w, filters: [{filters}]}}]\n"

    found = migrated(TOP + text)

    assert found.text.endswith(text)
    assert found.differences == ()
    assert "`dependsOn` takes their place." in [problem.hint for problem in found.left]


def test_a_condition_of_several_that_names_no_namespace_stays_and_is_told() -> None:
    text = SAY + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Flow\n    conditions:\n      - id: m\n"
    text += "        type: io.kestra.plugin.core.condition.MultipleCondition\n        conditions:\n"
    text += "          failed: {type: io.kestra.plugin.core.condition.ExecutionStatus, in: [FAILED]}\n"

    found = migrated(TOP + text)

    assert found.text.endswith(text)
    assert "`dependsOn` takes its place." in [problem.hint for problem in found.left]


def test_a_loop_whose_outputs_are_read_by_value_stays_and_is_told() -> None:
    text = (
        TOP + "tasks:\n  - id: each\n    type: io.kestra.plugin.core.flow.EachSequential\n    value: [a]\n    tasks:\n"
        "      - {id: x, type: return, format: b}\n  - {id: y, type: log, message: '{{ outputs.x.a.value }}'}\n"
    )

    found = migrated(text)

    assert "type: io.kestra.plugin.core.flow.ForEach\n    values: [a]\n    concurrencyLimit: 1\n" in found.text
    assert found.differences == ()
    assert any("`Loop` takes its place" in problem.hint for problem in found.left)


def test_what_version_0_20_does_otherwise_is_told() -> None:
    text = (
        "# kestra: 0.20\n" + TOP + "retry: {type: exponential, interval: PT1S, maxInterval: PT9S}\n"
        "tasks:\n  - {id: s, type: subflow, namespace: co, flowId: b}\n  - id: w\n    type: loop_until\n"
        "    condition: '{{ true }}'\n    checkFrequency: {maxIterations: 5}\n    tasks:\n"
        "      - {id: x, type: log, message: m}\n"
    )

    found = migrated(text)

    assert "checkFrequency: {maxIterations: 6, maxDuration: PT1H, interval: PT1S}" in found.text
    assert set(found.differences) == {
        "co.a: s.transmit_cancelled: false → nothing",
        'co.a: retry.backoff: "linear" → "exponential"',
    }


def test_each_flow_of_a_file_is_rewritten_into_the_newest_version() -> None:
    text = f"{TOP}{SAY}---\n# kestra: 0.20\nid: b\nnamespace: co\n{SAY}"

    found = migrated(text)

    assert found.text == f"# kestra: 2\n{TOP}{SAY}---\n# kestra: 2\nid: b\nnamespace: co\n{SAY}"
    assert found.differences == ()


def test_a_text_of_a_project_of_version_2_names_no_version() -> None:
    found = migrate("# kestra: 1\n" + TOP + SAY, readings, INSTALLED, "2")

    assert found.text == TOP + SAY


def test_a_default_that_is_stronger_where_it_stands_stays_there() -> None:
    ours = [{"type": "log", "forced": True, "values": {"level": "DEBUG"}}]
    text = TOP + SAY + "pluginDefaults:\n  - {type: log, forced: true, values: {level: WARN}}\n"

    found = migrate(text, lambda each: read_several(each, types=INSTALLED, defaults=ours), INSTALLED)

    assert found.text == "# kestra: 2\n" + text
    assert found.differences == ()
    assert "Plugin defaults of a flow are gone" in found.left[-1].sentence


def test_a_flow_in_json_stays_json() -> None:
    text = (
        '{"id": "a", "namespace": "co", "taskDefaults": [], "tasks": [{"id": "p", "type": "parallel", "tasks": '
        '[{"id": "x", "type": "pause", "timeout": "PT1S", "tasks": [{"id": "y", "type": "log", "message": "m"}]}]}]}\n'
    )

    found = migrated(text)

    parallel = json.loads(found.text)["tasks"][0]
    assert parallel["onChildFailure"] == "CONTINUE"
    assert (parallel["tasks"][0]["pauseDuration"], parallel["tasks"][0]["behavior"]) == ("PT1S", "FAIL")
    assert "Defaults" not in found.text and found.differences == ()


def test_a_text_that_cannot_be_read_is_left_alone() -> None:
    text = TOP + SAY.replace("type: log", "type: lgo")

    found = migrate(text, readings, INSTALLED)

    assert found.text == text
    assert [problem.code for problem in found.problems] == ["PS-214"]


LOOPS = (".distinct: nothing → false", ".gathers: nothing → true")
OLDER = ('.backoff: "linear" → "exponential"', ".warn_after: 2 → nothing", ".transmit_cancelled: false → nothing")


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(flow=flows())
def test_any_flow_becomes_one_of_version_2_that_differs_in_loops_and_in_what_0_20_does_alone(flow: Flow) -> None:
    types = Installed(others=True)

    def read_any(text: str) -> tuple[Reading, ...]:
        return read_several(text, types=types)

    found = migrate(write(flow), read_any, types)

    assert found.problems == ()
    assert migrate(found.text, read_any, types).text == found.text
    expected = {"0.20": (*LOOPS, *OLDER), "1": LOOPS, "2": LOOPS}[flow.language.version]
    assert [told for told in found.differences if not told.endswith(expected)] == []


@pytest.mark.parametrize("path", [*GOOD, *BROKEN], ids=lambda path: path.stem)
def test_no_flow_of_the_case_folders_is_lost(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", errors="replace").removeprefix("\ufeff")

    found = migrate(text, readings, INSTALLED)

    comments = [line for line in text.splitlines() if line.lstrip().startswith("#") and "kestra:" not in line]
    assert [line for line in comments if line.strip() not in found.text] == []
    assert all(each.flow is not None for each in readings(found.text)) or found.text == text
    assert migrate(found.text, readings, INSTALLED).text == found.text
