from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.services.agents import delete_agent
from audit.models import AuditLog
from core.events import SYSTEM, event_emitted
from tests.factories import make_agent, make_generator, make_work_order
from tests.support.api import refused
from webhooks.event_types import published_name
from workorders.models import WorkOrder, WorkOrderLogEntry
from workorders.services.expiry import release_stale_claims, requeue_due_retries
from workorders.services.orders import requeue_from_log
from workorders.services.targeting import Targeting

pytestmark = pytest.mark.django_db


def claim(api, agent, order):
    return api.post(f"/work-orders/{order.id}/claim", {"agent_id": str(agent.id)})


@pytest.fixture
def builder():
    return make_agent(labels=["builder"])


@pytest.fixture
def notices():
    heard: list[Any] = []

    def hear(events, **kwargs):
        heard.extend((published_name(event.kind), event.data) for event in events if event.data is not None)

    event_emitted.connect(hear)
    yield heard
    event_emitted.disconnect(hear)


def test_a_claim_answers_the_order_with_a_token_and_an_expiry(builder, notices):
    agent, api = builder
    order = make_work_order(claim_timeout_seconds=120)
    response = claim(api, agent, order)
    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["claimed_by"]) == ("CLAIMED", str(agent.id))
    assert body["claim_token"]
    order.refresh_from_db()
    assert order.claim_expires_at - order.claimed_at == timedelta(seconds=120)
    name, payload = notices[-1]
    assert name == "workorder.claimed"
    assert (payload["work_order_id"], payload["agent_id"]) == (order.id, agent.id)
    assert AuditLog.objects.get(action="workorder.claimed").actor_id == agent.id


def test_an_admin_claims_on_behalf_of_an_agent(admin, builder):
    order = make_work_order()
    assert claim(admin, builder[0], order).json()["claimed_by"] == str(builder[0].id)


def test_what_cannot_be_claimed_is_not_found(admin, builder):
    agent, api = builder
    order = make_work_order()
    stranger, stranger_api = make_agent()
    refused(claim(stranger_api, stranger, order), 404, "work_order_not_claimable")
    assert claim(api, agent, order).status_code == 200
    refused(claim(api, agent, order), 404, "work_order_not_claimable")
    unknown = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
    refused(
        api.post(f"/work-orders/{unknown}/claim", {"agent_id": str(agent.id)}),
        404,
        "work_order_not_claimable",
    )
    refused(claim(make_generator()[1], agent, order), 403, "agent_pak_mismatch")
    refused(claim(stranger_api, agent, order), 403, "agent_pak_mismatch")
    refused(api.post(f"/work-orders/{order.id}/claim", {}), 422, "invalid_request_body")


def test_success_moves_the_order_to_the_log(builder, notices):
    agent, api = builder
    order = make_work_order()
    claim(api, agent, order)
    response = api.post(f"/work-orders/{order.id}/complete", {"success": True, "message": "sha256:abc"})
    assert response.status_code == 200
    assert response.json()["result_message"] == "sha256:abc"
    assert not WorkOrder.objects.exists()
    entry = WorkOrderLogEntry.objects.get()
    assert (entry.id, entry.success, entry.retries_attempted) == (order.id, True, 0)
    name, payload = notices[-1]
    assert name == "workorder.completed"
    assert payload["completed_at"] == entry.completed_at
    assert payload["agent_id"] == agent.id


def test_a_failure_is_scheduled_again_after_a_doubling_back_off(builder):
    agent, api = builder
    order = make_work_order(max_retries=2, backoff_seconds=10)
    for wait, retries in ((20, 1), (40, 2)):
        claim(api, agent, order)
        response = api.post(f"/work-orders/{order.id}/complete", {"success": False, "message": "no space"})
        assert (response.status_code, response.json()) == (202, {"status": "retry_scheduled"})
        order.refresh_from_db()
        assert (order.status, order.retry_count, order.last_error) == ("RETRY_PENDING", retries, "no space")
        assert order.next_retry_after - order.last_error_at == timedelta(seconds=wait)
        assert requeue_due_retries(now=order.next_retry_after - timedelta(seconds=1)) == 0
        assert requeue_due_retries(now=order.next_retry_after) == 1
    claim(api, agent, order)
    response = api.post(f"/work-orders/{order.id}/complete", {"success": False})
    assert response.status_code == 200
    assert response.json()["success"] is False
    entry = WorkOrderLogEntry.objects.get()
    assert (entry.retries_attempted, entry.result_message) == (2, "Unknown error")


