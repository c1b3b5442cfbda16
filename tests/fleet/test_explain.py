"""GET /agents/{id}/explain: the chain of facts between a stack and an agent's cluster."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Agent, AgentEvent, AgentHeartbeat
from core.events import SYSTEM
from fleet.checks import CheckName, Verdict
from health.models import DeploymentHealth
from stacks.services import delete_stack
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_health,
    make_object,
    make_registration,
    make_stack,
    make_target,
    manifest,
)
from tests.support.api import Api, refused
from tests.support.events import is_wire_time

pytestmark = pytest.mark.django_db

CHECKS = [
    "stack",
    "association",
    "registration",
    "agent_active",
    "agent_seen",
    "cluster",
    "freeze",
    "rollout",
    "offer",
    "report",
    "health",
]


class Chain:
    """An agent and a stack with everything between them in order, and what the broker says of it."""

    def __init__(self, admin: Api) -> None:
        self._admin = admin
        self.agent, self.api = make_agent(active=True, labels=["eu"], annotations={"tier": "web"})
        self.stack = make_stack(labels=["eu"])
        self.obj = make_object(self.stack)
        self.beat({"k8s_reachable": True, "k8s_api_latency_ms": 3})

    def beat(self, body: object = ...) -> None:
        assert self.api.post(f"/agents/{self.agent.id}/heartbeat", body).status_code == 204

    def deploy(self) -> None:
        make_event(self.agent, self.obj)
        make_health(self.agent, self.obj)

    def ask(self) -> dict[str, Any]:
        response = self._admin.get(f"/agents/{self.agent.id}/explain?stack_id={self.stack.id}")
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = response.json()
        assert [check["check"] for check in answer["checks"]] == CHECKS
        for check in answer["checks"]:
            assert check["sentence"].endswith(".")
        assert answer["conclusion"].endswith(".")
        return answer

    def verdict(self) -> str:
        return str(self.ask()["verdict"])

    def check(self, name: str) -> dict[str, Any]:
        found: dict[str, dict[str, Any]] = {check["check"]: check for check in self.ask()["checks"]}
        return found[name]

    def status(self, name: str) -> str:
        return str(self.check(name)["status"])


@pytest.fixture
def chain(admin) -> Chain:
    return Chain(admin)


def test_a_deployed_and_healthy_stack_is_ok_from_end_to_end(chain):
    chain.deploy()
    answer = chain.ask()
    assert (answer["agent_id"], answer["stack_id"]) == (str(chain.agent.id), str(chain.stack.id))
    assert answer["verdict"] == "deployed"
    assert answer["conclusion"] == f"Version #{chain.obj.sequence_id} is deployed and healthy."
    assert {check["status"] for check in answer["checks"]} == {"ok"}


def test_a_version_that_was_not_reported_on_is_pending(chain):
    answer = chain.ask()
    assert answer["verdict"] == "pending"
    assert [check["status"] for check in answer["checks"]] == ["ok"] * 9 + ["unknown"] * 2
    assert chain.check("offer")["details"] == {
        "sequence_id": chain.obj.sequence_id,
        "deployment_object_id": str(chain.obj.id),
        "is_deletion_marker": False,
        "offered": True,
    }


def test_a_report_on_an_older_version_leaves_the_newest_pending(chain):
    chain.deploy()
    newer = make_object(chain.stack, manifest(2))
    assert chain.verdict() == "pending"
    report = chain.check("report")
    assert (report["status"], report["details"]["sequence_id"]) == ("unknown", chain.obj.sequence_id)
    assert chain.check("offer")["details"]["sequence_id"] == newer.sequence_id


def test_deployed_without_a_fresh_health_report_is_deployed_and_of_unknown_health(chain, settings):
    make_event(chain.agent, chain.obj)
    assert chain.verdict() == "deployed"
    assert "its health is not known" in chain.ask()["conclusion"]
    make_health(chain.agent, chain.obj, "failing")
    assert chain.verdict() == "unhealthy"
    DeploymentHealth.objects.update(updated_at=timezone.now() - timedelta(seconds=301))
    assert (chain.verdict(), chain.status("health")) == ("deployed", "unknown")
    make_health(chain.agent, chain.obj, "unknown")
    assert (chain.verdict(), chain.status("health")) == ("deployed", "unknown")


@pytest.mark.parametrize("status", ["degraded", "failing"])
def test_a_deployed_version_in_trouble_is_unhealthy(chain, status):
    make_event(chain.agent, chain.obj)
    make_health(chain.agent, chain.obj, status)
    answer = chain.ask()
    assert answer["verdict"] == "unhealthy"
    assert status in answer["conclusion"]
    details = chain.check("health")["details"]
    assert details["status"] == status
    assert is_wire_time(details["checked_at"])
    assert is_wire_time(details["reported_at"])


def test_a_failure_is_told_with_its_reason_and_time(chain):
    make_event(chain.agent, chain.obj, "FAILURE", "no such namespace")
    answer = chain.ask()
    assert answer["verdict"] == "failed"
    report = chain.check("report")
    assert report["status"] == "blocked"
    assert report["details"] | {"since": "", "reported_at": ""} == {
        "sequence_id": chain.obj.sequence_id,
        "event_type": "DEPLOY",
        "status": "FAILURE",
        "message": "no such namespace",
        "since": "",
        "reported_at": "",
    }
    assert is_wire_time(report["details"]["reported_at"])
    assert "no such namespace" in report["sentence"]
    assert chain.status("offer") == "ok"
    assert "not offered" not in answer["conclusion"]


def test_in_incremental_mode_a_failure_is_not_offered_again(chain, settings):
    settings.TARGET_STATE_DEFAULT = "incremental"
    assert chain.check("offer")["details"]["offered"]
    make_event(chain.agent, chain.obj, "FAILURE")
    answer = chain.ask()
    assert answer["verdict"] == "failed"
    assert "not offered it again" in answer["conclusion"]
    assert not chain.check("offer")["details"]["offered"]


def test_the_report_outlives_its_events(chain):
    make_event(chain.agent, chain.obj, "FAILURE", "no")
    AgentEvent.objects.all().delete()
    assert chain.verdict() == "failed"
    assert chain.check("report")["details"]["event_type"] is None


def test_a_stack_without_versions_has_nothing_to_deploy(chain):
    chain.stack = make_stack(labels=["eu"])
    assert chain.verdict() == "nothing_published"
    assert chain.status("offer") == "blocked"


def test_every_way_of_association_is_named(chain):
    assert chain.check("association")["details"] == {"target": False, "labels": ["eu"], "annotations": {}}
    chain.stack = make_stack(annotations={"tier": "web", "other": "x"})
    assert chain.check("association")["details"] == {
        "target": False,
        "labels": [],
        "annotations": {"tier": "web"},
    }
    chain.stack = make_stack()
    make_target(chain.agent, chain.stack)
    assert chain.check("association")["details"] == {"target": True, "labels": [], "annotations": {}}


def test_a_stack_that_the_agent_does_not_serve_is_not_associated(chain):
    chain.stack = make_stack(labels=["us"], annotations={"tier": "db"})
    make_object(chain.stack)
    assert chain.verdict() == "not_associated"
    assert chain.status("association") == "blocked"
    offer = chain.check("offer")
    assert (offer["status"], offer["details"]["offered"]) == ("unknown", False)


def test_where_registration_is_required_an_unregistered_agent_is_held_back(chain, settings):
    settings.REQUIRE_REGISTRATION = True
    assert chain.verdict() == "not_registered"
    assert chain.check("registration")["details"] == {"required": True, "registered": False}
    assert not chain.check("offer")["details"]["offered"]
    make_registration(chain.agent, chain.stack.generator)
    assert chain.verdict() == "pending"
    assert chain.check("registration")["details"] == {"required": True, "registered": True}


def test_an_explicit_target_needs_no_registration(chain, settings):
    make_target(chain.agent, chain.stack)
    settings.REQUIRE_REGISTRATION = True
    assert (chain.verdict(), chain.status("registration")) == ("pending", "ok")


def test_an_inactive_agent_does_nothing(chain):
    Agent.objects.update(status="draining")
    assert chain.verdict() == "agent_inactive"
    assert "draining" in chain.check("agent_active")["sentence"]


def test_an_agent_that_never_called_is_not_silent_but_unseen(chain):
    AgentHeartbeat.objects.update(last_heartbeat=None)
    assert chain.verdict() == "agent_never_seen"


def test_a_silent_agent_is_told_with_its_grace(chain):
    chain.deploy()
    AgentHeartbeat.objects.update(last_heartbeat=timezone.now() - timedelta(seconds=61))
    assert chain.verdict() == "deployed"
    Agent.objects.update(silent_after_seconds=60)
    assert chain.verdict() == "agent_silent"
    assert chain.check("agent_seen")["details"]["silent_after_seconds"] == 60


def test_a_cluster_that_the_agent_does_not_reach_blocks(chain):
    chain.beat({"k8s_reachable": False})
    assert chain.verdict() == "cluster_unreachable"
    AgentHeartbeat.objects.update(k8s_reachable=None)
    assert (chain.verdict(), chain.status("cluster")) == ("pending", "unknown")


def test_the_first_thing_in_the_way_decides(chain):
    make_event(chain.agent, chain.obj, "FAILURE")
    AgentHeartbeat.objects.update(last_heartbeat=None)
    Agent.objects.update(status="INACTIVE")
    assert chain.verdict() == "agent_inactive"
    statuses = {check["check"]: check["status"] for check in chain.ask()["checks"]}
    assert [name for name, status in statuses.items() if status == "blocked"] == [
        "agent_active",
        "agent_seen",
        "report",
    ]


def test_a_deleted_stack_waits_until_the_agent_has_removed_it(chain):
    chain.deploy()
    delete_stack(stack=chain.stack, actor=SYSTEM)
    assert chain.verdict() == "removal_pending"
    assert [chain.status(name) for name in ("stack", "association", "offer")] == ["ok"] * 3
    offer = chain.check("offer")["details"]
    assert offer["is_deletion_marker"]
    (marker,) = chain.api.get(f"/agents/{chain.agent.id}/target-state").json()
    assert offer["deployment_object_id"] == marker["id"]
    body = {"deployment_object_id": marker["id"], "event_type": "DEPLOY", "status": "FAILURE"}
    chain.api.post(f"/agents/{chain.agent.id}/events", body)
    assert chain.verdict() == "failed"
    chain.api.post(f"/agents/{chain.agent.id}/events", body | {"status": "SUCCESS"})
    assert chain.verdict() == "stack_deleted"


def test_a_deleted_stack_that_the_agent_never_had_leaves_nothing_to_remove(chain):
    delete_stack(stack=chain.stack, actor=SYSTEM)
    assert chain.verdict() == "stack_deleted"
    assert (chain.status("stack"), chain.status("offer")) == ("blocked", "unknown")


def test_a_marker_as_newest_version_is_removed_when_it_is_reported(chain):
    marker = make_object(chain.stack, "", is_deletion_marker=True)
    assert chain.verdict() == "removal_pending"
    make_event(chain.agent, marker)
    assert (chain.verdict(), chain.status("health")) == ("removed", "unknown")


def test_the_answer_costs_the_same_for_any_number_of_labels_and_versions(chain):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert chain.verdict() == "deployed"
        return len(captured)

    chain.deploy()
    chain.verdict()
    few = queries()
    for number in range(10):
        make_object(chain.stack, manifest(number))
        chain.stack.labels.create(label=f"l{number}")
        chain.agent.labels.create(label=f"l{number}")
        chain.stack.annotations.create(key=f"k{number}", value="v")
        chain.agent.annotations.create(key=f"k{number}", value="v")
    chain.obj = make_object(chain.stack, manifest("last"))
    chain.deploy()
    assert queries() == few


def test_the_owner_of_the_stack_may_ask_also_when_it_is_deleted(chain):
    generator, owner = make_generator()
    stack = make_stack(generator)
    path = f"/agents/{chain.agent.id}/explain?stack_id={stack.id}"
    assert owner.get(path).json()["verdict"] == "not_associated"
    delete_stack(stack=stack, actor=SYSTEM)
    assert owner.get(path).json()["verdict"] == "stack_deleted"


def test_nobody_else_may_ask(chain):
    path = f"/agents/{chain.agent.id}/explain?stack_id={chain.stack.id}"
    for caller in (make_generator()[1], chain.api, make_agent()[1]):
        refused(caller.get(path), 403, "stack_not_owned")


def test_unknown_stacks_and_agents_are_404(chain, admin):
    unknown = uuid4()
    refused(admin.get(f"/agents/{chain.agent.id}/explain?stack_id={unknown}"), 404, "stack_not_found")
    refused(admin.get(f"/agents/{unknown}/explain?stack_id={chain.stack.id}"), 404, "agent_not_found")
    admin.delete(f"/agents/{chain.agent.id}")
    refused(admin.get(f"/agents/{chain.agent.id}/explain?stack_id={chain.stack.id}"), 404, "agent_not_found")


@pytest.mark.parametrize("query", ["", "?stack_id=", "?stack_id=7"])
def test_the_stack_must_be_named(chain, admin, query):
    refused(admin.get(f"/agents/{chain.agent.id}/explain{query}"), 400, "invalid_query")


def test_the_reference_names_every_check_and_every_verdict():
    page = (settings.BASE_DIR / "docs/reference/fleet.md").read_text(encoding="utf-8")
    chapter = page.partition("## Why does")[2].partition("\n## ")[0]
    table = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in chapter.splitlines() if "| `" in line
    ]
    assert [row[0].strip("`") for row in table if row[0]] == CHECKS == [name.value for name in CheckName]
    assert {verdict.value for verdict in Verdict} <= set(re.findall(r"`(\w+)`", chapter))
