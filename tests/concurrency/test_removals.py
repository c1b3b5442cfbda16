"""What an agent is offered, loses and reports at the same time."""

import pytest
from django.db import transaction

from agents.models import AgentOffer, MarkerDelivery, StackReport
from core.events import SYSTEM
from core.labels.services import remove_label
from stacks.services import lock_stack
from tests.factories import make_agent, make_event, make_object, make_stack, unique
from tests.support.threads import Running, call, statuses, together, wait_until_blocked

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]


def report(obj) -> dict[str, str]:
    return {"deployment_object_id": str(obj.id), "event_type": "DEPLOY", "status": "SUCCESS"}


@pytest.mark.parametrize("side", ["agents", "stacks"])
def test_a_first_report_beside_the_loss_of_the_stack_is_never_missed(admin, side):
    for _ in range(4):
        label = unique("label")
        agent, api = make_agent(labels=[label])
        stack = make_stack(labels=[label])
        obj = make_object(stack)
        api.get(f"/agents/{agent.id}/target-state")
        owner = agent if side == "agents" else stack
        responses = together(
            call(api, "POST", f"/agents/{agent.id}/events", report(obj)),
            call(admin, "DELETE", f"/{side}/{owner.id}/labels/{label}"),
        )
        assert sorted(statuses(responses)) == [201, 204]
        assert StackReport.objects.filter(agent=agent).exists()
        assert MarkerDelivery.objects.filter(agent=agent, marker__recipient_id=agent.id).count() == 1


def test_a_report_that_waits_for_the_stack_finds_that_the_agent_has_left(admin):
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    obj = make_object(stack)
    api.get(f"/agents/{agent.id}/target-state")
    with transaction.atomic():
        lock_stack(stack.id)
        remove_label(owner=stack, label="prod", actor=SYSTEM)
        reporting = Running([call(api, "POST", f"/agents/{agent.id}/events", report(obj))])
        wait_until_blocked(1)
    assert statuses(reporting.join()) == [201]
    assert MarkerDelivery.objects.filter(agent=agent).count() == 1


def test_polls_beside_publications_note_every_version_they_carried(admin):
    agent, api = make_agent(labels=["prod"])
    stack = make_stack(labels=["prod"])
    path = f"/agents/{agent.id}/target-state"
    carried = set()
    for _ in range(4):
        body = {"yaml_content": make_object(stack).yaml_content}
        responses = together(
            *(call(api, "GET", path) for _ in range(3)),
            call(admin, "POST", f"/stacks/{stack.id}/deployment-objects", body),
        )
        assert sorted(statuses(responses)) == [200, 200, 200, 201]
        carried |= {
            row["sequence_id"]
            for response in responses
            if response.status_code == 200
            for row in response.json()
        }
    noted = set(AgentOffer.objects.filter(agent=agent).values_list("version_id", flat=True))
    assert carried
    assert noted == carried


def test_leaving_and_joining_at_once_never_removes_what_is_served(admin):
    for _ in range(4):
        label, spare = unique("label"), unique("label")
        agent, api = make_agent(labels=[label, spare])
        stack = make_stack(labels=[label])
        obj = make_object(stack)
        make_event(agent, obj)
        responses = together(
            call(admin, "DELETE", f"/agents/{agent.id}/labels/{label}"),
            call(admin, "POST", f"/stacks/{stack.id}/labels", spare),
        )
        assert sorted(statuses(responses)) == [201, 204]
        state = api.get(f"/agents/{agent.id}/target-state").json()
        assert [row["sequence_id"] for row in state] == [obj.pk]
