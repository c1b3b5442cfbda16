"""The poll of the target state: its bytes, its cost, and its plan."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from agents.api import state
from agents.models import AgentOffer, HoldReason
from agents.services.holds import hold, release
from agents.target_state import _statement
from paks.models import Pak
from stacks.api.serializers import DeploymentObjectSerializer
from stacks.models import DeploymentObject, Stack
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_stack,
    make_target,
    manifest,
)
from tests.support.plans import analyzed_sql, buffers, scanned_tables

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("microsecond", [0, 7])
def test_a_fragment_is_what_the_serializer_says(microsecond):
    obj = make_object(make_stack(), manifest('ü"'))
    # Not saved: objects are written once.
    fresh = DeploymentObject.objects.get(pk=obj.pk)
    fresh.created_at = fresh.deleted_at = fresh.created_at.replace(microsecond=microsecond)
    said = json.loads(json.dumps(DeploymentObjectSerializer(fresh).data))
    assert json.loads(state._render(fresh)) == said
    assert list(json.loads(state._render(fresh))) == list(said)


def used_just_now(api_agent) -> None:
    Pak.objects.filter(subject_id=api_agent.id).update(last_used_at=timezone.now())


def test_a_poll_is_one_statement_when_the_objects_are_in_memory(django_assert_num_queries):
    agent, api = make_agent(labels=["a"])
    for _ in range(3):
        make_object(make_stack(labels=["a"]))
    used_just_now(agent)
    # The state, the objects that are not in memory yet, and that they are offered now.
    with django_assert_num_queries(3):
        first = api.get(f"/agents/{agent.id}/target-state")
    with django_assert_num_queries(1):
        warm = api.get(f"/agents/{agent.id}/target-state")
    assert warm.content == first.content
    assert len(warm.json()) == 3
    with django_assert_num_queries(1):
        same = api.get(f"/agents/{agent.id}/target-state", headers={"If-None-Match": first["ETag"]})
    assert (same.status_code, same.content) == (304, b"")


@pytest.mark.requires_postgres
@pytest.mark.parametrize("body", [..., {"k8s_reachable": True, "k8s_api_latency_ms": 3}])
def test_a_heartbeat_is_one_statement(body, django_assert_num_queries):
    agent, api = make_agent()
    used_just_now(agent)
    with django_assert_num_queries(1):
        assert api.post(f"/agents/{agent.id}/heartbeat", body).status_code == 204
    agent.heartbeat.refresh_from_db()
    assert timezone.now() - agent.heartbeat.last_heartbeat < timedelta(minutes=5)


@pytest.mark.requires_postgres
def test_a_heartbeat_without_waiting_leaves_the_session_as_it_was(settings):
    settings.HEARTBEAT_DURABLE = False
    agent, api = make_agent()
    assert api.post(f"/agents/{agent.id}/heartbeat").status_code == 204
    agent.heartbeat.refresh_from_db()
    assert agent.heartbeat.last_heartbeat is not None


@pytest.mark.parametrize(
    "query", ["", "?mode=full", "?mode=incremental", "?unknown=1", "?mode=full&mode=incremental"]
)
def test_the_lane_and_the_view_answer_alike(query, admin):
    agent, api = make_agent(labels=["a"])
    make_event(agent, make_object(make_stack(labels=["a"])))
    make_object(make_stack(labels=["a"]))
    short = api.get(f"/agents/{agent.id}/target-state{query}")
    long = admin.get(f"/agents/{agent.id}/target-state{query}")
    assert (short.status_code, short.content) == (long.status_code, long.content)
    for header in ("ETag", "Content-Type", "Cache-Control"):
        assert short[header] == long[header]


def test_another_agents_state_has_another_tag():
    one, one_api = make_agent(labels=["a"])
    two, two_api = make_agent(labels=["b"])
    make_object(make_stack(labels=["a"]))
    make_object(make_stack(labels=["b"]))
    tags = {
        api.get(f"/agents/{agent.id}/target-state")["ETag"] for agent, api in ((one, one_api), (two, two_api))
    }
    assert len(tags) == 2


def test_a_change_is_seen_by_the_next_poll():
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_object(stack)
    first = api.get(f"/agents/{agent.id}/target-state")
    newer = make_object(stack, manifest(2))
    second = api.get(f"/agents/{agent.id}/target-state", headers={"If-None-Match": first["ETag"]})
    assert second.status_code == 200
    assert [obj["sequence_id"] for obj in second.json()] == [newer.sequence_id]


# By the database itself, on PostgreSQL: making so many instances takes longer than all other work of a test.
FILL = """
WITH s AS (
    INSERT INTO stacks (id, created_at, updated_at, name, generator_id)
    SELECT gen_random_uuid(), now(), now(), 'filler-' || %(stacks)s || '-' || n, %(generator)s
    FROM generate_series(1, %(stacks)s) n RETURNING id, hashtext(name) AS number
), labels AS (
    INSERT INTO stack_labels (id, stack_id, label)
    SELECT gen_random_uuid(), id, 'team-' || abs(number %% 97) FROM s
), annotations AS (
    INSERT INTO stack_annotations (id, stack_id, key, value)
    SELECT gen_random_uuid(), id, 'tier', abs(number %% 89)::text FROM s
)
INSERT INTO deployment_objects (
    id, created_at, updated_at, stack_id, yaml_content, yaml_checksum, submitted_at, is_deletion_marker
)
SELECT gen_random_uuid(), now(), now(), s.id, 'a: ' || version, repeat('0', 64), now(), false
FROM generate_series(1, %(versions)s) version CROSS JOIN s
"""


def fill(stacks: int, versions: int) -> None:
    """Stacks that the agent does not serve, with history."""
    generator, _ = make_generator()
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"stacks": stacks, "versions": versions, "generator": generator.pk})


def plan_for(agent):
    pak = Pak.objects.get(subject_id=agent.id)
    sql = _statement("postgresql", False, False, with_key=True)
    return analyzed_sql(sql, {"agent": agent.id, "key_hash": pak.key_hash, "short_token": pak.short_token})


# The tables that grow. One page of targets or keys is read as it lies, which is what a planner should do; and whether
# anything is held at all is asked of the first row there is.
LARGE = {"stacks", "deployment_objects", "stack_labels", "stack_annotations"}
RELEASES = {"object_releases"}


def agent_with_twenty_stacks():
    agent, _ = make_agent(labels=["mine", "arm64"], annotations={"region": "eu"})
    stacks = [make_stack(labels=["mine"]) for _ in range(8)]
    stacks += [make_stack(annotations={"region": "eu"}) for _ in range(6)]
    targets = [make_stack() for _ in range(6)]
    for stack in targets:
        make_target(agent, stack)
    objects = [make_object(stack) for stack in [*stacks, *targets]]
    return agent, objects


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.requires_postgres
@pytest.mark.parametrize("released", [0, 1, 2])
def test_a_hold_on_every_stack_costs_two_look_ups_more_for_each(released):
    agent, objects = agent_with_twenty_stacks()
    fill(3_000, 2)
    others = [make_agent()[0] for _ in range(40)]
    # As many holds and releases elsewhere as a hundred rollouts under way have.
    elsewhere = Stack.objects.filter(name__startswith="filler")[:100]
    held = [make_object(stack) for stack in elsewhere] + [make_object(obj.stack) for obj in objects]
    for number, version in enumerate(held):
        hold(version=version, reason=HoldReason.ROLLOUT)
        mine = [agent] if released == 2 or (released and number % 2) else []
        release(version=version, agent_ids=[each.pk for each in [*others, *mine]])
    AgentOffer.objects.bulk_create(
        AgentOffer(agent=agent, version=version, stack=version.stack) for version in [*objects, *held[100:]]
    )
    analyze()
    plan = plan_for(agent)
    assert not scanned_tables(plan) & (LARGE | RELEASES)
    assert buffers(plan) <= 11 * 20 + 40


@pytest.mark.requires_postgres
def test_a_poll_reads_indexes_only_and_costs_the_same_among_many_stacks():
    agent, _ = agent_with_twenty_stacks()
    fill(1_000, 2)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    small = plan_for(agent)
    fill(10_000, 2)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    large = plan_for(agent)
    assert not scanned_tables(large) & LARGE
    assert buffers(large) <= 9 * 20 + 40
    assert buffers(large) <= 1.5 * buffers(small)
