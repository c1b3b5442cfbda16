"""The same report from several threads of one agent."""

import pytest

from agents.models import AgentEvent, StackReport
from tests.factories import make_agent, make_object, make_stack, manifest
from tests.support.threads import call, statuses, together

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]

THREADS = 4


def report(obj, status: str = "SUCCESS") -> dict[str, str]:
    return {"deployment_object_id": str(obj.id), "event_type": "DEPLOY", "status": status}


def test_identical_reports_at_once_are_one_row_with_the_right_count():
    agent, api = make_agent()
    for _ in range(3):
        obj = make_object(make_stack())
        responses = together(
            *(call(api, "POST", f"/agents/{agent.id}/events", report(obj)) for _ in range(THREADS))
        )
        assert statuses(responses) == [201] * THREADS
        row = AgentEvent.objects.get(deployment_object=obj)
        assert row.count == THREADS
        assert sorted(response.json()["count"] for response in responses) == [1, 2, 3, 4]
        assert StackReport.objects.filter(stack_id=obj.stack_id).count() == 1


def test_reports_on_versions_of_one_stack_at_once_leave_the_newest_as_the_latest_word():
    agent, api = make_agent()
    for _ in range(3):
        stack = make_stack()
        objects = [make_object(stack, manifest(number)) for number in range(THREADS)]
        responses = together(
            *(call(api, "POST", f"/agents/{agent.id}/events", report(obj)) for obj in objects)
        )
        assert statuses(responses) == [201] * THREADS
        assert StackReport.objects.get(stack=stack).sequence_id == objects[-1].sequence_id


def test_many_agents_report_on_one_new_object_at_once():
    obj = make_object(make_stack())
    agents = [make_agent() for _ in range(6)]
    responses = together(
        *(call(api, "POST", f"/agents/{agent.id}/events", report(obj)) for agent, api in agents)
    )
    assert statuses(responses) == [201] * len(agents)
    assert StackReport.objects.count() == AgentEvent.objects.count() == len(agents)
