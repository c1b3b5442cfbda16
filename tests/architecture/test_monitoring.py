"""What is delivered for Prometheus and Grafana asks for metrics that the broker has, and names runbooks that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client.utils import floatToGoString

from core.metrics import DURATIONS
from tests.support.metrics import ONLY_POSTGRESQL, all_families
from tests.support.routes import api_routes
from tests.support.server import ROOT
from workorders.counters import CLAIM_LATENCY

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "brokkr.rules.yaml").read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
OBJECTIVES = sorted(
    {rule["labels"]["slo"] for rule in RULES if rule.get("record") == "brokkr:slo_budget:ratio"}
)
CASES = [
    case
    for path in sorted(PROMETHEUS.glob("*.test.yaml"))
    for case in yaml.safe_load(path.read_text())["tests"]
]
# What one family is called in the text format.
_SUFFIXES = {
    "counter": ["_total"],
    "histogram": ["_bucket", "_count", "_sum"],
    "summary": ["_count", "_sum"],
    "gauge": [""],
    "unknown": [""],
}


def _panels() -> Iterator[str]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            yield from (target["expr"] for target in panel["targets"])


def _expressions() -> list[str]:
    return [*(rule["expr"] for rule in RULES), *_panels()]


@pytest.mark.django_db
def test_every_metric_that_is_asked_for_is_one_that_the_broker_has():
    exposed = {f"{family.name}{suffix}" for family, _ in all_families() for suffix in _SUFFIXES[family.type]}
    asked = {name for expression in _expressions() for name in re.findall(r"\bbrokkr_\w+", expression)}
    assert len(asked) > 15
    assert asked - exposed - ONLY_POSTGRESQL == set()


def test_every_limit_of_a_bucket_that_is_asked_for_is_there():
    there = {
        floatToGoString(limit)
        for histogram in (DURATIONS, CLAIM_LATENCY)
        for limit in histogram._upper_bounds  # it has no public name
    }
    asked = {limit for expression in _expressions() for limit in re.findall(r'le="([^"]+)"', expression)}
    assert asked
    assert asked <= there


def test_every_recorded_series_that_is_asked_for_is_recorded():
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    asked = {name for expression in _expressions() for name in re.findall(r"\bbrokkr:[\w:]+", expression)}
    assert asked <= recorded
    assert asked


def test_every_pattern_of_routes_fits_a_route():
    routes = [f"/api/v1{route.path}" for route in api_routes()]
    patterns = {
        pattern for expression in _expressions() for pattern in re.findall(r'endpoint=~"([^"]+)"', expression)
    }
    assert patterns
    assert [each for each in patterns if not any(re.fullmatch(each, route) for route in routes)] == []


def test_every_alert_and_every_objective_has_a_runbook():
    page = (ROOT / "docs" / "slo.md").read_text(encoding="utf-8")
    headings = {
        line.removeprefix("### ").strip().lower() for line in page.splitlines() if line.startswith("### ")
    }
    own = {alert["alert"].lower() for alert in ALERTS if "$labels.slo" not in alert["annotations"]["runbook"]}
    assert own | set(OBJECTIVES) == headings
    assert {alert["annotations"]["runbook"] for alert in ALERTS} == {
        "docs/slo.md#{{ $labels.slo }}",
        *(f"docs/slo.md#{name}" for name in own),
    }


def test_every_objective_is_recorded_as_errors_events_and_budget():
    for part in ("errors:rate5m", "events:rate5m", "budget:ratio"):
        found = [rule["labels"]["slo"] for rule in RULES if rule.get("record") == f"brokkr:slo_{part}"]
        assert sorted(found) == OBJECTIVES
    assert len(OBJECTIVES) == 12


def _outcomes(alert: str, objective: str | None) -> set[bool]:
    """Whether cases expect the alert to fire and, in others, to be silent."""
    return {
        bool(check.get("exp_alerts"))
        for case in CASES
        if objective is None or case["name"].startswith(f"{objective} ")
        for check in case["alert_rule_test"]
        if check["alertname"] == alert
    }


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent():
    assert [alert["alert"] for alert in ALERTS if _outcomes(alert["alert"], None) != {True, False}] == []


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_has_such_cases_for_both_burn_rates(objective):
    for alert in ("BrokkrBudgetBurnsFast", "BrokkrBudgetBurnsSlowly"):
        assert _outcomes(alert, objective) == {True, False}


@pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed here: apt install prometheus"
)
def test_promtool_agrees_with_every_case():
    cases = sorted(map(str, PROMETHEUS.glob("*.test.yaml")))
    done = subprocess.run(["promtool", "test", "rules", *cases], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboards_are_three_and_each_has_an_id_of_its_own():
    found = [json.loads(path.read_text()) for path in DASHBOARDS]
    assert [each["uid"] for each in found] == [path.stem for path in DASHBOARDS]
    assert len(found) == 3
    for each in found:
        ids = [panel["id"] for panel in each["panels"]]
        assert len(ids) == len(set(ids))
