"""Work orders and diagnostics. What runs in threads of the agent is called here in the test's own."""

import json

import pytest

from core.events import Actor
from diagnostics.models import DiagnosticResult
from paks.actors import ActorType
from tests.brokkr_agent.conftest import config_map, place
from tests.factories import make_diagnostic, make_work_order
from workorders.models import WorkOrder, WorkOrderLogEntry
from workorders.services.claims import complete_work_order
from workorders.services.targeting import Targeting


def order(world, text: str, **fields):
    return make_work_order(
        targeting=Targeting([world.row.id]), work_type="custom", yaml_content=text, **fields
    )


def test_the_objects_of_an_order_are_applied_and_are_no_stacks(world):
    made = order(world, config_map("once", "word"))
    world.rounds.errands._do_order(str(made.id))
    assert WorkOrderLogEntry.objects.get().success
    assert world.cluster.texts() == {place("once"): {"word": "word"}}
    metadata = world.cluster.objects[place("once")]["metadata"]
    assert "brokkr.io/agent" not in (metadata.get("labels") or {})
    assert world.rounds.errands.renewals() == []


def test_an_order_that_fails_is_tried_again_and_says_why(world):
    made = order(world, config_map("once", namespace="missing"))
    world.rounds.errands._do_order(str(made.id))
    waiting = WorkOrder.objects.get()
    assert waiting.status == "RETRY_PENDING"
    assert 'namespaces "missing" not found' in (waiting.last_error or "")


def test_an_order_of_another_kind_is_left_to_others(world):
    make_work_order(targeting=Targeting([world.row.id]), work_type="build")
    world.run(1)
    assert WorkOrder.objects.get().status == "PENDING"


def test_while_it_is_done_its_claim_is_renewed(world, monkeypatch):
    made = order(world, config_map("once"))
    renewals = []
    workshop = world.rounds.errands._workshop

    def do(_self, claimed, **_options):
        renewals.extend(world.rounds.errands.renewals())
        return {"success": True, "message": "", "retryable": True}

    monkeypatch.setattr(type(workshop), "do", do)
    world.rounds.errands._do_order(str(made.id))
    assert [each["work_order_id"] for each in renewals] == [str(made.id)]


def test_what_was_done_under_a_claim_that_has_ended_counts_for_nothing(world, monkeypatch, now):
    made = order(world, config_map("once"))
    workshop = world.rounds.errands._workshop
    real = type(workshop).do

    def do(self, claimed, **options):
        complete_work_order(
            work_order_id=made.id,
            success=True,
            message="by an administrator",
            retryable=True,
            claim_token=None,
            actor=Actor(ActorType.ADMIN),
            now=now,
        )
        return real(self, claimed, **options)

    monkeypatch.setattr(type(workshop), "do", do)
    world.rounds.errands._run(world.rounds.errands._do_order, str(made.id))
    assert WorkOrderLogEntry.objects.get().result_message == "by an administrator"


@pytest.mark.parametrize("applied", [True, False])
def test_a_request_for_diagnostics_is_answered_with_what_is_there(world, stack, applied):
    version = world.publish(stack, config_map("a"))
    if applied:
        world.run()
    pod = {
        "metadata": {"name": "web-0", "namespace": "brokkr"},
        "spec": {"containers": []},
        "status": {"phase": "Pending"},
    }
    world.cluster.add_foreign("/api/v1/namespaces/brokkr/pods/web-0", pod)
    request = make_diagnostic(world.row, version)
    body = {"id": str(request.id), "deployment_object_id": str(version.id)}
    world.rounds.errands._do_diagnostic(body)
    pods = json.loads(DiagnosticResult.objects.get().pod_statuses)
    assert [each["name"] for each in pods] == (["web-0"] if applied else [])
