"""How long does a team's whole collection of flows take? A thousand of thirty tasks each, read and checked as one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import yaml

from bench.figure import Figure, figure, paired
from penstock.services.called import check_calls
from penstock.services.project import Manner, flow_files, read_all

FLOWS = 1_000
TIMES = 3
FLOW = """id: flow{n}
namespace: company.team{team}
description: What team {team} does every day, number {n}.
labels: {{team: team{team}, tier: "{tier}"}}
inputs:
  - {{id: day, type: DATE, defaults: 2016-01-02}}
  - {{id: regions, type: ARRAY, itemType: STRING, defaults: [eu, us, asia]}}
  - {{id: dry, type: BOOLEAN, defaults: false}}
variables:
  bucket: "shop-{n}"
  table: "raw.orders_{n}"
tasks:
  - id: download
    type: io.kestra.plugin.core.http.Download
    uri: "https://example.com/{n}/{{{{ inputs.day }}}}.csv"
    retry: {{type: exponential, interval: PT1S, maxInterval: PT1M, maxAttempts: 5}}
  - id: check
    type: io.kestra.plugin.core.flow.If
    condition: "{{{{ inputs.dry == false and (labels.tier ?? '1') != '9' }}}}"
    then:
      - {{id: go, type: io.kestra.plugin.core.log.Log, message: "{n}: {{{{ inputs.day | date('yyyy/MM/dd') }}}}"}}
    else:
      - {{id: stop, type: io.kestra.plugin.core.log.Log, level: WARN, message: "{{{{ flow.id }}}} stays dry"}}
  - id: regions
    type: io.kestra.plugin.core.flow.ForEach
    concurrencyLimit: 2
    values: "{{{{ inputs.regions }}}}"
    tasks:
      - id: count
        type: io.kestra.plugin.scripts.shell.Commands
        env: {{REGION: "{{{{ taskrun.value }}}}", DAY: "{{{{ inputs.day }}}}"}}
        commands:
          - wc -l "{{{{ outputs.download.uri }}}}"
          - echo "{{{{ vars.bucket }}}}/{{{{ taskrun.value }}}} {n}"
      - id: told
        type: io.kestra.plugin.core.debug.Return
        format: "{{{{ outputs.count[taskrun.value].exitCode }}}} {n}"
  - id: side
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
{side}
{chain}
errors:
  - id: alarm
    type: io.kestra.plugin.core.http.Request
    method: POST
    uri: "https://example.com/hooks/{team}"
    contentType: application/json
    body: |
      {{"text": "{{{{ flow.namespace }}}}.{{{{ flow.id }}}} failed: {{{{ error.message }}}} {n}"}}
outputs:
  - {{id: rows, type: JSON, value: "{{{{ outputs.told }}}}"}}
triggers:
  - {{id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "{minute} 4 * * *"}}
"""
SIDE = """      - id: python{k}
        type: io.kestra.plugin.scripts.python.Script
        timeout: PT10M
        script: |
          day = "{{{{ inputs.day }}}}"
          print("part {k} of {n}", day, "{{{{ vars.table }}}}")
"""
CHAIN = """  - id: step{k}
    type: io.kestra.plugin.core.debug.Return
    format: "{{{{ outputs.{before} }}}} {{{{ (vars.table | upper) ~ '-{k}' }}}} {n}"
"""


def read_1000() -> list[Figure]:
    """1,000 flows of 30 tasks, read and checked with what they call of each other: seconds; then by the command."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        folder = Path(name)
        turns = iter(range(100))
        seen, low = paired(lambda: _read(folder, next(turns)), partial(_composed, folder), TIMES)
        told, _ = paired(lambda: _checked(folder, next(turns)), partial(_composed, folder), TIMES)
    return [
        figure("read_1000", "s", seen, floor=low, bar=10),
        figure("read_1000", "s", told, floor=low, bar=12, note="by penstock check"),
    ]


def written(folder: Path, turn: int, count: int = FLOWS) -> None:
    """Write flows that were never seen before."""
    for number in range(count):
        n = turn * FLOWS + number
        side = "".join(SIDE.format(k=k, n=n) for k in range(4))
        chain = "".join(CHAIN.format(k=k, n=n, before=f"step{k - 1}.value" if k else "download.uri") for k in range(16))
        text = FLOW.format(n=n, team=n % 20, tier=n % 3, minute=n % 60, side=side.rstrip(), chain=chain.rstrip())
        (folder / f"flow{number}.yml").write_text(text)


def _read(folder: Path, turn: int) -> float:
    written(folder, turn)
    began = time.perf_counter()
    files = flow_files([folder])
    found = check_calls(read_all(files, Manner()), files, Manner())
    spent = time.perf_counter() - began
    assert all(each.reading.flow for each in found), found[0].reading.problems
    return spent


def _checked(folder: Path, turn: int) -> float:
    written(folder, turn)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "penstock", "check", "-q", str(folder)], check=True, capture_output=True)
    return time.perf_counter() - began


def _composed(folder: Path) -> float:
    """The floor: the same texts as nodes with places, by the YAML library in C."""
    texts = [path.read_text() for path in folder.glob("*.yml")]
    began = time.perf_counter()
    for text in texts:
        yaml.compose(text, Loader=yaml.CSafeLoader)
    return time.perf_counter() - began
