"""schemathesis against a live broker: whatever the document allows is accepted, whatever it forbids is refused.

All checks, once for each kind of key. schemathesis.toml and tests/support/schemathesis_hooks.py say
what it is told about the broker, and why.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.live_api import Rows, live_client, make_rows
from tests.support.receiver import LOOPBACK_ALLOWED
from tests.support.server import ROOT, LiveServer, Template

pytestmark = pytest.mark.live


@pytest.fixture
def broker(database_template: Template, tmp_path: Path) -> Iterator[LiveServer]:
    """A broker for each run: what it begins, such as a freeze, may go on after it."""
    with database_template.broker(tmp_path, LOOPBACK_ALLOWED) as server:
        yield server


# What must have succeeded at least once in a run: all an admin may do, and what the others may do with their rows.
_NOT_FOR_AN_ADMIN = {
    # An agent's heartbeat is its own, and so is what else it says by a sync.
    "POST /api/v1/agents/{agent_id}/heartbeat",
    "POST /api/v1/agents/{agent_id}/sync",
    # This needs a removal that the agent has held back.
    "POST /api/v1/agents/{agent_id}/confirmed-removals",
    # Nobody answers for an agent.
    "POST /api/v1/diagnostics/{diagnostic_id}/result",
    # These need a claim that is held just then, which the order of the requests decides.
    "POST /api/v1/work-orders/{work_order_id}/complete",
    "POST /api/v1/work-orders/{work_order_id}/renew",
    # These need a rollout, or a held version, in the one state that each of them ends.
    "DELETE /api/v1/stacks/{stack_id}/rollout-strategy",
    "POST /api/v1/deployment-objects/{object_id}/release",
    "POST /api/v1/rollouts/{rollout_id}/abort",
    "POST /api/v1/rollouts/{rollout_id}/approve",
    "POST /api/v1/rollouts/{rollout_id}/pause",
    "POST /api/v1/rollouts/{rollout_id}/resume",
    "POST /api/v1/rollouts/{rollout_id}/roll-back",
    "POST /api/v1/rollouts/{rollout_id}/skip",
    "POST /api/v1/rollouts/{rollout_id}/waves/{wave}/checks/{name}",
    # The result of a delivery is its agent's to report, and nobody listens where the test event is sent to.
    "POST /api/v1/webhook-deliveries/{delivery_id}/result",
    "POST /api/v1/webhooks/{webhook_id}/test",
    # By then an example of ending the registration has dropped the target, too.
    "DELETE /api/v1/agents/{agent_id}/targets/{stack_id}",
}
_GENERATOR_MAY = {
    f"{method} /api/v1{path}"
    for method, path in (
        ("GET", "/agents"),
        ("GET", "/agents/{agent_id}/explain"),
        ("GET", "/deployment-objects/{object_id}"),
        ("GET", "/generators/{generator_id}"),
        ("GET", "/generators/{generator_id}/registered-agents"),
        ("GET", "/stacks"),
        ("GET", "/stacks/{stack_id}"),
        ("GET", "/stacks/{stack_id}/annotations"),
        ("GET", "/stacks/{stack_id}/deployment-objects"),
        ("GET", "/stacks/{stack_id}/events"),
        ("GET", "/stacks/{stack_id}/labels"),
        ("GET", "/stacks/{stack_id}/logs"),
        ("POST", "/agents/{agent_id}/targets"),
        ("POST", "/auth/pak"),
        ("POST", "/stacks"),
        ("POST", "/stacks/{stack_id}/annotations"),
        ("POST", "/stacks/{stack_id}/deployment-objects"),
        ("POST", "/stacks/{stack_id}/labels"),
        ("PUT", "/generators/{generator_id}"),
        ("PUT", "/stacks/{stack_id}"),
    )
}
_AGENT_MAY = {
    f"{method} /api/v1{path}"
    for method, path in (
        ("GET", "/agent-events"),
        ("GET", "/agent-events/{event_id}"),
        ("GET", "/agents/{agent_id}"),
        ("GET", "/agents/{agent_id}/annotations"),
        ("GET", "/agents/{agent_id}/diagnostics/pending"),
        ("GET", "/agents/{agent_id}/events"),
        ("GET", "/agents/{agent_id}/labels"),
        ("GET", "/agents/{agent_id}/registrations"),
        ("GET", "/agents/{agent_id}/stacks"),
        ("GET", "/agents/{agent_id}/target-state"),
        ("GET", "/agents/{agent_id}/targets"),
        ("GET", "/agents/{agent_id}/webhooks/pending"),
        ("GET", "/deployment-objects/{object_id}"),
        ("GET", "/diagnostics/{diagnostic_id}"),
        ("GET", "/stacks/{stack_id}/annotations"),
        ("GET", "/stacks/{stack_id}/labels"),
        ("PATCH", "/agents/{agent_id}/health-status"),
        ("POST", "/agents/{agent_id}/events"),
        ("POST", "/agents/{agent_id}/heartbeat"),
        ("POST", "/auth/pak"),
        ("POST", "/diagnostics/{diagnostic_id}/claim"),
        ("POST", "/generators/{generator_id}/register"),
        ("PUT", "/agents/{agent_id}"),
    )
}


# Instead of the seed of schemathesis.toml, for other requests than those of CI, and for all callers: `make fuzz-api`.
_SEED = os.environ.get("BROKKR_TEST_SEED")
_ALL_PHASES = "examples,coverage,fuzzing,stateful"
# The coverage phase is the same for every caller, and half of the time; the agent's part is what only it may do.
_PHASES = {"agent": "examples,fuzzing,stateful"}


def _run(broker: LiveServer, *, caller: str, key: str, rows: Rows, folder: Path) -> dict[str, Any]:
    """The report of a run that found nothing."""
    report = folder / "report.json"
    known = asdict(rows) | {"deployment_object_id": rows.object_id}
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "run", "openapi/brokkr-v1.yaml"),
            *("--url", broker.url, "--header", f"Authorization: Bearer {key}", "--no-color"),
            *("--phases", _PHASES.get(caller, _ALL_PHASES)),
            *(("--seed", _SEED) if _SEED else ()),
            *("--report", "json", "--report-json-path", str(report)),
        ],
        cwd=ROOT,
        env=os.environ | {"BROKKR_TEST_ROWS": json.dumps(known), "BROKKR_TEST_CALLER": caller},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    with live_client(broker, key) as client:
        # Otherwise the run had lost its key on the way, and tested refusals only.
        assert client.post("/auth/pak").status_code == 200
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert result["operations"]["tested"] == result["operations"]["total"], done.stdout[-10_000:]
    return result


def _succeeded(report: dict[str, Any]) -> set[str]:
    """The operations of the API that answered a valid request with success."""
    return {
        name
        for name, phases in report["valid_rates"].items()
        if " /api/" in name and any(phase["accepted"] for phase in phases.values())
    }


def _operations() -> set[str]:
    document = yaml.load(
        (ROOT / "openapi" / "brokkr-v1.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        if "/api/" in path
        for method in item
    }


# A run takes half a minute, so each database has its share: the widest caller on PostgreSQL, the others on SQLite.
if _SEED:
    _CALLERS = ["admin", "generator", "agent"]
elif os.environ.get("DATABASE_URL", "").startswith("postgres"):
    _CALLERS = ["admin"]
else:
    _CALLERS = ["generator", "agent"]


@pytest.mark.parametrize("caller", _CALLERS)
def test_the_document_is_true(broker: LiveServer, tmp_path: Path, caller: str):
    rows = make_rows(broker, f"fuzz-{caller}")
    keys = {"admin": broker.admin_key, "generator": rows.generator_key, "agent": rows.agent_key}
    report = _run(broker, caller=caller, key=keys[caller], rows=rows, folder=tmp_path)
    reachable = {
        "admin": _operations() - _NOT_FOR_AN_ADMIN,
        "generator": _GENERATOR_MAY,
        "agent": _AGENT_MAY,
    }
    assert reachable[caller] - _succeeded(report) == set()
