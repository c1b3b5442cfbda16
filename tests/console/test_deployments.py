"""The page of deployments: failures in groups, searched and filtered."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import attention, failures
from agents.models import HoldReason, VersionHold
from agents.services.agents import record_heartbeat
from console.admin import dashboard
from tests.factories import make_agent, make_event, make_generator, make_object, make_stack
from tests.support.admin import staff
from tests.support.failures import put_failures_into_one_hour

pytestmark = pytest.mark.django_db
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: database}\nstringData:\n  password: tangerine\n"


@pytest.fixture(autouse=True)
def failing_fleet() -> None:
    """Stack `shop` fails on two agents with one kind of message, `search` on one of them; a third agent is well."""
    agents = [make_agent(name=f"edge-{number}", labels=["prod"], active=True)[0] for number in range(3)]
    shop = make_object(make_stack(make_generator("shop-ci")[0], name="shop", labels=["prod"]))
    search = make_object(make_stack(make_generator("search-ci")[0], name="search", labels=["prod", "slow"]))
    make_event(agents[0], shop, "FAILURE", "ImagePullBackOff after 5 tries")
    make_event(agents[1], shop, "FAILURE", "ImagePullBackOff after 7 tries")
    make_event(agents[2], shop)
    make_event(agents[0], search, "FAILURE", "exceeded quota")


def rows(response) -> list[str]:
    return [" ".join(map(str, row)) for row in response.context["table"]["rows"]]


def test_failures_are_grouped_by_stack_and_kind_of_message(operator):
    page = operator.get("deployments/")
    found = rows(page)
    assert len(found) == 2
    assert any("2 of 3 failing" in row and "shop" in row for row in found)
    assert any("1 of 3 failing" in row and "exceeded quota" in row for row in found)
    assert "2 kinds of failure, on 3 deployments." in page.content.decode()


def test_a_group_leads_to_its_agents(operator):
    page = operator.get("deployments/", q="ImagePull").content.decode()
    assert "/outcomes/?state=failing" in page


def test_they_are_shown_agent_by_agent_when_asked_for(operator):
    assert len(rows(operator.get("deployments/", by="agent"))) == 3


@pytest.mark.parametrize(
    ("query", "stacks"),
    [
        ({"q": "QUOTA"}, {"search"}),
        ({"q": "sho"}, {"shop"}),
        ({"q": "edge-1"}, {"shop"}),
        ({"generator": "search-ci"}, {"search"}),
        ({"label": "slow"}, {"search"}),
        ({"label": "prod", "since": "1h"}, {"search", "shop"}),
        ({"generator": "nobody"}, set()),
        ({"since": "x"}, {"search", "shop"}),
        # Signs that mean something to a database mean themselves.
        ({"q": "%"}, set()),
        ({"q": "e_ceeded"}, set()),
    ],
)
@pytest.mark.parametrize("by", ["", "agent"])
def test_search_and_filters_leave_what_is_asked_for(operator, query, stacks, by):
    found = rows(operator.get("deployments/", by=by, **query))
    assert {name for name in ("search", "shop") if any(f">{name}</a>" in row for row in found)} == stacks


@pytest.mark.parametrize("by", ["failure", "agent"])
def test_a_text_is_found_in_any_case_in_any_alphabet_and_with_any_sign(operator, by):
    version = make_object(make_stack(labels=["prod"], name="über"))
    agent, _ = make_agent(labels=["prod"], active=True)
    make_event(agent, version, "FAILURE", r"Größe ÜBERSCHRITTEN in C:\Temp, 100% of 5_000")
    for text in ("überschritten", "GRÖSSE", r"c:\temp", "100%", "5_000"):
        assert len(rows(operator.get("deployments/", by=by, q=text))) == 1


def test_a_filter_that_is_set_is_a_chip_that_removes_it(operator):
    page = operator.get("deployments/", q="shop", label="prod").content.decode()
    assert 'href="?label=prod&amp;state=failing"' in page
    assert "Remove the filter Search: shop" in page


def test_the_first_page_shows_the_groups(operator):
    assert "2 of 3 failing" in operator.get("").content.decode()


def test_the_page_costs_the_same_queries_for_any_number_of_failures(operator):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get("deployments/", q="a", label="prod").status_code == 200
        return len(captured)

    before = cost()
    for number in range(5):
        agent, _ = make_agent(labels=["prod"], active=True)
        make_event(agent, make_object(make_stack(labels=["prod"])), "FAILURE", f"a broken {'x' * number}")
    assert cost() == before


def test_who_may_not_see_agents_does_not_open_it():
    assert staff("stacks.view_stack").get("deployments/").status_code == 403


def test_pending_deployments_are_grouped_by_stack_when_asked_for(operator):
    busy = make_stack(name="busy", labels=["busy"])
    for _ in range(3):
        make_agent(labels=["busy"], active=True, heard=True)
    version = make_object(busy)
    (row,) = rows(operator.get("deployments/", state="pending", by="stack", q="busy"))
    assert "3 pending" in row
    assert f"#{version.pk}" in row
    assert f"/admin/stacks/stack/{busy.pk}/outcomes/?state=pending" in row


def test_a_group_leads_to_those_that_fail_alike_and_to_no_others(operator):
    stack = make_stack(name="mixed", labels=["mixed"])
    agents = [make_agent(name=f"mixed-{number}", labels=["mixed"], active=True)[0] for number in range(3)]
    version = make_object(stack, SECRET)
    for agent, message in zip(
        agents, ("took 3 s with tangerine", "took 9 s with tangerine", "no quota"), strict=True
    ):
        make_event(agent, version, "FAILURE", message)
    found = [row for row in rows(operator.get("deployments/", q="took")) if "2 of 3 failing" in row]
    (url,) = re.findall(r'href="/admin/([^"]+outcomes[^"]+)"', found[0])
    page = operator.get(unescape(url))
    assert [agent.name for agent in page.context["page"]] == ["mixed-0", "mixed-1"]
    assert "Remove the filter Failure: took 9 s with ********" in page.content.decode()


def test_silent_and_held_deployments_have_lists_of_their_own(operator):
    stack = make_stack(name="quiet", labels=["quiet"])
    version = make_object(stack)
    heard, _ = make_agent(name="heard", labels=["quiet"], active=True)
    make_agent(name="unheard", labels=["quiet"], active=True)
    record_heartbeat(agent_id=heard.pk, k8s_reachable=True, k8s_api_latency_ms=5)
    make_agent(name="paused", labels=["quiet"])
    found = rows(operator.get("deployments/", state="silent", by="agent", q="quiet"))
    assert sorted(
        name for name in ("heard", "unheard", "paused") for row in found if f">{name}</a>" in row
    ) == [
        "paused",
        "unheard",
    ]
    (row,) = rows(operator.get("deployments/", state="pending", by="agent", q="quiet"))
    assert ">heard</a>" in row
    (row,) = rows(operator.get("deployments/", state="silent", by="stack", q="quiet"))
    assert "2 silent" in row
    assert f"/admin/stacks/stack/{stack.pk}/outcomes/?state=silent" in row
    VersionHold.objects.create(version=version, reason=HoldReason.FREEZE)
    assert len(rows(operator.get("deployments/", state="held", by="agent", q="quiet"))) == 3
    assert rows(operator.get("deployments/", state="silent", q="quiet")) == []


def test_failures_that_are_not_all_read_say_so(operator, monkeypatch):
    monkeypatch.setattr(dashboard, "PER_PAGE", 1)
    monkeypatch.setattr(failures, "_STEP", 1)
    stacks = [make_stack(labels=["prod"]) for _ in range(3)]
    agent, _ = make_agent(labels=["prod"], active=True)
    for stack in stacks:
        make_event(agent, make_object(stack), "FAILURE", "broken")
    put_failures_into_one_hour()
    page = operator.get("deployments/")
    assert "2 of 4 failing" in rows(page)[0]
    words = page.content.decode()
    assert "At least 2 kinds of failure, on the first" in words
    assert "page=2" in words
    assert "At least" not in operator.get("deployments/", page="5").content.decode()


def test_a_search_reaches_all_failures_and_says_if_it_finds_more_than_are_read(operator, monkeypatch):
    monkeypatch.setattr(attention, "CANDIDATES", 2)
    stack = make_stack(labels=["prod"])
    version = make_object(stack)
    for message in ("the oldest", "broken", "broken", "broken"):
        make_event(make_agent(labels=["prod"], active=True)[0], version, "FAILURE", message)
    oldest = operator.get("deployments/", q="oldest").content.decode()
    assert "1 kind of failure, on 1 deployment." in oldest
    assert "At least" not in oldest
    assert (
        "At least 1 kind of failure, on the first 2 of them."
        in operator.get("deployments/", q="broken").content.decode()
    )


@pytest.mark.parametrize("by", ["failure", "agent"])
def test_nothing_is_found_by_a_hidden_value_but_all_by_a_name(operator, by):
    version = make_object(make_stack(name="vault", labels=["vault"]), SECRET)
    agent, _ = make_agent(name="keeper", labels=["vault"], active=True)
    make_event(agent, version, "FAILURE", "no login with tangerine at Übersee")
    for text in ("tangerine", "tangerine at übersee"):
        assert rows(operator.get("deployments/", by=by, q=text)) == []
    for text in ("keeper", "vault", "no login", "übersee"):
        assert len(rows(operator.get("deployments/", by=by, q=text))) == 1
