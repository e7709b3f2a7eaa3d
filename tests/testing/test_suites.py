"""Are Kestra's test files run as they stand? Fixtures in their tasks' places, and nothing of the user's is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.testing.suite import stage
from penstock.testing.suite.cases import State
from tests.testing.conftest import Runs

LOAD = """
id: load
namespace: shop
inputs:
  - {id: name, type: STRING, defaults: nobody}
tasks:
  - id: fetch
    type: io.kestra.plugin.core.execution.Fail
  - id: greeting
    type: io.kestra.plugin.core.debug.Return
    format: "Hello {{ inputs.name }} {{ outputs.fetch.value ?? '' }}"
errors:
  - {id: alarm, type: log, message: "it failed"}
outputs:
  - {id: said, type: STRING, value: "{{ outputs.greeting.value }}"}
"""
HEAD = "id: load_tests\nnamespace: shop\nflowId: load\ntestCases:\n"
MOCKED = """
  - id: mocked
    type: io.kestra.core.tests.flow.UnitTest
    fixtures:
      inputs: {name: Kestra}
      tasks:
        - id: fetch
          description: not for tests
          outputs: {value: from-fixture}
    assertions:
      - value: "{{ outputs.greeting.value }}"
        equalTo: Hello Kestra from-fixture
        contains: Kestra
      - value: "{{ execution.outputs.said }}"
        startsWith: Hello
      - value: "{{ execution.state }}"
        in: [SUCCESS, WARNING]
"""


def test_what_a_fixture_gives_is_what_the_next_tasks_find(project: Path, run: Runs) -> None:
    (project / "flows" / "load.yml").write_text(LOAD)

    done = run(HEAD + MOCKED)

    assert done["mocked"].state is State.PASSED, done["mocked"].verdicts
    assert len(done["mocked"].verdicts) == 4


def test_each_false_assertion_is_told_with_what_was_there(project: Path, run: Runs) -> None:
    (project / "flows" / "load.yml").write_text(LOAD)
    wrong = MOCKED.replace("equalTo: Hello Kestra from-fixture", "equalTo: Hello you")

    done = run(HEAD + wrong)["mocked"]

    assert done.state is State.FAILED
    [verdict] = [each for each in done.verdicts if not each.ok]
    assert (verdict.expected, verdict.actual) == ("Hello you", "Hello Kestra from-fixture")
    assert verdict.place.line == 16


def test_a_run_that_fails_is_judged_by_the_assertions_alone(project: Path, run: Runs) -> None:
    (project / "flows" / "load.yml").write_text(LOAD)
    text = """
  - id: fails
    assertions:
      - {value: "{{ execution.state }}", equalTo: FAILED}
      - {value: "{{ tasks.alarm.state }}", equalTo: SUCCESS}
      - {value: "{{ outputs.greeting.value }}", isNull: true}
"""

    done = run(HEAD + text)["fails"]

    assert done.state is State.PASSED, done.verdicts


def test_a_name_that_leads_nowhere_is_an_error_of_the_test_and_no_false_assertion(project: Path, run: Runs) -> None:
    (project / "flows" / "load.yml").write_text(LOAD)
    text = """
  - id: looks_too_far
    assertions: [{value: "{{ outputs.greeting.value }}", equalTo: Hello}]
"""

    done = run(HEAD + text)["looks_too_far"]

    assert done.state is State.ERROR
    assert "greeting" in done.verdicts[0].trouble


def test_hours_of_waiting_pass_in_no_time(project: Path, run: Runs) -> None:
    (project / "flows" / "load.yml").write_text("""
id: load
namespace: shop
tasks:
  - {id: begin, type: return, format: "{{ now() }}"}
  - {id: wait, type: sleep, duration: PT5H}
  - id: flaky
    type: log
    message: never
    retry: {type: constant, interval: PT2H, maxAttempts: 3}
    allowFailure: true
  - {id: end, type: return, format: "{{ now() }}"}
