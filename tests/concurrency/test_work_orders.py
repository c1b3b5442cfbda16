"""Several workers, claimants and finishers of the same orders at once, on PostgreSQL."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction

from agents.services.agents import delete_agent, lock_agent
from audit.models import AuditLog
from core.errors import DomainError
from core.events import SYSTEM
from tests.factories import make_agent, make_work_order
from tests.support.threads import call, statuses, together
from workorders.models import Status, WorkOrder, WorkOrderLogEntry
from workorders.services.claims import claim_work_order
from workorders.services.expiry import release_stale_claims, requeue_due_retries

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requires_postgres]

ORDERS = 24
WORKERS = 4


@pytest.fixture
def builder():
    return make_agent(labels=["builder"])


def claimed(now, agent, **fields):
    order = make_work_order(now=now, **fields)
    return claim_work_order(work_order_id=order.id, agent_id=agent.id, actor=SYSTEM, now=now)


def claim_path(order):
    return f"/work-orders/{order.id}/claim"


def test_workers_that_release_the_same_claims_consume_one_attempt_of_each(builder, monkeypatch, now):
    # Small steps, so that the workers meet in every one of them.
    monkeypatch.setattr("workorders.services.expiry._BATCH", 5)
    last_attempt = {claimed(now, builder[0], max_retries=0).id for _ in range(ORDERS)}
    more_to_come = {claimed(now, builder[0], max_retries=1).id for _ in range(ORDERS)}

    released = together(*[lambda: release_stale_claims(now=now + timedelta(days=1))] * WORKERS)

    assert sum(released) == 2 * ORDERS
    assert dict(WorkOrder.objects.values_list("id", "retry_count")) == dict.fromkeys(more_to_come, 1)
    assert not WorkOrder.objects.exclude(status=Status.PENDING)
    assert set(WorkOrderLogEntry.objects.values_list("id", flat=True)) == last_attempt
    actions = Counter(AuditLog.objects.values_list("action", flat=True))
    assert (actions["workorder.claim_expired"], actions["workorder.failed"]) == (ORDERS, ORDERS)


def test_workers_that_requeue_the_same_retries_requeue_each_once(monkeypatch, now):
    monkeypatch.setattr("workorders.services.expiry._BATCH", 5)
    for _ in range(ORDERS):
        make_work_order(now=now)
    WorkOrder.objects.update(status=Status.RETRY_PENDING, next_retry_after=now, retry_count=1)

    requeued = together(*[lambda: requeue_due_retries(now=now + timedelta(days=1))] * WORKERS)

    assert sum(requeued) == ORDERS
    assert set(WorkOrder.objects.values_list("status", "retry_count")) == {(Status.PENDING, 1)}


def test_of_simultaneous_claims_of_one_order_one_succeeds():
    order = make_work_order()
    agents = [make_agent(labels=["builder"]) for _ in range(8)]

    responses = together(
        *[call(api, "POST", claim_path(order), {"agent_id": str(agent.id)}) for agent, api in agents]
    )

    assert statuses(responses) == [200] + [404] * 7
    assert {r.json()["code"] for r in responses if r.status_code == 404} == {"work_order_not_claimable"}
    (winner,) = [agent for (agent, _), r in zip(agents, responses, strict=True) if r.status_code == 200]
    order.refresh_from_db()
    assert order.claimed_by_id == winner.id


def test_of_two_reports_of_one_claim_one_ends_it(builder, now):
    order = claimed(now, builder[0])
    body = {"success": True, "claim_token": str(order.claim_token)}

    responses = together(*[call(builder[1], "POST", f"/work-orders/{order.id}/complete", body)] * 2)

    assert statuses(responses) == [200, 404]
    assert WorkOrderLogEntry.objects.count() == 1
    assert not WorkOrder.objects.exists()


def test_a_report_and_the_end_of_its_claim_do_not_both_count(builder, now):
    orders = [claimed(now, builder[0], max_retries=0) for _ in range(6)]

    def report():
        return [
            builder[1]
            .post(
                f"/work-orders/{order.id}/complete",
                {"success": True, "claim_token": str(order.claim_token)},
            )
            .status_code
            for order in orders
        ]

    answers, _ = together(report, lambda: release_stale_claims(now=now + timedelta(days=1)))

    assert not WorkOrder.objects.exists()
    succeeded = dict(WorkOrderLogEntry.objects.values_list("id", "success"))
    assert [succeeded[order.id] for order in orders] == [status == 200 for status in answers]


def test_cancelling_and_completing_at_once_leave_the_order_in_one_place_or_none(admin, builder, now):
    order = claimed(now, builder[0])

    done, cancelled = together(
        call(builder[1], "POST", f"/work-orders/{order.id}/complete", {"success": True}),
        call(admin, "DELETE", f"/work-orders/{order.id}"),
    )

    assert (done.status_code, cancelled.status_code) in {(200, 404), (404, 204)}
    assert WorkOrderLogEntry.objects.exists() == (done.status_code == 200)
    assert not WorkOrder.objects.exists()


def test_an_agent_that_is_deleted_while_it_claims_holds_nothing_afterwards(builder, now):
    agent, _ = builder
    order = make_work_order()

    def claim():
        try:
            return claim_work_order(work_order_id=order.id, agent_id=agent.id, actor=SYSTEM, now=now).status
        except DomainError as refusal:
            return refusal.code

    def delete():
        with transaction.atomic():
            delete_agent(agent=lock_agent(agent.id), actor=SYSTEM)
        return "deleted"

    answers = together(claim, delete)

    order.refresh_from_db()
    assert (order.status, order.claimed_by_id) == (Status.PENDING, None)
    assert order.retry_count == (answers[0] == Status.CLAIMED)
