"""GET /agents/{id}/timeline: what should have been there, what was sent and what was said, and whose change it was."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from agents.models import AgentHeartbeat, HoldReason, MarkerDelivery
from agents.services.holds import hold, release
from agents.services.silence import announce_recovered_agents, announce_silent_agents
from audit.models import AuditLog
from core.events import SYSTEM
from core.labels.services import add_label
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_health,
    make_object,
    make_stack,
    manifest,
)
from tests.support.api import refused
from tests.support.changing_fleet import ChangingFleet, quiet_moment

pytestmark = pytest.mark.django_db


def told(api, agent, query: str = "") -> list[Any]:
    """All pages together."""
    entries: list[Any] = []
    path: str | None = f"/agents/{agent.id}/timeline{query}"
    while path:
        response = api.get(path)
        assert response.status_code == 200, response.content
        entries += response.json()
        link = re.fullmatch(r'</api/v1(.*)>; rel="next"', response.headers.get("Link", ""))
        path = link[1] if link else None
    return entries


def kinds(entries) -> list[str]:
    return [entry["kind"] for entry in entries]


def wanted(entries) -> list[Any]:
    return [entry for entry in entries if entry["kind"] == "wanted"]


def test_the_way_of_a_version_is_told_in_order(admin):
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    api.get(f"/agents/{agent.id}/target-state")
    failed = make_event(agent, obj, "FAILURE", message="no room")
    applied = make_event(agent, obj)
    make_health(agent, obj, "degraded")
    entries = told(admin, agent)
    assert kinds(entries) == ["wanted", "offered", "failed", "applied", "degraded"]
    assert {entry["stack_id"] for entry in entries} == {str(stack.id)}
    assert {entry["version"]["id"] for entry in entries} == {str(obj.id)}
    assert [entry["report_id"] for entry in entries[2:4]] == [str(failed.id), str(applied.id)]


def test_a_wanted_version_names_the_publication_that_made_it_wanted(admin):
    generator, pipeline = make_generator()
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(generator, labels=["a"])
    answer = pipeline.request(
        "POST", f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest(1)}
    ).json()
    (entry,) = wanted(told(admin, agent))
    assert entry["version"]["id"] == answer["id"]
    assert (entry["cause"]["action"], entry["cause"]["actor_label"]) == ("deployment.created", generator.name)
    assert AuditLog.objects.get(id=entry["cause"]["audit_id"]).actor_id == generator.pk


@pytest.mark.parametrize("who", ["agent", "stack"])
def test_a_label_that_ends_and_comes_back_is_the_cause_of_what_it_takes_and_gives(admin, who):
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    api.get(f"/agents/{agent.id}/target-state")
    owner = {"agent": f"/agents/{agent.id}", "stack": f"/stacks/{stack.id}"}[who]
    assert admin.request("DELETE", f"{owner}/labels/a").status_code == 204
    assert admin.request("POST", f"{owner}/labels", "a").status_code in {200, 201}
    # The loss and the marker are one step where the clock does not tell them apart.
    *lost, back = wanted(told(admin, agent))[1:]
    assert lost[0]["previous"]["id"] == back["version"]["id"] == str(obj.id)
    assert lost[-1]["version"]["is_deletion_marker"]
    assert {entry["cause"]["action"] for entry in lost} == {f"{who}.label_removed"}
    assert back["cause"]["action"] == f"{who}.label_added"
    assert {entry["cause"]["actor_label"] for entry in (*lost, back)} == {"test admin"}


def test_a_held_version_is_wanted_when_it_is_released_and_not_before(admin):
    agent, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    with transaction.atomic():
        version = make_object(stack)
        hold(version=version, reason=HoldReason.ROLLOUT)
    before = told(admin, agent)
    release(version=version, agent_ids=[agent.pk])
    assert wanted(before) == []
    assert [entry["version"]["id"] for entry in wanted(told(admin, agent))] == [str(version.id)]


def test_an_acknowledged_marker_and_a_forgotten_offer_stay_in_the_timeline(admin):
    agent, api = make_agent(labels=["a"])
    make_object(make_stack(labels=["a"]))
    api.get(f"/agents/{agent.id}/target-state")
    admin.request("DELETE", f"/agents/{agent.id}/labels/a")
    quiet_moment()
    make_event(agent, MarkerDelivery.objects.get(agent=agent).marker)
    entries = told(admin, agent)
    assert {"offered", "applied"} <= set(kinds(entries))
    (*_, marker, nothing) = wanted(entries)
    assert marker["version"]["is_deletion_marker"]
    assert (nothing["previous"], nothing["version"]) == (marker["version"], None)


def test_silence_and_its_end_are_told_with_the_last_heartbeat(admin, now):
    agent, _ = make_agent()
    last = now - timedelta(hours=2)
    AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=last)
    announce_silent_agents(now=now - timedelta(hours=1))
    AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=now)
    announce_recovered_agents(now=now)
    since = last.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    entries = [entry for entry in told(admin, agent) if entry["kind"] in {"silent", "heard"}]
    assert [(entry["kind"], entry["since"]) for entry in entries] == [("heard", since)]
    began = AuditLog.objects.filter(action="agent.silent", resource_id=agent.pk)
    assert began.count() == 1


def test_a_change_whose_audit_entry_is_gone_has_no_cause(admin):
    agent, _ = make_agent(labels=["a"])
    make_object(make_stack(labels=["a"]))
    AuditLog.objects.all().delete()
    response = admin.get(f"/agents/{agent.id}/timeline")
    assert [entry["cause"] for entry in response.json()] == [None]
    assert response.headers["X-Brokkr-Causes-Known-Since"] < timezone.now().isoformat()


def test_pages_together_tell_the_same_as_one(admin):
    fleet = ChangingFleet(seed=3)
    for _ in range(40):
        fleet.step()
    agent = max(fleet.keys, key=lambda one: len(told(admin, one, "?limit=1000")))
    whole = told(admin, agent, "?limit=1000")
    assert len(whole) > 8
    first = admin.get(f"/agents/{agent.id}/timeline?limit=3")
    assert first.json() == whole[:3]
    assert told(admin, agent, "?limit=3") == whole


def test_a_page_may_end_between_the_entries_of_one_moment(admin):
    agent, _ = make_agent()
    for _ in range(3):
        make_object(make_stack(labels=["a"]))
    add_label(owner=agent, label="a", actor=SYSTEM)
    whole = wanted(told(admin, agent, "?limit=1000"))
    assert len(whole) == 3
    assert len({entry["at"] for entry in whole}) == 1
    assert wanted(told(admin, agent, "?limit=2")) == whole


def test_what_was_wanted_leads_from_nothing_to_the_present_target_state(admin):
    fleet = ChangingFleet(seed=5)
    for _ in range(60):
        fleet.step()
    for agent, api in fleet.keys.items():
        state: dict[str, str] = {}
        for entry in wanted(told(admin, agent, "?limit=1000")):
            before = entry["previous"]["id"] if entry["previous"] else None
            assert state.get(entry["stack_id"]) == before
            if entry["version"]:
                state[entry["stack_id"]] = entry["version"]["id"]
            else:
                del state[entry["stack_id"]]
        present = api.get(f"/agents/{agent.id}/target-state?mode=full").json()
        assert state == {row["stack_id"]: row["id"] for row in reversed(present)}


def test_only_the_asked_time_is_told(admin):
    agent, _ = make_agent(labels=["a"])
    make_object(make_stack(labels=["a"]))
    after = timezone.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert told(admin, agent, f"?from={after}") == []
    assert kinds(told(admin, agent, f"?to={after}")) == ["wanted"]


def test_an_unknown_agent_and_an_empty_time_are_refused(admin):
    agent, _ = make_agent()
    refused(admin.get(f"/agents/{uuid4()}/timeline"), 404, "agent_not_found")
    moment = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    refused(admin.get(f"/agents/{agent.id}/timeline?from={moment}&to={moment}"), 400, "window_empty")


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "0001-01-01T23:59:59Z", "1970-01-01T00:00:00Z"])
@pytest.mark.parametrize("begin", ["", "from=0001-01-01T00:00:00Z&"])
def test_a_time_that_ends_before_all_that_is_known_is_empty(admin, begin, end):
    agent, _ = make_agent()
    for path in (f"/agents/{agent.id}", f"/stacks/{make_stack().id}"):
        refused(admin.get(f"{path}/timeline?{begin}to={end}"), 400, "window_empty")


@pytest.mark.parametrize("cursor", ["x", "W10", "WyIyMDI2LTExLTI4IiwiMCIsIngiXQ"])
def test_a_cursor_that_no_page_gave_is_refused(admin, cursor):
    agent, _ = make_agent()
    refused(admin.get(f"/agents/{agent.id}/timeline?cursor={cursor}"), 400, "invalid_query")