""")
    text = """
  - id: waits
    fixtures:
      now: "2016-01-02T03:00:00Z"
      tasks: [{id: flaky, state: FAILED}]
    assertions:
      - {value: "{{ outputs.begin.value }}", startsWith: "2016-01-02T03:00"}
      - {value: "{{ outputs.end.value }}", startsWith: "2016-01-02T12:00"}
      - {value: "{{ execution.state }}", equalTo: WARNING}
"""

    done = run(HEAD + text)["waits"]

    assert done.state is State.PASSED, done.verdicts


def test_a_pause_a_subflow_and_a_type_that_is_not_installed_can_be_replaced(project: Path, run: Runs) -> None:
    (project / "flows" / "load.yml").write_text("""
id: load
namespace: shop
tasks:
  - {id: rows, type: io.kestra.plugin.gcp.bigquery.Query, sql: SELECT 1}
  - {id: approve, type: pause, onResume: [{id: reason, type: STRING}]}
  - {id: child, type: subflow, namespace: shop, flowId: elsewhere}
  - id: each
    type: foreach
    values: [a, b]
    tasks: [{id: one, type: shell.commands, commands: ["exit 1"]}]
""")
    text = """
  - id: replaced
    fixtures:
      tasks:
        - {id: rows, outputs: {size: 3}}
        - {id: approve, outputs: {onResume: {reason: fine}}}
        - {id: child, outputs: {outputs: {total: 7}}}
        - {id: one, value: a, outputs: {n: 1}}
        - {id: one, value: b, outputs: {n: 2}}
    assertions:
      - {value: "{{ outputs.rows.size }}", equalTo: 3}
      - {value: "{{ outputs.approve.onResume.reason }}", equalTo: fine}
      - {value: "{{ outputs.child.outputs.total }}", greaterThan: 6, lessThanOrEqualTo: 7}
      - {value: "{{ outputs.one.b.n }}", equalTo: 2}
      - {value: "{{ execution.state }}", equalTo: SUCCESS}
"""

    done = run(HEAD + text)["replaced"]

    assert done.state is State.PASSED, done.verdicts


def test_a_run_that_waits_for_somebody_says_so(project: Path, run: Runs) -> None:
    (project / "flows" / "load.yml").write_text(
        "id: load\nnamespace: shop\ntasks: [{id: approve, type: pause}, {id: say, type: log, message: hello}]\n"
    )
    text = '\n  - {id: waits, assertions: [{value: "{{ execution.state }}", equalTo: SUCCESS}]}\n'

    done = run(HEAD + text)["waits"]

    assert done.state is State.ERROR
    assert "waits for what never comes" in done.trouble


def test_files_keys_secrets_and_the_trigger_are_there(project: Path, run: Runs) -> None:
    (project / "rows.json").write_text('{"rows": [1, 2]}')
    (project / "flows" / "load.yml").write_text("""
id: load
namespace: shop
tasks:
  - {id: fetch, type: http.download, uri: "https://example.com/rows.csv"}
  - {id: text, type: return, format: "{{ read(outputs.fetch.uri) }}"}
  - {id: colour, type: return, format: "{{ kv('colour') }} {{ trigger.body }}"}
  - {id: token, type: return, format: "{{ secret('TOKEN') | length }}"}
""")
    text = """
  - id: inline
    fixtures:
      files: {rows.csv: "a,b"}
      tasks: [{id: fetch, outputs: {uri: "{{ files['rows.csv'] }}"}}]
      trigger: {id: hook, type: io.kestra.plugin.core.trigger.Webhook, variables: {body: from outside}}
      kv: {colour: blue}
      secrets: {TOKEN: abc}
    assertions:
      - {value: "{{ outputs.text.value }}", equalTo: "a,b"}
      - {value: "{{ outputs.colour.value }}", equalTo: blue from outside}
      - {value: "{{ outputs.token.value }}", equalTo: 3}
      - {value: "{{ read(files['rows.csv']) }}", endsWith: b}
  - id: of_the_namespace
    fixtures:
      tasks: [{id: fetch, outputs: {uri: "{{ fileURI('rows.json') }}"}}, {id: colour}, {id: token}]
    assertions:
      - {value: "{{ outputs.text.value }}", equalTo: {rows: [1, 2]}}
