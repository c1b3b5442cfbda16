"""The past of rows: triggers write it, whoever inserts and deletes the rows; the retention ends it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from agents.models import (
    AgentHeartbeat,
    AgentLabel,
    AgentLabelHistory,
    AgentOffer,
    AgentSilence,
    AgentTarget,
    MarkerDelivery,
    MarkerDeliveryHistory,
    OfferHistory,
    TargetHistory,
)
from agents.services.history import delete_old_associations
from agents.services.silence import announce_recovered_agents, announce_silent_agents
from core.events import SYSTEM
from core.history import AbstractHistory
from core.history_migrations import fill, time_of
from core.labels.services import add_label, remove_label
from stacks.models import StackLabelHistory, StackOwnerHistory
from stacks.services import delete_old_associations as delete_old_associations_of_stacks
from stacks.services import update_stack
from tests.factories import (
    make_agent,
    make_event,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
)
from tests.support.changing_fleet import ADMIN

pytestmark = pytest.mark.django_db

_TRIGGERS = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}


def test_every_table_with_a_history_has_the_triggers_that_write_it():
    # SQLite drops the triggers of a table that a migration rebuilds.
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGERS[connection.vendor])
        triggers = {name for (name,) in cursor.fetchall()}
    tables = {model._meta.db_table for model in AbstractHistory.__subclasses__()}
    ends = {table: "change" if table == "stack_owner_history" else "end" for table in tables}
    wanted = {f"{table}_begin" for table in tables} | {f"{table}_{end}" for table, end in ends.items()}
    assert triggers >= wanted | {"agent_offer_history_end"}


def test_a_row_that_is_deleted_leaves_its_time_behind():
    before = timezone.now() - timedelta(milliseconds=1)
    agent, _ = make_agent(labels=["a"])
    row = AgentLabel.objects.get(agent=agent)
    live = AgentLabelHistory.objects.get(agent_id=agent.pk)
    assert (live.id, live.label, live.removed_at) == (row.id, "a", None)
    remove_label(owner=agent, label="a", actor=SYSTEM)
    gone = AgentLabelHistory.objects.get(agent_id=agent.pk)
    assert before <= gone.added_at <= gone.removed_at <= timezone.now()


def test_many_rows_of_one_statement_are_all_remembered():
    agent, _ = make_agent()
    stacks = [make_stack() for _ in range(3)]
    AgentTarget.objects.bulk_create(AgentTarget(agent=agent, stack=stack) for stack in stacks)
    AgentTarget.objects.filter(agent=agent, stack__in=stacks[:2]).delete()
    rows = TargetHistory.objects.filter(agent_id=agent.pk)
    assert rows.count() == 3
    assert [row.stack_id for row in rows.filter(removed_at__isnull=True)] == [stacks[2].pk]


def test_a_clock_that_goes_back_ends_nothing_before_it_began():
    agent, _ = make_agent(labels=["a"])
    future = timezone.now() + timedelta(hours=1)
    AgentLabelHistory.objects.filter(agent_id=agent.pk).update(added_at=future)
    remove_label(owner=agent, label="a", actor=SYSTEM)
    row = AgentLabelHistory.objects.get(agent_id=agent.pk)
    assert row.removed_at == row.added_at


def test_each_owner_of_a_stack_is_remembered():
    owners = [make_generator()[0] for _ in range(2)]
    stack = make_stack(owners[0])
    update_stack(stack=stack, changes={"generator_id": owners[1].pk}, actor=ADMIN)
    update_stack(stack=stack, changes={"description": "moved"}, actor=ADMIN)
    rows = StackOwnerHistory.objects.filter(stack_id=stack.pk)
    first, second = rows.order_by("added_at", F("removed_at").asc(nulls_last=True))
    assert [first.generator_id, second.generator_id] == [owner.pk for owner in owners]
    assert first.removed_at is not None
    assert second.removed_at is None


def test_a_marker_is_remembered_after_it_was_acknowledged():
    agent, _ = make_agent(labels=["a"])
    make_event(agent, make_object(make_stack(labels=["a"])))
    remove_label(owner=agent, label="a", actor=SYSTEM)
    marker = MarkerDelivery.objects.get(agent=agent).marker
    make_event(agent, marker)
    assert not MarkerDelivery.objects.filter(agent=agent).exists()
    row = MarkerDeliveryHistory.objects.get(agent_id=agent.pk)
    assert row.marker_id == marker.pk
    assert row.removed_at is not None


def test_an_offer_is_remembered_when_it_is_forgotten():
    agent, api = make_agent(labels=["a"])
    obj = make_object(make_stack(labels=["a"]))
    api.get(f"/agents/{agent.id}/target-state")
    offer = AgentOffer.objects.get(agent=agent)
    assert not OfferHistory.objects.filter(agent_id=agent.pk).exists()
    remove_label(owner=agent, label="a", actor=SYSTEM)
    make_event(agent, MarkerDelivery.objects.get(agent=agent).marker)
    assert not AgentOffer.objects.filter(agent=agent).exists()
    row = OfferHistory.objects.get(agent_id=agent.pk)
    assert (row.version_id, row.stack_id, row.offered_at) == (obj.pk, obj.stack_id, offer.offered_at)


def test_a_time_of_silence_begins_with_the_last_heartbeat_and_ends_with_the_next(now):
    agent, _ = make_agent(active=True)
    last = now - timedelta(hours=1)
    AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=last)
    announce_silent_agents(now=now)
    silence = AgentSilence.objects.get(agent_id=agent.pk)
    assert (silence.since, silence.announced_at, silence.ended_at) == (last, now, None)
    later = now + timedelta(minutes=1)
    AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=later)
    announce_recovered_agents(now=later)
    silence.refresh_from_db()
    assert silence.ended_at == later


def test_rows_older_than_the_history_get_the_time_in_their_id():
    agent, _ = make_agent(labels=["a"])
    generator, _ = make_generator()
    registration = make_registration(agent, generator)
    row = AgentLabel.objects.get(agent=agent)
    AgentLabelHistory.objects.filter(agent_id=agent.pk).delete()
    fill(AgentLabel.objects.filter(agent=agent), AgentLabelHistory, "agent_id", "label")
    filled = AgentLabelHistory.objects.get(agent_id=agent.pk)
    assert (filled.id, filled.label, filled.added_at) == (row.id, "a", time_of(row.id))
    assert abs(time_of(row.id) - registration.registered_at) < timedelta(hours=1)


def test_the_time_in_an_id_is_that_of_its_making():
    made = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    value = (int(made.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62)
    assert time_of(UUID(int=value)) == made


def test_the_retention_deletes_what_ended_before_it_and_nothing_else(settings, now):
    settings.HISTORY_RETENTION_DAYS = 10
    agent, _ = make_agent(labels=["a", "b", "c"])
    stack = make_stack(labels=["a", "b"])
    for owner in (agent, stack):
        remove_label(owner=owner, label="a", actor=SYSTEM)
        remove_label(owner=owner, label="b", actor=SYSTEM)
    long_ago = {"added_at": now - timedelta(days=20), "removed_at": now - timedelta(days=11)}
    AgentLabelHistory.objects.filter(label="a").update(**long_ago)
    StackLabelHistory.objects.filter(label="a").update(**long_ago)
    assert delete_old_associations(now=now) == 1
    assert delete_old_associations_of_stacks(now=now) == 1
    kept = AgentLabelHistory.objects.filter(agent_id=agent.pk)
    assert set(kept.values_list("label", flat=True)) == {"b", "c"}
    settings.HISTORY_RETENTION_DAYS = 0
    assert delete_old_associations(now=now + timedelta(days=9999)) == 0


def test_a_repeated_poll_writes_no_history(django_assert_num_queries):
    agent, api = make_agent(labels=["a"])
    make_object(make_stack(labels=["a"]))
    api.get(f"/agents/{agent.id}/target-state")
    with django_assert_num_queries(1):
        api.get(f"/agents/{agent.id}/target-state")
    assert not OfferHistory.objects.filter(agent_id=agent.pk).exists()


def test_a_target_of_a_deleted_stack_ends_with_it(admin):
    agent, _ = make_agent()
    stack = make_stack()
    make_target(agent, stack)
    add_label(owner=stack, label="a", actor=SYSTEM)
    assert admin.request("DELETE", f"/stacks/{stack.id}").status_code == 204
    assert TargetHistory.objects.get(agent_id=agent.pk).removed_at is not None
