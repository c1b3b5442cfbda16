"""Lists and overviews say how agents stand with stacks; overviews are for reading until somebody edits."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.services.agents import record_heartbeat
from tests.factories import make_agent, make_event, make_object, make_stack
from tests.support.admin import staff

pytestmark = pytest.mark.django_db


def make_mixed_stack():
    """A stack that is applied on one agent, fails on one, is awaited from one, and from one that is silent."""
    agents = [make_agent(labels=["prod"], active=True)[0] for _ in range(4)]
    stack = make_stack(labels=["prod"])
    obj = make_object(stack)
    make_event(agents[0], obj)
    make_event(agents[1], obj, "FAILURE", "broke")
    record_heartbeat(agent_id=agents[2].pk, k8s_reachable=True, k8s_api_latency_ms=5)
    return stack, agents


def test_each_row_of_the_stacks_says_how_its_agents_stand(operator):
    stack, _ = make_mixed_stack()
    page = operator.get("stacks/stack/").content.decode()
    for words in ("1 applied", "1 failing", "1 pending", "1 silent"):
        assert words in page
    assert f"/admin/stacks/stack/{stack.pk}/outcomes/?state=failing" in page


def test_each_row_of_the_agents_says_how_its_stacks_stand(operator):
    make_mixed_stack()
    page = operator.get("agents/agent/").content.decode()
    for words in ("1 applied", "1 failing", "1 pending", "1 silent"):
        assert words in page


def test_the_numbers_of_an_agent_are_all_its_stacks(operator):
    _, agents = make_mixed_stack()
    make_stack(labels=["prod"])
    page = operator.get(f"agents/agent/{agents[0].pk}/change/").content.decode()
    assert "1 applied" in page
    url = f"/admin/agents/agent/{agents[0].pk}/stacks/?state=empty"
    assert f'href="{url}">1 nothing published' in page
    (row,) = operator.get(url.removeprefix("/admin/")).context["table"]["rows"]
    assert "nothing published" in " ".join(map(str, row))


def test_a_number_of_an_agent_leads_to_its_stacks_in_that_state(operator):
    stack, agents = make_mixed_stack()
    make_object(make_stack(name="awaited", labels=["prod"]))
    url = f"agents/agent/{agents[1].pk}/stacks/"
    assert f"/admin/{url}?state=failing" in operator.get("agents/agent/").content.decode()
    page = operator.get(url, state="failing")
    assert [row.stack for row in page.context["page"]] == [stack]
    assert "Remove the filter State: failing" in page.content.decode()


@pytest.mark.parametrize("path", ["stacks/stack/", "agents/agent/"])
def test_the_lists_cost_the_same_queries_for_any_number_of_rows(operator, path):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            operator.get(path)
        return len(captured)

    make_mixed_stack()
    before = cost()
    make_mixed_stack()
    assert cost() == before


def test_who_may_not_see_agents_sees_no_states():
    make_mixed_stack()
    assert "1 failing" not in staff("stacks.view_stack").get("stacks/stack/").content.decode()


@pytest.mark.parametrize("kind", ["stack", "agent"])
def test_an_overview_is_read_until_its_button_for_editing_is_pressed(operator, kind):
    stack, agents = make_mixed_stack()
    path = f"stacks/stack/{stack.pk}/change/" if kind == "stack" else f"agents/agent/{agents[1].pk}/change/"
    read = operator.get(path).content.decode()
    assert 'href="?edit=1"' in read
    assert 'name="_save"' not in read
    assert "1 failing" in read
    edited = operator.get(path, edit="1").content.decode()
    assert 'name="_save"' in edited
    assert 'href="?edit=1"' not in edited


def test_who_may_not_change_a_stack_has_no_button_for_it():
    stack, _ = make_mixed_stack()
    viewer = staff("stacks.view_stack")
    for query in ({}, {"edit": "1"}):
        page = viewer.get(f"stacks/stack/{stack.pk}/change/", **query).content.decode()
        assert 'href="?edit=1"' not in page
        assert 'name="_save"' not in page


def test_labels_beyond_two_are_counted(operator):
    make_agent(labels=["a", "b", "c", "d"])
    assert "+2" in operator.get("agents/agent/").content.decode()
