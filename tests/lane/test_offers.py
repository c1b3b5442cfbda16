"""The lane notes offers as the views do, though it does not ask the database at each poll."""

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from agents.models import AgentOffer
from brokkr_site.wsgi import application
from tests.factories import make_agent, make_object, make_stack
from tests.support.wsgi import call

pytestmark = pytest.mark.django_db


def poll(agent: Any, key: str, through: Any = application) -> list[dict[str, Any]]:
    answer = call(
        "GET",
        f"/api/v1/agents/{agent.id}/target-state?mode=full",
        through=through,
        HTTP_AUTHORIZATION=f"Bearer {key}",
    )
    rows: list[dict[str, Any]] = answer.json()
    return rows


def test_what_was_taken_away_and_given_back_is_noted_again(admin):
    agent, api = make_agent(labels=["a"], active=True)
    obj = make_object(make_stack(labels=["a"]))
    key = str(api.key)
    assert [row["id"] for row in poll(agent, key)] == [str(obj.id)]
    assert admin.delete(f"/agents/{agent.id}/labels/a").status_code == 204
    # By the views, as where another process answers: this one's lane does not hear of it.
    (marker,) = poll(agent, key, through=WSGIHandler())
    assert marker["is_deletion_marker"]
    removed = {"deployment_object_id": marker["id"], "event_type": "DEPLOY", "status": "SUCCESS"}
    assert api.post(f"/agents/{agent.id}/events", removed).status_code == 201
    assert not AgentOffer.objects.exists()

    assert admin.post(f"/agents/{agent.id}/labels", {"label": "a"}).status_code == 201
    assert [row["id"] for row in poll(agent, key)] == [str(obj.id)]
    assert AgentOffer.objects.get().version_id == obj.pk


def test_an_answer_that_is_repeated_is_noted_once(django_assert_max_num_queries):
    agent, api = make_agent(labels=["a"], active=True)
    make_object(make_stack(labels=["a"]))
    key = str(api.key)
    poll(agent, key)
    poll(agent, key)
    with django_assert_max_num_queries(1):
        poll(agent, key)


def test_an_answer_is_noted_again_once_the_agent_has_obeyed_a_removal_that_was_taken_back(admin):
    agent, api = make_agent(labels=["a"], active=True)
    obj = make_object(make_stack(labels=["a"]))
    key = str(api.key)
    poll(agent, key)
    assert admin.delete(f"/agents/{agent.id}/labels/a").status_code == 204
    (marker,) = poll(agent, key, through=WSGIHandler())
    assert admin.post(f"/agents/{agent.id}/labels", {"label": "a"}).status_code == 201
    assert [row["id"] for row in poll(agent, key)] == [str(obj.id)]
    removed = {"deployment_object_id": marker["id"], "event_type": "DEPLOY", "status": "SUCCESS"}
    for _ in range(2):
        # The second time as after an answer that was lost.
        assert api.post(f"/agents/{agent.id}/events", removed).status_code == 201
        assert not AgentOffer.objects.exists()
        assert [row["id"] for row in poll(agent, key)] == [str(obj.id)]
        assert AgentOffer.objects.get().version_id == obj.pk


def test_a_report_does_not_make_the_lane_ask_again(django_assert_max_num_queries):
    agent, api = make_agent(labels=["a"], active=True)
    obj = make_object(make_stack(labels=["a"]))
    key = str(api.key)
    poll(agent, key)
    poll(agent, key)
    applied = {"deployment_object_id": str(obj.id), "event_type": "DEPLOY", "status": "SUCCESS"}
    assert api.post(f"/agents/{agent.id}/events", applied).status_code == 201
    with django_assert_max_num_queries(1):
        assert poll(agent, key)
