"""Agents, their registrations and their events in the admin."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Agent, AgentHeartbeat, Registration
from generators.services import system_generator
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
)
from tests.support.admin import actions_by, errors_of, messages_of, shown_key, titles_of
from tests.support.api import Api

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "agents/agent/"
REGISTRATIONS = "agents/registration/"


def change_page(agent: Agent) -> str:
    return f"{LIST}{agent.pk}/change/"


def test_a_new_agent_gets_a_key_that_is_shown_once(operator):
    response = operator.post(f"{LIST}add/", {"name": "a1", "cluster_name": "eu"})
    key = shown_key(response)
    agent = Agent.objects.get(name="a1")
    assert agent.status == "INACTIVE"
    assert Api(key).get(f"/agents/{agent.pk}").status_code == 200
    for page in (LIST, change_page(agent), "paks/pak/", "audit/auditlog/"):
        assert key not in operator.get(page).content.decode()
    assert actions_by(operator.user) == ["agent.created", "pak.created"]


def test_a_name_taken_in_the_cluster_is_an_error_of_the_form(operator):
    make_agent(name="a1", cluster_name="eu")
    response = operator.post(f"{LIST}add/", {"name": "a1", "cluster_name": "eu"})
    assert errors_of(response) == ["Something with these values exists already."]
    assert Agent.objects.count() == 1


def test_changing_goes_through_the_service_and_leaves_the_status(operator):
    agent, _ = make_agent(active=True)
    operator.post_form(change_page(agent), name="renamed", cluster_name="us", status="INACTIVE")
    agent.refresh_from_db()
    assert (agent.name, agent.cluster_name, agent.status) == ("renamed", "us", "ACTIVE")
    assert actions_by(operator.user) == ["agent.updated"]


@pytest.mark.parametrize(
    ("button", "active", "status"), [("activate", False, "ACTIVE"), ("pause", True, "INACTIVE")]
)
def test_activating_and_pausing_ask_first(operator, button, active, status):
    agent, _ = make_agent(active=active)
    page = f"{LIST}{agent.pk}/{button}/"
    assert f"/admin/{page}" in operator.get(change_page(agent)).content.decode()
    before = agent.status
    assert agent.name in operator.get(page).content.decode()
    operator.post(page)
    agent.refresh_from_db()
    assert agent.status == before
    operator.post(page, {"confirmed": "yes"})
    agent.refresh_from_db()
    assert agent.status == status
    assert actions_by(operator.user) == ["agent.updated"]
    assert f"/admin/{page}" not in operator.get(change_page(agent)).content.decode()


@pytest.mark.parametrize(
    ("action", "active", "status"),
    [("activate_selected", False, "ACTIVE"), ("pause_selected", True, "INACTIVE")],
)
def test_several_are_activated_and_paused_after_a_question(operator, action, active, status):
    agents = [make_agent(active=active)[0] for _ in range(3)]
    other, _ = make_agent(active=active)
    chosen = {"action": action, "_selected_action": [str(agent.pk) for agent in agents]}
    asked = operator.post(LIST, chosen | {"index": "0"}).content.decode()
    assert all(agent.name in asked for agent in agents)
    assert other.name not in asked
    assert not Agent.objects.filter(status=status).exists()
    response = operator.post(LIST, chosen | {"confirmed": "yes"})
    assert messages_of(response)[0].endswith(": 3.")
    assert set(Agent.objects.filter(status=status)) == set(agents)
    assert actions_by(operator.user) == ["agent.updated"] * 3


@pytest.mark.parametrize(
    ("action", "title_of_one", "title_of_several"),
    [
        ("activate_selected", "Activate the agent", "Activate agents"),
        ("pause_selected", "Pause the agent", "Pause agents"),
    ],
)
def test_a_question_about_one_agent_speaks_of_one(operator, action, title_of_one, title_of_several):
    ids = [str(make_agent(active=action == "pause_selected")[0].pk) for _ in range(2)]
    one = operator.post(LIST, {"action": action, "_selected_action": ids[:1]})
    several = operator.post(LIST, {"action": action, "_selected_action": ids})
    assert (one.context["title"], several.context["title"]) == (title_of_one, title_of_several)


def test_what_is_added_below_a_form_is_named_as_in_a_sentence(operator):
    page = operator.get(f"{change_page(make_agent()[0])}?edit=1").content.decode()
    for noun in ("label", "annotation", "target", "registration"):
        assert f"Add another {noun}<" in page


def test_an_action_that_one_agent_refuses_changes_none(operator):
    agent, gone = make_agent()[0], make_agent()[0]
    Agent.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    response = operator.post(
        f"{LIST}?deleted=all",
        {
            "action": "activate_selected",
            "_selected_action": [str(agent.pk), str(gone.pk)],
            "confirmed": "yes",
        },
    )
    assert "There is no such agent." in messages_of(response)
    assert not Agent.objects.filter(status="ACTIVE").exists()


def test_rotating_shows_the_new_key_once_and_ends_the_old_one(operator):
    agent, old = make_agent()
    page = f"{LIST}{agent.pk}/rotate_key/"
    operator.get(page)
    assert old.get(f"/agents/{agent.pk}").status_code == 200
    key = shown_key(operator.post(page, {"confirmed": "yes"}))
    assert old.get(f"/agents/{agent.pk}").status_code == 401
    assert Api(key).get(f"/agents/{agent.pk}").status_code == 200
    assert key not in operator.get(page).content.decode()
    assert actions_by(operator.user) == ["pak.rotated"]


def test_labels_targets_and_registrations_go_through_their_services(operator):
    agent, _ = make_agent(labels=["old"])
    kept, stack = make_stack(), make_stack()
    make_target(agent, kept)
    generator, _ = make_generator()
    operator.post_form(
        change_page(agent),
        **{
            "labels-0-DELETE": "on",
            "targets-0-DELETE": "on",
            "targets-TOTAL_FORMS": "2",
            "targets-1-stack": str(stack.pk),
            "registrations-TOTAL_FORMS": "2",
            "registrations-1-generator": str(generator.pk),
        },
    )
    assert not agent.labels.exists()
    assert [target.stack for target in agent.targets.all()] == [stack]
    assert set(agent.registrations.values_list("generator__name", flat=True)) == {
        "__system__",
        generator.name,
    }
    assert actions_by(operator.user) == [
        "agent.label_removed",
        "agent.target_removed",
        "agent.target_added",
        "agent.registered",
    ]


def test_a_target_without_the_required_registration_is_an_error_of_the_form(operator, settings):
    settings.REQUIRE_REGISTRATION = True
    agent, _ = make_agent()
    response = operator.post_form(
        change_page(agent), **{"targets-TOTAL_FORMS": "1", "targets-0-stack": str(make_stack().pk)}
    )
    assert errors_of(response) == ["The agent is not registered with the stack's generator."]
    assert not agent.targets.exists()


def test_more_targets_than_a_page_stay_when_one_is_removed(operator):
    agent, _ = make_agent()
    for number in range(53):
        make_target(agent, make_stack(name=f"stack-{number:03}"))
    operator.post_form(
        f"{change_page(agent)}?targets-page=2", **{"targets-page": "2", "targets-0-DELETE": "on"}
    )
    assert agent.targets.count() == 52
    assert not agent.targets.filter(stack__name="stack-050").exists()


def test_deleting_ends_the_agents_key(operator):
    agent, api = make_agent()
    operator.post(f"{LIST}{agent.pk}/delete/", {"post": "yes", "typed": agent.name})
    assert not Agent.objects.active().exists()
    assert api.get(f"/agents/{agent.pk}").status_code == 401
    assert actions_by(operator.user) == ["agent.deleted"]


def test_the_list_says_how_long_ago_and_on_hover_when(operator):
    agent, _ = make_agent()
    at = timezone.now() - timedelta(minutes=5, seconds=1)
    AgentHeartbeat.objects.filter(agent=agent).update(
        last_heartbeat=at, k8s_reachable=False, k8s_api_latency_ms=3
    )
    page = operator.get(LIST).content.decode()
    assert f'title="{at:%Y-%m-%d %H:%M:%S} UTC">5\xa0minutes ago</time>' in page
    assert "unreachable" in page


def test_the_list_filters_by_status(operator):
    active, idle = make_agent(active=True)[0], make_agent()[0]
    assert list(operator.get(LIST, status="active").context["cl"].result_list) == [active]
    assert list(operator.get(LIST, status="other").context["cl"].result_list) == [idle]


def test_a_registration_is_made_and_withdrawn_through_the_service(operator):
    agent, (generator, _) = make_agent()[0], make_generator()
    fields = {"agent": str(agent.pk), "generator": str(generator.pk)}
    operator.post(f"{REGISTRATIONS}add/", fields)
    registration = Registration.objects.get(generator=generator)
    make_target(agent, make_stack(generator))
    refused = operator.post(f"{REGISTRATIONS}add/", fields)
    assert len(errors_of(refused)) == 1
    operator.post(f"{REGISTRATIONS}{registration.pk}/delete/", {"post": "yes"})
    assert not Registration.objects.filter(generator=generator).exists()
    assert not agent.targets.exists()
    assert actions_by(operator.user) == ["agent.registered", "agent.deregistered"]


def test_the_system_generator_needs_no_registration(operator):
    agent, _ = make_agent()
    fields = {"agent": str(agent.pk), "generator": str(system_generator().pk)}
    assert len(errors_of(operator.post(f"{REGISTRATIONS}add/", fields))) == 1


def test_a_registration_leads_to_its_agent_and_its_generator(operator):
    registration = make_registration(make_agent(name="edge-7")[0], make_generator("ci")[0])
    page = operator.get(REGISTRATIONS).content.decode()
    row = f"{REGISTRATIONS}{registration.pk}/change/"
    for path in (
        f"{LIST}{registration.agent_id}/change/",
        f"generators/generator/{registration.generator_id}/change/",
        row,
    ):
        assert f'href="/admin/{path}"' in page
    assert titles_of(operator.get(row)) == ["Registrations", "edge-7 (test-cluster) for ci"]
    asked = operator.get(f"{REGISTRATIONS}{registration.pk}/delete/").content.decode()
    assert "Delete the registration edge-7 (test-cluster) for ci?" in " ".join(asked.split())


def test_a_name_is_on_one_line_and_a_long_one_whole_on_hover(operator):
    short, long = "edge-7", f"edge-{'far-' * 12}7"
    make_agent(name=short)
    make_agent(name=long, cluster_name=short)
    page = operator.get(LIST).content.decode()
    assert page.count(f'<span class="brokkr-one-line">{short}</span>') == 2
    assert f'<span class="brokkr-one-line" title="{long}">{long}</span>' in page


def test_registrations_filter_by_generator(operator):
    registration = make_registration(make_agent()[0], make_generator()[0])
    page = operator.get(REGISTRATIONS, generator__id__exact=str(registration.generator_id))
    assert list(page.context["cl"].result_list) == [registration]


def test_events_filter_by_agent_and_outcome_and_name_the_stack(operator):
    agent, _ = make_agent()
    obj = make_object(make_stack(name="the-shop"))
    failed = make_event(agent, obj, "FAILURE", "x" * 200)
    make_event(agent, obj)
    make_event(make_agent()[0], obj, "FAILURE")
    page = operator.get("agents/agentevent/", agent__id__exact=str(agent.pk), status__exact="FAILURE")
    assert list(page.context["cl"].result_list) == [failed]
    assert b"the-shop" in page.content
    assert ("x" * 200).encode() in operator.get(f"agents/agentevent/{failed.pk}/change/").content


@pytest.mark.parametrize(("own", "said"), [(None, "2 min, by the setting"), (5400, "1 h 30 min")])
def test_an_agents_page_says_in_words_how_long_it_may_be_silent(operator, settings, own, said):
    settings.AGENT_SILENT_AFTER_SECONDS = 120
    agent, _ = make_agent()
    Agent.objects.filter(pk=agent.pk).update(silent_after_seconds=own)
    page = operator.get(f"agents/agent/{agent.pk}/change/").content.decode()
    assert "Silent after" in page
    assert said in page


def test_how_long_an_agent_may_be_silent_is_set_and_cleared(operator):
    agent, _ = make_agent()
    page = f"agents/agent/{agent.pk}/change/"
    operator.post_form(page, silent_after_seconds="1 min")
    agent.refresh_from_db()
    assert agent.silent_after_seconds == 60
    assert b'value="1 min"' in operator.get(f"{page}?edit=1").content
    assert errors_of(operator.post_form(page, silent_after_seconds="0"))
    operator.post_form(page, silent_after_seconds="")
    agent.refresh_from_db()
    assert agent.silent_after_seconds is None
