"""Do figures read as Prometheus reads them, count what happened and stay few, and do dashboard and alerts name them?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from penstock.telemetry import Level, Notice
from penstock.telemetry.metrics import CATALOGUE, MOST, Kind, Metrics, Standing

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
LINE = re.compile(r'penstock_\w+(\{\w+="(?:[^"\\\n]|\\.)*"(?:,\w+="(?:[^"\\\n]|\\.)*")*\})? [0-9.e+-]+')


def said(name: str, level: Level = Level.INFO, **fields: object) -> Notice:
    """A notice."""
    return Notice(name, 0, level, fields)


def test_what_happened_is_counted() -> None:
    metrics = Metrics()

    metrics.hear(said("run.success", flow="shop.hello"))
    metrics.hear(said("run.success", flow="shop.hello"))
    metrics.hear(said("run.running", flow="shop.hello"))
    metrics.hear(said("run.failed", Level.ERROR, flow="shop.hello"))
    metrics.hear(said("run.success", flow="shop.hello~watch"))
    metrics.hear(said("attempt.ended", outcome="done"))
    metrics.hear(said("attempts.claimed", attempts=3, seconds=0.002))
    metrics.hear(said("api.answered", route="list_runs", status=200, seconds=0.02))
    metrics.stood("write", 0.004)
    lines = metrics.text().splitlines()

    assert 'penstock_runs_ended_total{status="success"} 2' in lines
    assert 'penstock_runs_ended_total{status="failed"} 1' in lines
    assert 'penstock_attempts_ended_total{outcome="done"} 1' in lines
    assert "penstock_attempts_claimed_total 3" in lines
    assert "penstock_workers_lost_total 0" in lines
    assert 'penstock_notices_total{level="error"} 1' in lines
    assert 'penstock_http_requests_total{route="list_runs",status="200"} 1' in lines
    assert 'penstock_store_seconds_bucket{kind="write",le="0.0025"} 0' in lines
    assert 'penstock_store_seconds_bucket{kind="write",le="0.005"} 1' in lines
    assert 'penstock_store_seconds_bucket{kind="write",le="+Inf"} 1' in lines
    assert 'penstock_store_seconds_sum{kind="write"} 0.004' in lines


def test_every_line_reads_as_a_figure_and_follows_its_kind() -> None:
    metrics = Metrics()
    metrics.count("penstock_http_requests_total", 'odd "name"\\\nhere', "200")
    metrics.took("penstock_claim_seconds", 3600.0)

    text = metrics.text([Standing("penstock_queue_waiting", 2, ("gpu",)), Standing("penstock_feed_head", 7)])

    assert text.endswith("\n")
    assert all(line.startswith("# ") or LINE.fullmatch(line) for line in text.splitlines())
    assert "# TYPE penstock_claim_seconds histogram" in text
    assert 'penstock_claim_seconds_bucket{le="10"} 0\npenstock_claim_seconds_bucket{le="+Inf"} 1' in text


def test_labels_do_not_grow_without_end() -> None:
    metrics = Metrics()

    for number in range(MOST + 10):
        metrics.count("penstock_http_requests_total", f"r{number}", "200")
        metrics.took("penstock_http_seconds", 0.1, f"r{number}")

    assert metrics.text().count("penstock_http_requests_total{") == MOST
    assert metrics.text().count("penstock_http_seconds_count{") == MOST


def test_what_the_dashboard_and_the_alerts_name_is_told() -> None:
    told = set()
    for about in CATALOGUE.values():
        endings = ("_bucket", "_sum", "_count") if about.kind is Kind.HISTOGRAM else ("",)
        told |= {about.name + ending for ending in endings}
    board = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    rules = yaml.safe_load((DEPLOY / "prometheus-alerts.yml").read_text())["groups"][0]["rules"]
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [rule["expr"] for rule in rules]
    named = {name for expression in asked for name in re.findall(r"penstock_\w+", expression)}

    assert named <= told
    assert {about.name for about in CATALOGUE.values()} <= {re.sub(r"_bucket$", "", name) for name in named}
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules)
