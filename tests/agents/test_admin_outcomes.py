"""What became of a stack on each agent, in the admin."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Agent, AgentHeartbeat
from agents.services.agents import record_heartbeat
from core.events import SYSTEM
from core.labels.services import remove_label
from stacks.services import delete_stack, lock_stack
from tests.factories import make_agent, make_event, make_object, make_stack, manifest
from tests.support.admin import AdminPages, staff

pytestmark = pytest.mark.django_db


def page(stack) -> str:
    return f"stacks/stack/{stack.pk}/outcomes/"


def names(operator: AdminPages, stack, **query) -> list[str]:
    return [agent.name for agent in operator.get(page(stack), **query).context["page"]]


def states(operator: AdminPages, stack) -> dict[str, int]:
    return {str(name): count for name, _, count in operator.get(page(stack)).context["states"]}


@pytest.fixture
def stack():
    """A stack with two versions, and an agent in each state that it can be in."""
    stack = make_stack(labels=["prod"])
    old, new = make_object(stack, manifest(1)), make_object(stack, manifest(2))
    agents = {
        name: make_agent(name=name, cluster_name=f"{name}-cluster", labels=["prod"], active=True)[0]
        for name in ("applied", "behind", "failed-before", "failing", "gone", "waiting")
    }
    for agent in agents.values():
        record_heartbeat(agent_id=agent.pk, k8s_reachable=True, k8s_api_latency_ms=5)
    make_event(agents["applied"], new)
    make_event(agents["behind"], old)
    make_event(agents["failed-before"], old, "FAILURE")
    make_event(agents["failing"], new, "FAILURE", "quota exceeded")
    make_event(agents["gone"], new)
    remove_label(owner=agents["gone"], label="prod", actor=SYSTEM)
    return stack


def test_agents_in_trouble_come_first(operator, stack):
    assert names(operator, stack) == ["failing", "behind", "failed-before", "waiting", "gone", "applied"]
    assert states(operator, stack) == {"failing": 1, "pending": 3, "applied": 1, "removing": 1}
    assert b"quota exceeded" in operator.get(page(stack)).content


def test_one_state_or_a_name_is_chosen(operator, stack):
    assert names(operator, stack, state="pending") == ["behind", "failed-before", "waiting"]
    assert names(operator, stack, q="fail") == ["failing", "failed-before"]
    assert names(operator, stack, q="gone-cluster") == ["gone"]
    assert names(operator, stack, q="fail", state="failing") == ["failing"]
    assert names(operator, stack, state="nonsense") == names(operator, stack)
    assert b"Show all" in operator.get(page(stack), q="nobody").content


def test_what_waits_for_an_agent_that_is_not_heard_is_silent_as_in_the_bars(operator, stack):
    late, paused = Agent.objects.get(name="behind"), Agent.objects.get(name="waiting")
    AgentHeartbeat.objects.filter(agent=late).update(last_heartbeat=timezone.now() - timedelta(minutes=10))
    Agent.objects.filter(pk=paused.pk).update(status="INACTIVE")
    assert states(operator, stack) == {"failing": 1, "pending": 1, "silent": 2, "applied": 1, "removing": 1}
    assert names(operator, stack, state="silent") == ["behind", "waiting"]
    assert operator.get(page(stack), state="silent").content.count(b">silent</span>") == 2


def test_a_row_says_why_the_agent_gets_it_and_leads_to_the_explanation(operator, stack):
    rows = {
        str(row[0]).partition("</a>")[0].rpartition(">")[2]: row
        for row in operator.get(page(stack)).context["table"]["rows"]
    }
    assert "prod" in rows["failing"][5]
    assert rows["gone"][5] == "-"
    assert f"/admin/stacks/stack/{stack.pk}/explain/?agent=" in rows["failing"][1]


def test_a_stack_without_versions_or_agents_says_so(operator):
    empty = make_stack(labels=["prod"])
    assert b"No agent gets this stack" in operator.get(page(empty)).content
    make_agent(labels=["prod"])
    assert states(operator, empty) == {"empty": 1}
    assert b"Nothing is published yet" in operator.get(page(empty)).content


def test_a_deleted_stack_shows_who_must_still_remove_it(operator, stack):
    with transaction.atomic():
        marker = delete_stack(stack=lock_stack(stack.pk), actor=SYSTEM)
    # One of them had lost the stack before, and was owed its removal then.
    assert states(operator, stack) == {"removing": 5}
    make_event(next(iter(marker.marker_deliveries.all())).agent, marker)
    assert states(operator, stack) == {"removing": 4, "gone": 1}


def test_staff_without_the_permission_does_not_open_it(stack):
    assert staff("stacks.view_stack").get(page(stack)).status_code == 403
    assert staff("stacks.view_stack", "agents.view_agent", name="beth").get(page(stack)).status_code == 200


def test_the_page_costs_the_same_queries_for_any_number_of_agents(operator, stack):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(page(stack)).status_code == 200
        return len(captured)

    few = cost()
    new = stack.deployment_objects.order_by("-pk")[0]
    for _ in range(10):
        make_event(make_agent(labels=["prod"])[0], new, "FAILURE", "why")
    assert cost() == few