def test_a_failure_that_is_not_retryable_is_final(builder):
    agent, api = builder
    order = make_work_order()
    claim(api, agent, order)
    response = api.post(
        f"/work-orders/{order.id}/complete", {"success": False, "message": "bad", "retryable": False}
    )
    assert response.status_code == 200
    row = AuditLog.objects.get(action="workorder.failed")
    assert (row.actor_id, row.details) == (agent.id, {"retryable": False})


def test_only_the_claimant_or_an_admin_completes(admin, builder):
    agent, api = builder
    order = make_work_order()
    _, other_api = make_agent(labels=["builder"])
    done = {"success": True}
    refused(api.post(f"/work-orders/{order.id}/complete", done), 403, "work_order_not_claimed_by_agent")
    refused(admin.post(f"/work-orders/{order.id}/complete", done), 409, "work_order_not_claimed")
    claim(api, agent, order)
    refused(other_api.post(f"/work-orders/{order.id}/complete", done), 403, "work_order_not_claimed_by_agent")
    refused(
        make_generator()[1].post(f"/work-orders/{order.id}/complete", done),
        403,
        "work_order_not_claimed_by_agent",
    )
    assert admin.post(f"/work-orders/{order.id}/complete", done).status_code == 200
    refused(api.post(f"/work-orders/{order.id}/complete", done), 404, "work_order_not_found")


def test_a_late_completion_is_refused_after_the_order_was_claimed_again(builder):
    agent, api = builder
    other, other_api = make_agent(labels=["builder"])
    order = make_work_order(claim_timeout_seconds=60)
    first = claim(api, agent, order).json()["claim_token"]
    release_stale_claims(now=timezone.now() + timedelta(seconds=61))
    second = claim(other_api, other, order).json()["claim_token"]
    late = {"success": True, "claim_token": first}
    refused(api.post(f"/work-orders/{order.id}/complete", late), 409, "stale_claim")
    refused(api.post(f"/work-orders/{order.id}/renew", {"claim_token": first}), 409, "stale_claim")
    done = {"success": True, "claim_token": second}
    assert other_api.post(f"/work-orders/{order.id}/complete", done).status_code == 200


def test_without_a_token_the_claimant_of_record_is_believed(builder):
    agent, api = builder
    order = make_work_order(claim_timeout_seconds=60)
    claim(api, agent, order)
    release_stale_claims(now=timezone.now() + timedelta(seconds=61))
    claim(api, agent, order)
    assert api.post(f"/work-orders/{order.id}/complete", {"success": True}).status_code == 200


def test_an_expired_claim_consumes_an_attempt_and_the_last_one_fails_the_order(builder, notices):
    agent, api = builder
    order = make_work_order(max_retries=1, claim_timeout_seconds=60)
    claim(api, agent, order)
    assert release_stale_claims(now=timezone.now() + timedelta(seconds=59)) == 0
    assert release_stale_claims(now=timezone.now() + timedelta(seconds=61)) == 1
    order.refresh_from_db()
    assert (order.status, order.retry_count, order.claimed_by_id) == ("PENDING", 1, None)
    assert AuditLog.objects.get(action="workorder.claim_expired").actor_type == "system"
    claim(api, agent, order)
    assert release_stale_claims(now=timezone.now() + timedelta(seconds=61)) == 1
    entry = WorkOrderLogEntry.objects.get()
    assert entry.success is False
    assert "No attempts are left" in entry.result_message
    assert notices[-1][0] == "workorder.failed"


