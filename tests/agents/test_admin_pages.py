"""The agent's page: what stands on top of it, and its tabs."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.admin import pages
from agents.models import AgentHeartbeat
from agents.services.agents import delete_agent, lock_agent, record_heartbeat
from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_event, make_generator, make_object, make_stack, make_target
from tests.support.admin import staff

pytestmark = pytest.mark.django_db


def overview(operator, agent) -> str:
    return str(operator.get(f"agents/agent/{agent.pk}/change/").content.decode())


def tab(operator, agent, slug: str) -> str:
    response = operator.get(f"agents/agent/{agent.pk}/{slug}/")
    assert response.status_code == 200
    return str(response.content.decode())


def test_what_fails_now_is_on_top_the_latest_first(operator):
    agent, _ = make_agent(labels=["prod"])
    for name in ("first", "second", "third", "fourth"):
        make_event(agent, make_object(make_stack(name=name, labels=["prod"])), "FAILURE", f"{name} broke")
    page = overview(operator, agent)
    assert page.count('role="alert"') == 3
    assert page.index("fourth broke") < page.index("third broke") < page.index("second broke")
    assert "first broke" not in page
    assert "More of its stacks fail" in page


def test_what_failed_before_and_succeeds_now_is_not(operator):
    agent, _ = make_agent(labels=["prod"])
    obj = make_object(make_stack(labels=["prod"]))
    make_event(agent, obj, "FAILURE", "broke")
    make_event(agent, obj)
    assert 'role="alert"' not in overview(operator, agent)


@pytest.mark.parametrize(
    ("age", "word"),
    [(None, "never seen"), (timedelta(seconds=1), "alive"), (timedelta(minutes=10), "silent")],
)
def test_the_heartbeat_is_put_in_a_word(operator, age, word):
    agent, _ = make_agent(active=True)
    if age is not None:
        AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=timezone.now() - age)
    assert f">{word}</span>" in overview(operator, agent)
    heard = {"never seen": "never"}.get(word, word)
    assert list(operator.get("agents/agent/", heard=heard).context["cl"].result_list) == [agent]
    for other in {"never", "alive", "silent"} - {heard}:
        assert not operator.get("agents/agent/", heard=other).context["cl"].result_list


def test_the_state_of_the_cluster_is_shown(operator):
    agent, _ = make_agent()
    record_heartbeat(agent_id=agent.pk, k8s_reachable=True, k8s_api_latency_ms=17)
    assert ">17 ms</span>" in overview(operator, agent)


def test_a_tab_shows_each_stack_with_its_reasons_and_state(operator):
    agent, _ = make_agent(labels=["prod"], annotations={"tier": "web"}, active=True)
    failing = make_stack(name="failing-one", labels=["prod"], annotations={"tier": "web"})
    make_event(agent, make_object(failing), "FAILURE", "no such image")
    waiting = make_stack(name="a-waiting-one")
    make_target(agent, waiting)
    old = make_object(waiting)
    make_event(agent, old)
    new = make_object(waiting)
    make_stack(name="a-foreign-one", labels=["dev"])
    page = tab(operator, agent, "stacks")
    assert page.index("failing-one") < page.index("a-waiting-one"), "the worst comes first"
    assert "a-foreign-one" not in page
    for words in ("tier=web", "explicit target", "no such image", f"#{new.pk}", f"reported: #{old.pk}"):
        assert words in page


@pytest.mark.parametrize(
    ("active", "is_heard", "word"),
    [(True, True, "pending"), (True, False, "silent"), (False, True, "silent")],
    ids=["heard", "not heard", "paused"],
)
def test_what_waits_is_called_as_in_the_bar_above_it(operator, active, is_heard, word):
    agent, _ = make_agent(labels=["prod"], active=active)
    make_object(make_stack(labels=["prod"]))
    if is_heard:
        record_heartbeat(agent_id=agent.pk, k8s_reachable=True, k8s_api_latency_ms=5)
    assert f">{word}</span>" in tab(operator, agent, "stacks")
    assert f"?state={word}" in overview(operator, agent)
    filtered = operator.get(f"agents/agent/{agent.pk}/stacks/", state=word).content.decode()
    assert f">{word}</span>" in filtered


def test_a_tab_shows_what_a_registration_holds_back(operator, settings):
    settings.REQUIRE_REGISTRATION = True
    agent, _ = make_agent(labels=["prod"])
    make_object(make_stack(make_generator()[0], name="held", labels=["prod"]))
    page = tab(operator, agent, "stacks")
    assert "held back: not registered" in page


def test_a_tab_shows_what_is_still_to_be_removed(operator):
    agent, _ = make_agent(labels=["prod"], active=True)
    stack = make_stack(name="old-shop", labels=["prod"])
    make_event(agent, make_object(stack))
    with transaction.atomic():
        marker = delete_stack(stack=stack, actor=SYSTEM)
    page = tab(operator, agent, "stacks")
    assert "To be removed" in page
    assert "old-shop" in page
    make_event(agent, marker)
    assert "old-shop" not in tab(operator, agent, "stacks")


def test_empty_tabs_say_what_to_do(operator):
    agent, _ = make_agent()
    assert "No stack is tied to this agent." in tab(operator, agent, "stacks")
    assert "reported nothing yet" in tab(operator, agent, "events")


def test_a_tab_shows_the_newest_events(operator, monkeypatch):
    monkeypatch.setattr(pages, "EVENTS_SHOWN", 2)
    agent, _ = make_agent()
    stack = make_stack()
    for number in range(3):
        make_event(agent, make_object(stack), "FAILURE", f"broke {number}")
    page = tab(operator, agent, "events")
    assert page.index("broke 2") < page.index("broke 1")
    assert "broke 0" not in page
    assert f"/admin/agents/agentevent/?agent__id__exact={agent.pk}" in page


def test_many_stacks_are_paged(operator):
    agent, _ = make_agent(labels=["prod"])
    for number in range(51):
        make_stack(name=f"stack-{number:02}", labels=["prod"])
    first = tab(operator, agent, "stacks")
    assert "Page 1 of 2" in first
    assert "stack-50" not in first
    assert "stack-50" in operator.get(f"agents/agent/{agent.pk}/stacks/", page=2).content.decode()


def test_tabs_cost_the_same_queries_for_any_number_of_stacks(operator):
    agent, _ = make_agent(labels=["prod"], active=True)
    costs: dict[str, list[int]] = {"change": [], "stacks": [], "events": []}
    tab(operator, agent, "change")  # What a process asks once, like the ids of content types.
    for _ in range(2):
        for number in range(4):
            obj = make_object(make_stack(labels=["prod"]))
            make_event(agent, obj, "FAILURE" if number % 2 else "SUCCESS")
        for slug, seen in costs.items():
            with CaptureQueriesContext(connection) as captured:
                tab(operator, agent, slug)
            seen.append(len(captured))
    assert {slug: seen[0] for slug, seen in costs.items()} == {slug: seen[1] for slug, seen in costs.items()}


def test_a_deleted_agents_tabs_can_still_be_read(operator):
    agent, _ = make_agent(labels=["prod"])
    with transaction.atomic():
        delete_agent(agent=lock_agent(agent.pk), actor=SYSTEM)
    assert "The agent is deleted." in tab(operator, agent, "stacks")
    tab(operator, agent, "events")


def test_tabs_are_for_those_who_may_see_what_is_on_them():
    agent, _ = make_agent()
    viewer = staff("agents.view_agent", "agents.view_agentevent")
    page = overview(viewer, agent)
    assert f"/admin/agents/agent/{agent.pk}/events/" in page
    assert f"/admin/agents/agent/{agent.pk}/stacks/" not in page
    assert viewer.get(f"agents/agent/{agent.pk}/stacks/").status_code == 403
    stranger = staff("stacks.view_stack", name="bjorn")
    assert stranger.get(f"agents/agent/{agent.pk}/stacks/").status_code == 403


def test_a_tab_of_a_row_that_is_not_there_is_a_message(operator):
    response = operator.get("agents/agent/0190f000-0000-7000-8000-000000000000/stacks/")
    assert response.status_code == 302


def test_the_buttons_are_on_every_tab(operator):
    agent, _ = make_agent()
    for slug in ("stacks", "events"):
        assert f"/admin/agents/agent/{agent.pk}/activate/" in tab(operator, agent, slug)
