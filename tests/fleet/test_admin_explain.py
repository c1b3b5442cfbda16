"""Why something is not deployed, as a page of the stack and of the agent."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from stacks.models import Stack
from tests.factories import make_agent, make_event, make_object, make_stack
from tests.support.admin import chosen_in, staff

pytestmark = pytest.mark.django_db


def of_stack(stack: Stack) -> str:
    return f"stacks/stack/{stack.pk}/explain/"


def of_agent(agent: Agent) -> str:
    return f"agents/agent/{agent.pk}/explain/"


def test_both_pages_give_the_same_chain_and_conclusion(operator):
    agent, _ = make_agent(labels=["prod"], active=True)
    stack = make_stack(labels=["prod"])
    make_object(stack)
    pages = [
        operator.get(of_stack(stack), agent=str(agent.pk)),
        operator.get(of_agent(agent), stack=str(stack.pk)),
    ]
    # The next question begins with the choice of this one.
    assert [chosen_in(page) for page in pages] == [{str(agent.pk): str(agent)}, {str(stack.pk): stack.name}]
    for page in pages:
        assert page.context["conclusion"].startswith("The agent has never called")
        assert page.context["tone"] == "bad"
        assert [check[1] for check in page.context["checks"]][:5] == ["ok", "ok", "ok", "ok", "blocked"]
        assert f"/admin/stacks/stack/{stack.pk}/outcomes/" in page.content.decode()


def test_what_is_deployed_is_good(operator):
    agent, api = make_agent(labels=["prod"], active=True)
    stack = make_stack(labels=["prod"])
    make_event(agent, make_object(stack))
    assert api.post(f"/agents/{agent.id}/heartbeat").status_code == 204
    assert operator.get(of_stack(stack), agent=str(agent.pk)).context["tone"] == "good"


def test_a_failure_leads_to_a_diagnostic_of_the_version_that_failed(operator):
    agent, api = make_agent(labels=["prod"], active=True)
    stack = make_stack(labels=["prod"])
    version = make_object(stack)
    make_event(agent, version, "FAILURE", "no such image")
    assert api.post(f"/agents/{agent.id}/heartbeat").status_code == 204
    page = operator.get(of_stack(stack), agent=str(agent.pk)).content.decode()
    assert f"diagnosticrequest/add/?agent={agent.pk}&amp;deployment_object={version.pk}" in page
    viewer = staff("stacks.view_stack", "agents.view_agent", name="vera")
    assert "diagnosticrequest/add/" not in viewer.get(of_stack(stack), agent=str(agent.pk)).content.decode()


def test_without_a_choice_the_page_asks_for_one(operator):
    agent, stack = make_agent()[0], make_stack()
    assert b"Choose an agent" in operator.get(of_stack(stack)).content
    assert b"Choose a stack" in operator.get(of_agent(agent)).content


@pytest.mark.parametrize("choice", ["nonsense", "0190f000-0000-7000-8000-000000000000"])
def test_a_choice_that_is_not_there_is_an_error_of_the_form(operator, choice):
    response = operator.get(of_stack(make_stack()), agent=choice)
    assert response.context["form"].errors["agent"]
    assert "checks" not in response.context


def test_the_page_needs_the_right_to_see_both():
    agent, stack = make_agent()[0], make_stack()
    one = staff("stacks.view_stack")
    other = staff("agents.view_agent", name="beth")
    assert one.get(of_stack(stack), agent=str(agent.pk)).status_code == 403
    assert other.get(of_agent(agent), stack=str(stack.pk)).status_code == 403
    both = staff("stacks.view_stack", "agents.view_agent", name="cleo")
    assert both.get(of_stack(stack), agent=str(agent.pk)).status_code == 200


def test_the_page_costs_the_same_queries_in_any_fleet(operator):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(of_stack(stack), agent=str(agent.pk)).status_code == 200
        return len(captured)

    agent, stack = make_agent(labels=["prod"])[0], make_stack(labels=["prod"])
    make_object(stack)
    few = cost()
    for _ in range(5):
        make_event(make_agent(labels=["prod"])[0], make_object(stack))
        make_object(make_stack(labels=["prod"]))
    assert cost() == few
