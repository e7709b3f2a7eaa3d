"""What do the expressions that flows are full of cost? Microseconds of processor each, compiled once as in a worker."""

from __future__ import annotations

import datetime
import time

from bench.figure import Figure, figure
from penstock.expr import Calls, Template, compile

BAR = 50
TIMES = 1_000
ROWS = [{"id": number, "x": number * 2, "name": f"name {number}"} for number in range(10)]
SCOPE: dict[str, object] = {
    "flow": {"id": "load", "namespace": "shop.daily"},
    "execution": {"id": "4d1GVZ8uO3fJ8dV0a0Zz0k", "startDate": "2024-05-06T07:08:09.123Z"},
    "inputs": {
        "day": "2024-02-29",
        "limit": 5,
        "name": "Summer Sale",
        "text": '{"a": {"b": [1, 2]}}',
        "tags": ["x", "y"],
    },
    "outputs": {"a": {"rows": ROWS, "uri": "penstock:///runs/1/a/1/orders.csv"}, "load-all": {"count": 3}},
    "vars": {"db": {"host": "localhost", "port": 5432}},
    "trigger": {"date": "2024-03-31T01:30:00Z"},
    "taskrun": {"value": '{"k": 1}'},
    "labels": {"env": "prod"},
}
EXPRESSIONS = {
    "jq": "{{ outputs.a.rows | jq('.[].x') | first }}",
    "input": "{{ inputs.day }}",
    "path": "{{ outputs['load-all'].count }}",
    "index": "{{ outputs.a.rows[3].name }}",
    "default": "{{ inputs.missing ?? vars.db.host }}",
    "sum": "{{ inputs.limit * 2 + 1 }}",
    "joined": "{{ flow.namespace ~ '/' ~ flow.id }}",
    "condition": "{{ labels.env == 'prod' and inputs.limit >= 5 }}",
    "ternary": "{{ inputs.limit > 3 ? 'many' : 'few' }}",
    "defined": "{{ trigger.date is defined }}",
    "contains": "{{ inputs.tags contains 'y' }}",
    "upper": "{{ inputs.name | upper }}",
    "slug": "{{ inputs.name | slugify }}",
    "replace": "{{ inputs.name | replace({' ': '_'}) | lower }}",
    "after": "{{ outputs.a.uri | substringAfterLast('/') }}",
    "join": "{{ inputs.tags | join(', ') }}",
    "length": "{{ outputs.a.rows | length }}",
    "date": "{{ trigger.date | date('yyyy-MM-dd') }}",
    "date_add": "{{ trigger.date | dateAdd(-1, 'DAYS') | date('yyyy/MM/dd') }}",
    "now": "{{ now('yyyy-MM-dd') }}",
    "from_json": "{{ fromJson(inputs.text).a.b[1] }}",
    "to_json": "{{ vars.db | toJson }}",
    "loop": "{% for row in outputs.a.rows %}{{ row.id }}{{ loop.last ? '' : ',' }}{% endfor %}",
}
CALLS = Calls(now=datetime.datetime(2024, 5, 6, tzinfo=datetime.UTC))


def expressions() -> list[Figure]:
    """Twenty-three usual expressions, compiled: µs each."""
    found = []
    for name, text in EXPRESSIONS.items():
        template = compile(text)
        seen = [_each(template) for _ in range(21)]
        found.append(figure(f"expressions_{name}", "µs", seen[1:], bar=None if name == "jq" else BAR))
    return found


def _each(template: Template) -> float:
    began = time.thread_time()
    for _ in range(TIMES):
        template.render(SCOPE, CALLS)
    return (time.thread_time() - began) / TIMES * 1e6
