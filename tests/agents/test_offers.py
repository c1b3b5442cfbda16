"""Which versions an agent's own polls were answered with is noted, once, before the answer goes out."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from agents.jobs import forget_old_offers
from agents.models import AgentOffer
from agents.services.offers import delete_old_offers
from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_event, make_object, make_stack

pytestmark = pytest.mark.django_db

QUERIES = ["", "?mode=incremental", "?unknown=1"]


def noted(agent) -> list[int]:
    return sorted(AgentOffer.objects.filter(agent=agent).values_list("version_id", flat=True))


@pytest.mark.parametrize("query", QUERIES)
def test_what_a_poll_carries_is_noted_once(query):
    agent, api = make_agent(labels=["a"])
    other, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    old = make_object(stack)
    path = f"/agents/{agent.id}/target-state{query}"
    api.get(path)
    (first,) = AgentOffer.objects.all()
    assert (first.agent_id, first.version_id, first.stack_id) == (agent.id, old.pk, stack.pk)
    api.get(path)
    assert AgentOffer.objects.get().offered_at == first.offered_at
    new = make_object(stack)
    api.get(path)
    assert noted(agent) == [old.pk, new.pk]
    assert noted(other) == []


@pytest.mark.parametrize("query", QUERIES)
def test_an_answer_without_a_body_offers_nothing_and_one_with_a_new_tag_does(query):
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    path = f"/agents/{agent.id}/target-state{query}"
    tag = api.get(path)["ETag"]
    AgentOffer.objects.all().delete()
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert noted(agent) == []
    newer = make_object(stack)
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 200
    assert noted(agent) == [newer.pk]
    assert obj.pk < newer.pk


def test_somebody_else_who_looks_offers_nothing(admin):
    agent, _ = make_agent(labels=["a"])
    make_object(make_stack(labels=["a"]))
    assert len(admin.get(f"/agents/{agent.id}/target-state").json()) == 1
    assert noted(agent) == []


def test_markers_that_are_owed_are_no_offers():
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_event(agent, make_object(stack))
    delete_stack(stack=stack, actor=SYSTEM)
    assert len(api.get(f"/agents/{agent.id}/target-state").json()) == 1
    assert noted(agent) == []


def test_an_offer_that_cannot_be_noted_does_not_fail_the_poll(monkeypatch, caplog):
    agent, api = make_agent(labels=["a"])
    obj = make_object(make_stack(labels=["a"]))

    def refuse(*args, **kwargs):
        raise OperationalError("the disk is full")

    monkeypatch.setattr("agents.services.offers.fetch_all", refuse)
    answer = api.get(f"/agents/{agent.id}/target-state")
    assert [row["sequence_id"] for row in answer.json()] == [obj.pk]
    assert "offers not noted" in caplog.text
    monkeypatch.undo()
    api.get(f"/agents/{agent.id}/target-state")
    assert noted(agent) == [obj.pk]


def test_old_offers_go_but_for_the_newest_of_each_agent_and_stack(settings):
    agent, api = make_agent(labels=["a"])
    stacks = [make_stack(labels=["a"]) for _ in range(2)]
    objects = []
    for stack in (stacks[0], stacks[0], stacks[1]):
        objects.append(make_object(stack))
        api.get(f"/agents/{agent.id}/target-state")
    now = timezone.now()
    AgentOffer.objects.update(offered_at=now - timedelta(days=399))
    assert delete_old_offers(now=now) == 0
    settings.AGENT_OFFERS_RETENTION_DAYS = 0
    assert delete_old_offers(now=now + timedelta(days=9)) == 0
    settings.AGENT_OFFERS_RETENTION_DAYS = 300
    assert forget_old_offers() == 1
    assert noted(agent) == [objects[1].pk, objects[2].pk]
