"""An agent that looks for deliveries and finds none: one statement, and the same answer as by the view."""

import itertools
from datetime import timedelta

import pytest

from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak, revoke_pak
from paks.tokens import split_token
from tests.factories import make_agent, make_delivery, make_webhook
from tests.support.api import Api, refused
from webhooks.due_deliveries import look_for_deliveries
from webhooks.models import Audience, Delivery
from webhooks.services.deliveries import audiences_of

pytestmark = pytest.mark.django_db


def path(agent, query="") -> str:
    return f"/agents/{agent.id}/webhooks/pending{query}"


def test_finding_none_is_one_statement(django_assert_num_queries, now):
    agent, api = make_agent(labels=["edge"])
    make_delivery(make_webhook(target_labels=["other"]))
    make_delivery(make_webhook())
    make_delivery(make_webhook(target_labels=["edge"]), at=now + timedelta(hours=1))
    api.get(path(agent))
    with django_assert_num_queries(1):
        response = api.get(path(agent))
    assert (response.status_code, response.json()) == (200, [])
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_the_short_rule_and_the_long_one_agree(now):
    words = ["a", "b", "c"]
    sets = [list(some) for size in range(4) for some in itertools.combinations(words, size)]
    for labels in sets[1:]:
        make_delivery(
            make_webhook(event_types=["agent.silent"], target_labels=labels), event_type="agent.silent"
        )
    for carried in sets:
        agent, api = make_agent(labels=carried)
        token = split_token(api.key)
        long = set(audiences_of(agent.id))
        assert {frozenset(row.labels) for row in long} == {
            frozenset(labels) for labels in sets[1:] if set(labels) <= set(carried)
        }
        for audience in Audience.objects.all():
            Delivery.objects.update(due_at=now + timedelta(hours=1))
            Delivery.objects.filter(audience=audience).update(due_at=now)
            look = look_for_deliveries(agent_id=agent.id, token=token, now=now)
            assert look.found == (audience in long)


def test_the_lane_knows_no_wrong_key(admin):
    agent, api = make_agent()
    _, other_api = make_agent()
    assert api.get(path(agent)).status_code == 200
    refused(other_api.get(path(agent)), 403, "agent_pak_mismatch")
    pak, key = issue_pak(role=Role.AGENT, subject_id=agent.id, name="second", actor=SYSTEM)
    assert Api(key).get(path(agent)).status_code == 200
    revoke_pak(pak_id=pak.id, actor=SYSTEM)
    refused(Api(key).get(path(agent)), 401, "unauthorized")
    mangled = key.replace(key.split("_")[1], "BRxxxxxx")
    refused(Api(mangled).get(path(agent)), 401, "unauthorized")


def test_other_methods_and_queries_take_the_long_way_to_the_same_answers():
    agent, api = make_agent()
    assert api.get(path(agent, "?x=1")).json() == []
    assert api.request("POST", path(agent)).status_code == 405
