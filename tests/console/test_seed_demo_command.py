"""manage.py seed_demo."""

import pytest

from agents.attention import failing, pending, removing
from agents.models import Agent, AgentEvent
from audit.models import AuditLog
from diagnostics.models import DiagnosticRequest
from health.models import DeploymentHealth
from stacks.models import DeploymentObject, Stack
from templates_app.models import StackTemplate
from tests.factories import make_stack
from tests.support.commands import manage
from webhooks.models import Delivery
from workorders.models import WorkOrder, WorkOrderLogEntry

pytestmark = pytest.mark.django_db

SMALL = ("--agents", "60", "--stacks", "20", "--versions", "2", "--work-orders", "12")


def test_a_fleet_with_failures_silence_and_a_past():
    manage("bootstrap")
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
    oldest = DeploymentObject.objects.order_by("created_at").first()
    assert DeploymentObject.objects.order_by("sequence_id").first() == oldest
    assert AuditLog.objects.filter(action="deployment.created", resource_id=oldest.id).exists()


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
