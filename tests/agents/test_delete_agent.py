"""DELETE /agents/{id}."""

from uuid import uuid4

import pytest

from agents.models import Agent, AgentEvent, AgentTarget, MarkerDelivery, Registration, StackReport
from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_event, make_generator, make_object, make_stack, make_target
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_it_is_gone_at_once_and_its_key_is_dead(admin):
    agent, api = make_agent()
    response = admin.delete(f"/agents/{agent.id}")
    assert (response.status_code, response.content) == (204, b"")
    refused(admin.get(f"/agents/{agent.id}"), 404, "agent_not_found")
    refused(api.get(f"/agents/{agent.id}/target-state"), 401, "unauthorized")
    refused(api.post(f"/agents/{agent.id}/heartbeat"), 401, "unauthorized")


def test_everything_that_tied_it_to_stacks_and_generators_is_gone(admin):
    agent, _ = make_agent(labels=["a"])
    stack, doomed = make_stack(labels=["a"]), make_stack(labels=["a"])
    make_target(agent, stack)
    event = make_event(agent, make_object(stack))
    make_event(agent, make_object(doomed))
    delete_stack(stack=doomed, actor=SYSTEM)
    assert MarkerDelivery.objects.exists()
    admin.delete(f"/agents/{agent.id}")
    for rows in (AgentTarget, Registration, MarkerDelivery, StackReport):
        assert not rows.objects.filter(agent=agent).exists()
    deleted_at = Agent.objects.get(id=agent.id).deleted_at
    assert deleted_at is not None
    assert {row.deleted_at for row in AgentEvent.objects.filter(agent=agent)} == {deleted_at}
    refused(admin.get(f"/agent-events/{event.id}"), 404, "agent_event_not_found")
    assert admin.get("/agent-events").json() == []
    for path in ("events", "targets", "stacks", "target-state"):
        assert admin.get(f"/agents/{agent.id}/{path}").json() == []
    refused(admin.get(f"/agents/{agent.id}/registrations"), 404, "agent_not_found")


def test_name_and_cluster_are_free_at_once(admin):
    agent, _ = make_agent(name="edge", cluster_name="fra")
    admin.delete(f"/agents/{agent.id}")
    assert admin.post("/agents", {"name": "edge", "cluster_name": "fra"}).status_code == 201


def test_a_second_delete_and_an_unknown_id_are_204_and_change_nothing(admin):
    agent, _ = make_agent()
    admin.delete(f"/agents/{agent.id}")
    deleted_at = Agent.objects.get(id=agent.id).deleted_at
    with recorded_events() as events:
        assert admin.delete(f"/agents/{agent.id}").status_code == 204
        assert admin.delete(f"/agents/{uuid4()}").status_code == 204
    assert events == []
    assert Agent.objects.get(id=agent.id).deleted_at == deleted_at


def test_only_an_admin_may(anonymous):
    agent, itself = make_agent()
    refused(anonymous.delete(f"/agents/{agent.id}"), 401, "unauthorized")
    for api in (itself, make_agent()[1], make_generator()[1]):
        refused(api.delete(f"/agents/{agent.id}"), 403, "admin_required")
    assert Agent.objects.active().filter(id=agent.id).exists()


def test_it_is_one_audit_row_and_one_notice(admin):
    agent, _ = make_agent()
    make_target(agent, make_stack())
    with recorded_events() as events, recorded_audit() as rows:
        admin.delete(f"/agents/{agent.id}")
    assert [(row.action, row.resource_type, row.resource_id, row.details) for row in rows] == [
        ("agent.deleted", "agent", agent.id, None)
    ]
    deleted_at = Agent.objects.get(id=agent.id).deleted_at
    assert notices(events) == [("agent.deregistered", {"agent_id": agent.id, "deleted_at": deleted_at})]


def test_the_labels_and_annotations_of_a_deleted_agent_are_gone(admin):
    agent, _ = make_agent(labels=["mine"], annotations={"k": "v"})
    admin.delete(f"/agents/{agent.id}")
    assert admin.get(f"/agents/{agent.id}/labels").json() == []
    assert admin.get(f"/agents/{agent.id}/annotations").json() == []