def test_renewing_extends_the_claim_by_its_time_out(builder):
    agent, api = builder
    order = make_work_order(claim_timeout_seconds=60)
    token = claim(api, agent, order).json()["claim_token"]
    WorkOrder.objects.update(claim_expires_at=timezone.now())
    response = api.post(f"/work-orders/{order.id}/renew", {"claim_token": token})
    assert response.status_code == 200
    assert release_stale_claims(now=timezone.now() + timedelta(seconds=55)) == 0
    assert api.post(f"/work-orders/{order.id}/renew").status_code == 200
    _, other_api = make_agent(labels=["builder"])
    refused(other_api.post(f"/work-orders/{order.id}/renew"), 403, "work_order_not_claimed_by_agent")


def test_a_cancelled_order_is_gone_but_for_the_audit_log(admin, builder):
    agent, api = builder
    order = make_work_order()
    claim(api, agent, order)
    assert admin.delete(f"/work-orders/{order.id}").status_code == 204
    refused(admin.delete(f"/work-orders/{order.id}"), 404, "work_order_not_found")
    refused(api.post(f"/work-orders/{order.id}/complete", {"success": True}), 404, "work_order_not_found")
    assert not WorkOrderLogEntry.objects.exists()
    row = AuditLog.objects.get(action="workorder.cancelled")
    assert (row.resource_id, row.details) == (
        order.id,
        {"work_type": "build", "status": "CLAIMED", "retry_count": 0},
    )
    refused(api.delete(f"/work-orders/{order.id}"), 403, "admin_required")


def test_an_order_that_has_moved_on_is_not_cancelled_by_who_saw_it_before(admin, builder):
    order = make_work_order()
    path = f"/work-orders/{order.id}"
    seen = admin.get(path)["ETag"]
    claim(builder[1], builder[0], order)
    refused(admin.delete(path, headers={"If-Match": seen}), 412, "precondition_failed")
    assert admin.delete(path, headers={"If-Match": admin.get(path)["ETag"]}).status_code == 204


def test_deleting_the_claimant_releases_its_claim(builder):
    agent, api = builder
    order = make_work_order()
    claim(api, agent, order)
    delete_agent(agent=agent, actor=SYSTEM)
    order.refresh_from_db()
    assert (order.status, order.claimed_by_id) == ("PENDING", None)
    other, other_api = make_agent(labels=["builder"])
    assert claim(other_api, other, order).status_code == 200


def test_a_deleted_agent_claims_nothing(admin, builder):
    agent, _ = builder
    order = make_work_order(targeting=Targeting([agent.id]))
    delete_agent(agent=agent, actor=SYSTEM)
    refused(claim(admin, agent, order), 404, "work_order_not_claimable")
    assert admin.get(f"/agents/{agent.id}/work-orders/pending").json() == []


def test_an_order_sent_again_from_the_log_has_its_targeting_and_limits(builder):
    agent, api = builder
    order = make_work_order(
        targeting=Targeting([agent.id], ["builder"], {"k": "v"}), max_retries=0, backoff_seconds=7
    )
    claim(api, agent, order)
    api.post(f"/work-orders/{order.id}/complete", {"success": False})
    again = requeue_from_log(entry_id=order.id, actor=SYSTEM, now=timezone.now())
    assert again.id != order.id
    assert (again.max_retries, again.backoff_seconds, again.status) == (0, 7, "PENDING")
    assert list(again.labels.values_list("label", flat=True)) == ["builder"]
    assert claim(api, agent, again).status_code == 200


def test_metrics_tell_the_orders_and_the_oldest_pending(admin):
    make_work_order(now=timezone.now() - timedelta(seconds=300))
    text = admin.get("/metrics").content.decode()
    assert 'brokkr_work_orders{status="PENDING",work_type="build"} 1.0' in text
    age = next(
        line for line in text.splitlines() if line.startswith("brokkr_work_order_oldest_pending_age_seconds ")
    )
    assert float(age.split()[1]) >= 300