"""

    done = run(HEAD + text)

    assert [each.state for each in done.values()] == [State.PASSED] * 2, done
    assert not (project / ".penstock").exists()


def test_a_script_is_really_run_where_no_fixture_stands_for_it(project: Path, run: Runs) -> None:
    (project / "flows" / "load.yml").write_text("""
id: load
namespace: shop
tasks:
  - id: count
    type: shell.commands
    commands: ["echo '::{\\"outputs\\": {\\"n\\": 3}}::'"]
""")
    text = '\n  - {id: counts, assertions: [{value: "{{ outputs.count.vars.n }}", equalTo: 3, in: [3, 4]}]}\n'

    done = run(HEAD + text)["counts"]

    assert done.state is State.PASSED, done.verdicts


def test_who_looks_again_and_again_is_not_waited_for_for_ever(
    project: Path, run: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "MOST_WAITS", 50)
    (project / "flows" / "load.yml").write_text("""
id: load
namespace: shop
tasks:
  - id: again
    type: loop_until
    condition: "{{ false }}"
    checkFrequency: {interval: PT1M}
    tasks: [{id: look, type: log, message: "not yet"}]
""")
    text = '\n  - {id: looks, assertions: [{value: "{{ execution.state }}", equalTo: SUCCESS}]}\n'

    done = run(HEAD + text)["looks"]

    assert done.state is State.ERROR
    assert "has waited 50 times" in done.trouble


def test_a_disabled_test_is_not_run(project: Path, run: Runs) -> None:
    (project / "flows" / "load.yml").write_text(LOAD)

    done = run(HEAD + MOCKED.replace("id: mocked", "id: mocked\n    disabled: true"))

    assert done["mocked"].state is State.SKIPPED


CHILD = """
id: child
namespace: shop
tasks:
  - {id: said, type: return, format: "{{ read('words' ~ '/hello.txt') }}"}
  - id: script
    type: shell.commands
    namespaceFiles: {enabled: true}
    commands: ["echo \\"::{\\\\\\"outputs\\\\\\": {\\\\\\"n\\\\\\": \\\\\\"$(cat words/hello.txt)\\\\\\"}}::\\""]
  - id: write
    type: io.kestra.plugin.core.namespace.UploadFiles
    namespace: shop
    filesMap: {words/hello.txt: "{{ outputs.made.uri }}"}
  - {id: after, type: return, format: "{{ read('words/hello.txt') }}"}
  - {id: delete, type: io.kestra.plugin.core.namespace.DeleteFiles, namespace: shop, files: ["words/*"]}
  - {id: left, type: return, format: "{{ fileExists('words/hello.txt') }}"}
outputs:
  - {id: all, type: STRING, value: "{{ outputs.said.value }} {{ outputs.script.vars.n }}
      {{- outputs.after.value }} {{ outputs.left.value }}"}
"""


def test_a_called_flow_reads_the_projects_files_and_what_it_does_to_them_stays_on_the_stage(
    project: Path, run: Runs
) -> None:
    (project / "words").mkdir()
    (project / "words" / "hello.txt").write_text("hello")
    made = "  - {id: made, type: io.kestra.plugin.core.storage.Write, content: ' new'}\n"
    (project / "flows" / "child.yml").write_text(CHILD.replace("  - id: write\n", made + "  - id: write\n"))
    (project / "flows" / "load.yml").write_text("""
id: load
namespace: shop
tasks: [{id: call, type: subflow, namespace: shop, flowId: child, wait: true, transmitFailed: true}]
""")
    said = '{value: "{{ outputs.call.outputs.all }}", equalTo: "hello hello new false"}'
    text = f"\n  - {{id: called, assertions: [{said}]}}\n"

    done = run(HEAD + text)["called"]

    assert done.state is State.PASSED, (done.verdicts, done.trouble)
    assert (project / "words" / "hello.txt").read_text() == "hello"
    assert not (project / ".penstock").exists()
