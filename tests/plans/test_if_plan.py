"""If-Plan: a write is made only if it does what its plan said. And the budget of deletions."""

from uuid import uuid4

import pytest
from django.utils import timezone

from agents.models import Agent, AgentHeartbeat
from agents.services.agents import record_heartbeat
from agents.target_state import state_of
from rollouts.services.strategies import lock_strategy, update_strategy
from rollouts.strategies import Strategy
from tests.factories import make_agent, make_event, make_object, make_stack, make_target, manifest
from tests.plans.asking import told
from tests.support.api import refused
from tests.support.rollouts import ADMIN, make_scene, wave

pytestmark = pytest.mark.django_db


@pytest.fixture
def stack():
    stack = make_stack(labels=["prod"])
    make_object(stack, manifest("old"))
    return stack


def test_a_digest_lasts_as_long_as_the_write_does_the_same(admin, stack):
    agent, api = make_agent(labels=["prod"], active=True)
    path = f"/stacks/{stack.id}/labels/prod"
    digest = told(admin, "DELETE", path)["digest"]
    obj = stack.deployment_objects.get()
    record_heartbeat(agent_id=agent.pk, k8s_reachable=None, k8s_api_latency_ms=None)
    api.get(f"/agents/{agent.id}/target-state")
    assert list(state_of(agent_id=agent.pk, mode="full")) == [obj.id.hex]
    make_event(agent, obj, "FAILURE")
    make_event(agent, obj)
    Agent.objects.filter(pk=agent.pk).update(name="renamed")
    AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=None)
    assert told(admin, "DELETE", path)["digest"] == digest
    make_agent(labels=["prod"])
    assert told(admin, "DELETE", path)["digest"] != digest


def test_a_stale_plan_stops_the_write(admin, stack):
    make_agent(labels=["prod"])
    path = f"/stacks/{stack.id}/labels/prod"
    digest = told(admin, "DELETE", path)["digest"]
    make_agent(labels=["prod"])
    refused(admin.delete(path, headers={"If-Plan": digest}), 412, "plan_stale")
    assert stack.labels.exists()
    fresh = told(admin, "DELETE", path)["digest"]
    assert admin.delete(path, headers={"If-Plan": fresh}).status_code == 204


def test_a_plan_is_of_one_write_only(admin, stack):
    digest = told(admin, "POST", f"/stacks/{stack.id}/labels", {"label": "new"})["digest"]
    other = admin.post(f"/stacks/{stack.id}/labels", {"label": "other"}, headers={"If-Plan": digest})
    refused(other, 412, "plan_stale")


def test_another_revision_of_the_strategy_makes_the_plan_stale(admin):
    scene = make_scene()
    path, body = f"/stacks/{scene.stack.id}/deployment-objects", {"yaml_content": manifest("new")}
    digest = told(admin, "POST", path, body)["digest"]
    row = lock_strategy(scene.stack.rollout_strategy.strategy_id)
    update_strategy(row=row, strategy=Strategy(row.name, (wave(),)), actor=ADMIN)
    refused(admin.post(path, body, headers={"If-Plan": digest}), 412, "plan_stale")


def test_a_repeat_is_answered_before_its_plan_is_looked_at(admin, stack):
    make_agent(labels=["prod"])
    path, body = f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest("new")}
    headers = {"If-Plan": told(admin, "POST", path, body)["digest"], "Idempotency-Key": str(uuid4())}
    first = admin.post(path, body, headers=headers)
    again = admin.post(path, body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("budget", "agents", "status"), [(100, 4, 204), (50, 2, 204), (49, 2, 409), (0, 1, 204), (0, 2, 409)]
)
def test_a_write_may_not_take_more_than_the_budget(admin, settings, stack, *, budget, agents, status):
    settings.DELETION_BUDGET_PERCENT = budget
    for number in range(4):
        make_agent(labels=["prod"] if number < agents else [])
    answer = admin.delete(f"/stacks/{stack.id}")
    assert answer.status_code == status, answer.content
    assert type(stack).objects.active().filter(pk=stack.pk).exists() == (status == 409)


def test_the_budget_looks_at_the_agents_that_are_heard_too(admin, settings, stack):
    settings.DELETION_BUDGET_PERCENT = 50
    for number in range(6):
        agent, _ = make_agent(active=True)
        if number < 2:
            make_target(agent, stack)
            AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=timezone.now())
    body = refused(admin.delete(f"/stacks/{stack.id}"), 409, "deletion_budget_exceeded")
    assert body["details"] == {"agents": 2, "percent": 100.0, "budget_percent": 50}


def test_whoever_has_read_the_plan_may_go_over_the_budget(admin, settings, stack):
    settings.DELETION_BUDGET_PERCENT = 0
    make_agent(labels=["prod"])
    make_agent(labels=["prod"])
    plan = told(admin, "DELETE", f"/stacks/{stack.id}")
    assert [each["code"] for each in plan["refused_by"]] == ["deletion_budget_exceeded"]
    answer = admin.delete(f"/stacks/{stack.id}", headers={"If-Plan": plan["digest"]})
    assert answer.status_code == 204


@pytest.mark.parametrize("path", ["/stacks", "/agents/{id}/heartbeat"])
def test_a_write_without_plans_refuses_the_header(admin, path):
    agent, api = make_agent()
    answer = api.post(path.format(id=agent.pk), headers={"If-Plan": "0" * 64})
    if path == "/stacks":
        answer = admin.post(path, {"name": "new"}, headers={"If-Plan": "0" * 64})
    refused(answer, 400, "invalid_header")


@pytest.mark.parametrize("digest", ["", "none", "0" * 63, "0" * 65, "G" * 64])
def test_what_is_no_digest_is_refused(admin, stack, digest):
    refused(admin.delete(f"/stacks/{stack.id}", headers={"If-Plan": digest}), 400, "invalid_header")
