"""manage.py seed_demo."""

from datetime import datetime, timedelta

import orjson
import pytest
from django.db.models import F
from django.utils import timezone

from agents.attention import failing, pending, removing
from agents.models import Agent, AgentEvent, AgentLabelHistory, AgentSilence, Registration
from audit.models import AuditLog
from diagnostics.models import DiagnosticRequest
from generators.models import Generator
from health.models import DeploymentHealth
from history.timeline import timeline_of_stack
from history.windows import span
from paks.models import Pak
from rollouts.models import Rollout
from stacks.models import DeploymentObject, Stack
from templates_app.models import StackTemplate
from tests.factories import make_stack
from tests.support.commands import manage
from webhooks.models import Delivery
from workorders.models import WorkOrder, WorkOrderLogEntry

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what the demonstration fleet is like")]

SMALL = ("--agents", "60", "--stacks", "20", "--versions", "2", "--work-orders", "12")


def _assert_causes_come_before_consequences(start: datetime) -> None:
    agents = {agent.pk: agent for agent in Agent.objects.select_related("heartbeat")}
    generators = set(Generator.objects.owners().values_list("pk", flat=True))
    registrations = []
    for each in Registration.objects.select_related("generator"):
        agent = agents[each.agent_id]
        if each.generator_id in generators:
            assert each.registered_at > agent.created_at > each.generator.created_at
            registrations.append(each)
        else:
            assert each.registered_at == agent.created_at
    ages = sorted(start - each.registered_at for each in registrations)
    assert (ages[0] < timedelta(days=10), ages[-1] > timedelta(days=30)) == (True, True)
    assert len({age // timedelta(days=1) for age in ages}) > 20
    assert not Stack.objects.filter(created_at__lt=F("generator__created_at")).exists()
    assert not DeploymentObject.objects.filter(created_at__lt=F("stack__created_at")).exists()

    for pak in Pak.objects.filter(role="agent"):
        agent = agents[pak.subject_id]
        assert (pak.created_at, pak.last_used_at) == (agent.created_at, agent.heartbeat.last_heartbeat)

    healths = list(DeploymentHealth.objects.select_related("deployment_object"))
    for health in healths:
        heard = agents[health.agent_id].heartbeat.last_heartbeat
        assert health.deployment_object.created_at < health.created_at <= health.updated_at == heard
        assert health.checked_at <= health.updated_at

    assert not Delivery.objects.filter(created_at__lt=F("subscription__created_at")).exists()
    for delivery in Delivery.objects.all():
        event = orjson.loads(delivery.payload)
        assert datetime.fromisoformat(event["timestamp"]) == delivery.created_at

    assert set(WorkOrder.objects.values_list("work_type", flat=True)) <= {"build", "custom"}
    assert set(WorkOrderLogEntry.objects.values_list("work_type", flat=True)) == {"build", "custom"}
    assert not WorkOrder.objects.filter(
        status="PENDING", created_at__lt=start - timedelta(minutes=5)
    ).exists()
    for entry in WorkOrderLogEntry.objects.all():
        assert entry.created_at < entry.claimed_at < entry.completed_at
        assert start - agents[entry.claimed_by_id].heartbeat.last_heartbeat < timedelta(minutes=1)


def _assert_the_audit_log_agrees(start: datetime) -> None:
    assert not AuditLog.objects.filter(timestamp__gt=timezone.now()).exists()
    rows = {(row.action, row.resource_id): row for row in AuditLog.objects.all()}
    for model in (Agent, Stack, Generator):
        # What was made today is no part of the story.
        for made in model.objects.filter(deleted_at=None, created_at__lt=start - timedelta(days=1)):
            assert rows[f"{model.__name__.lower()}.created", made.pk].timestamp == made.created_at
    for agent in Agent.objects.all():
        assert rows["agent.label_added", agent.pk].timestamp > agent.created_at
    for entry in WorkOrderLogEntry.objects.all():
        assert rows["workorder.created", entry.pk].timestamp == entry.created_at
        assert rows["workorder.claimed", entry.pk].timestamp == entry.claimed_at
    for health in DeploymentHealth.objects.filter(status="failing").select_related("deployment_object"):
        row = rows["health.changed", health.deployment_object.id]
        assert row.timestamp > health.deployment_object.created_at
    assert {row.actor_label for row in rows.values() if row.action == "stack.created"} == {
        "astrid",
        "bjorn",
        "ylva",
    }


def _assert_the_timelines_tell_a_month(start: datetime) -> None:
    month = span(start - timedelta(days=31), start, now=timezone.now())
    assert start - month.since > timedelta(days=29)
    rollout = Rollout.objects.get(state="rolled_back")
    told = timeline_of_stack(rollout.stack_id, month, limit=1_000).entries
    assert {entry.kind for entry in told} >= {"wanted", "offered", "applied", "failed", "healthy"}
    (back,) = [entry for entry in told if entry.previous and entry.previous.sequence_id == rollout.version_id]
    assert back.cause
    assert (back.cause.actor_label, back.cause.reason) == (rollout.changed_by, rollout.reason)
    assert {entry.cause.is_guessed for entry in told if entry.cause} == {False}
    gone_well = Rollout.objects.filter(state="succeeded").earliest("created_at")
    waves = list(gone_well.waves.order_by("number").values_list("released_at", flat=True))
    assert waves == sorted(waves)
    assert waves[0] < waves[-1] < start - timedelta(hours=1)
    assert {release.agent_id for release in gone_well.version.releases.all()} == {
        member.agent_id for member in gone_well.members.all()
    }
    assert AgentSilence.objects.filter(ended_at__lt=start).exists()
    assert not AgentLabelHistory.objects.filter(added_at__gte=start).exists()


def test_a_fleet_with_failures_silence_and_a_past_that_can_have_happened():
    manage("bootstrap")
    start = timezone.now()
    assert "The fleet is there." in manage("seed_demo", *SMALL).out
    assert (Agent.objects.count(), Stack.objects.count()) == (60, 20)
    assert failing(limit=1)
    assert pending(limit=1)
    assert removing(limit=1)
    assert Agent.objects.never_heard().exists()
    assert AgentEvent.objects.filter(status="SUCCESS").exists()
    assert WorkOrder.objects.count() + WorkOrderLogEntry.objects.count() == 12
    assert StackTemplate.objects.count() == 4
    assert set(DeploymentHealth.objects.values_list("status", flat=True)) >= {"healthy", "failing"}
    assert set(DiagnosticRequest.objects.values_list("status", flat=True)) == {"completed", "pending"}
    assert set(Delivery.objects.values_list("status", flat=True)) == {"success", "dead", "pending"}
    states = set(Rollout.objects.values_list("state", flat=True))
    assert states == {"progressing", "paused", "waiting_for_approval", "succeeded", "rolled_back"}
    oldest = DeploymentObject.objects.order_by("created_at").first()
    assert DeploymentObject.objects.order_by("sequence_id").first() == oldest
    assert AuditLog.objects.filter(action="deployment.created", resource_id=oldest.id).exists()
    # In one test, because making a fleet takes seconds.
    _assert_causes_come_before_consequences(start)
    _assert_the_audit_log_agrees(start)
    _assert_the_timelines_tell_a_month(start)


def test_it_refuses_among_other_data_unless_it_is_meant():
    make_stack(name="mine")
    refused = manage("seed_demo", *SMALL)
    assert refused.code == 1
    assert "--beside-other-data" in refused.err
    assert Stack.objects.count() == 1
    assert manage("seed_demo", *SMALL, "--beside-other-data").code == 0
    assert Stack.objects.count() == 21


def test_nothing_is_kept_of_a_fleet_that_could_not_be_finished():
    make_stack(name="platform-backup")
    many = ("--agents", "1", "--stacks", "40")
    refused = manage("seed_demo", *many, "--beside-other-data")
    assert refused.code == 1
    assert "unique_violation" in refused.err
    assert not Agent.objects.exists()


@pytest.mark.parametrize("bad", [("--agents", "0"), ("--stacks", "x")])
def test_sizes_are_whole_and_positive(bad):
    assert manage("seed_demo", *bad).code == 2
