"""The lists of agents and stacks are filtered by label, registration, stack, silence and state, and say so."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, AgentHeartbeat, HoldReason, VersionHold
from agents.services.agents import record_heartbeat
from agents.states import states_of_agents, states_of_stacks
from core import clock
from stacks.models import Stack
from tests.factories import make_agent, make_event, make_generator, make_object, make_registration, make_stack
from tests.support.admin import AdminPages, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet() -> dict[str, str]:
    """Stack `checkout` fails on `lyon`, waits for `oslo`, which is alive, and for `riga`, which is silent."""
    agents = {
        name: make_agent(name=name, labels=["shop", name], active=True)[0]
        for name in ("lyon", "oslo", "riga")
    }
    make_agent(name="alone")
    generator, _ = make_generator("shop-ci")
    make_registration(agents["oslo"], generator)
    stack = make_stack(generator, name="checkout", labels=["shop", "fast"])
    make_object(make_stack(name="nobodys", labels=["none"]))
    make_event(agents["lyon"], make_object(stack), "FAILURE", "broke")
    for name in ("oslo", "riga"):
        record_heartbeat(agent_id=agents[name].pk, k8s_reachable=True, k8s_api_latency_ms=5)
    AgentHeartbeat.objects.filter(agent=agents["riga"]).update(last_heartbeat=clock.now() - timedelta(days=1))
    return {"stack": str(stack.pk), "generator": str(generator.pk)}


def names(operator: AdminPages, path: str, **query: Any) -> list[str]:
    return sorted(row.name for row in operator.get(path, **query).context["cl"].result_list)


@pytest.mark.parametrize(
    ("query", "agents"),
    [
        ({"label": "riga"}, ["riga"]),
        ({"label": "shop", "heard": "silent"}, ["riga"]),
        ({"label": "sho"}, []),
        ({"registrations__generator__id__exact": "generator"}, ["oslo"]),
        ({"targets__stack__id__exact": "stack"}, ["lyon", "oslo", "riga"]),
        ({"state": "failing"}, ["lyon"]),
        ({"state": "pending"}, ["oslo"]),
        ({"state": "silent"}, ["riga"]),
    ],
)
def test_agents_are_filtered(operator, fleet, query, agents):
    asked = {name: fleet.get(value, value) for name, value in query.items()}
    assert names(operator, "agents/agent/", **asked) == agents


@pytest.mark.parametrize(
    ("query", "stacks"),
    [
        ({"label": "fast"}, ["checkout"]),
        ({"generator__id__exact": "generator"}, ["checkout"]),
        ({"state": "failing"}, ["checkout"]),
        ({"state": "pending"}, ["checkout"]),
        ({"state": "silent"}, ["checkout"]),
        ({"state": "held"}, []),
    ],
)
def test_stacks_are_filtered(operator, fleet, query, stacks):
    asked = {name: fleet.get(value, value) for name, value in query.items()}
    assert names(operator, "stacks/stack/", **asked) == stacks


def test_a_stack_that_does_not_exist_is_no_filter(operator):
    answer = operator.get("agents/agent/", targets__stack__id__exact="x")
    assert answer.headers["Location"].endswith("?e=1")


def test_who_may_not_see_agents_has_no_filter_by_their_state(fleet):
    reader = staff("stacks.view_stack")
    assert names(reader, "stacks/stack/", label="fast") == ["checkout"]
    assert b"With versions held back" not in reader.get("stacks/stack/").content


def test_a_filter_by_state_costs_the_same_queries_for_any_fleet(operator, fleet):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            operator.get("stacks/stack/", state="pending")
        return len(captured)

    before = cost()
    for _ in range(4):
        make_object(make_stack(labels=["shop"]))
    assert cost() == before


@pytest.mark.parametrize("state", ["failing", "pending", "silent", "held"])
def test_a_filter_by_state_finds_what_the_bar_counts(operator, fleet, state):
    """Also paused agents, a report of a fresh agent, and a stack of which every version is held."""
    paused, _ = make_agent(name="paused", labels=["shop"])
    record_heartbeat(agent_id=paused.pk, k8s_reachable=True, k8s_api_latency_ms=5)
    held_back = make_stack(name="held-back", labels=["shop"])
    VersionHold.objects.create(version=make_object(held_back), reason=HoldReason.FREEZE)
    now = clock.now()
    agents, stacks = Agent.objects.active(), Stack.objects.active()
    for path, rows, states in (
        ("agents/agent/", agents, states_of_agents(agents.values_list("pk", flat=True), now)),
        ("stacks/stack/", stacks, states_of_stacks(stacks.values_list("pk", flat=True), now)),
    ):
        expected = sorted(row.name for row in rows if getattr(states[row.pk], state))
        assert expected
        assert names(operator, path, state=state) == expected
    listed = operator.get("deployments/", state=state, by="agent").context["count"]
    counts = states_of_stacks(stacks.values_list("pk", flat=True), now).values()
    assert listed == sum(getattr(each, state) for each in counts)


def test_the_numbers_of_a_stack_lead_to_those_that_they_count(operator, fleet):
    url = f"stacks/stack/{fleet['stack']}/outcomes/"
    assert f"/admin/{url}?state=silent" in operator.get("stacks/stack/").content.decode()
    for state, agents in (("pending", ["oslo"]), ("silent", ["riga"])):
        page = operator.get(url, state=state)
        assert [agent.name for agent in page.context["page"]] == agents
        assert f">{state}</span>" in page.content.decode()
