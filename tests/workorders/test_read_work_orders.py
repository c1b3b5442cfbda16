from datetime import timedelta

import pytest

from core.events import SYSTEM, Actor
from paks.actors import ActorType
from tests.factories import make_agent, make_generator, make_work_order
from tests.support.api import refused
from workorders.models import WorkOrder, WorkOrderLabel
from workorders.services.claims import claim_work_order, complete_work_order
from workorders.services.targeting import Targeting

pytestmark = pytest.mark.django_db
ADMIN = Actor(type=ActorType.ADMIN)


def finished(now, success: bool = True, message: str | None = "done"):  # noqa: FBT001
    agent, _ = make_agent(labels=["builder"])
    order = make_work_order(max_retries=0)
    claim_work_order(work_order_id=order.id, agent_id=agent.id, actor=SYSTEM, now=now)
    entry = complete_work_order(
        work_order_id=order.id,
        success=success,
        message=message,
        retryable=True,
        claim_token=None,
        actor=ADMIN,
        now=now,
    )
    assert entry is not None
    return agent, entry


def test_the_list_is_newest_first_and_filtered_by_status_and_type(admin, now):
    first = make_work_order(now=now)
    second = make_work_order(work_type="custom", now=now + timedelta(seconds=1))
    assert [o["id"] for o in admin.get("/work-orders").json()] == [str(second.id), str(first.id)]
    assert [o["id"] for o in admin.get("/work-orders?work_type=build").json()] == [str(first.id)]
    assert admin.get("/work-orders?status=CLAIMED").json() == []
    assert len(admin.get("/work-orders?status=PENDING").json()) == 2


def test_an_active_order_is_read_with_its_etag(admin):
    order = make_work_order()
    response = admin.get(f"/work-orders/{order.id}")
    assert response.json()["status"] == "PENDING"
    again = admin.get(f"/work-orders/{order.id}", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(("success", "status"), [(True, "COMPLETED"), (False, "FAILED")])
def test_a_finished_order_is_shown_from_the_log(admin, success, status, now):
    agent, entry = finished(now, success)
    order = admin.get(f"/work-orders/{entry.id}").json()
    assert order["status"] == status
    assert order["claimed_by"] == str(agent.id)
    assert (order["max_retries"], order["backoff_seconds"], order["claim_timeout_seconds"]) == (0, 0, 0)
    assert order["last_error"] == (None if success else "done")
    assert (order["last_error_at"] is None) == success


def test_an_unknown_order_is_not_found(admin):
    unknown = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
    refused(admin.get(f"/work-orders/{unknown}"), 404, "work_order_not_found")
    refused(admin.get(f"/work-order-log/{unknown}"), 404, "work_order_log_entry_not_found")


def test_the_log_is_filtered_by_type_outcome_and_agent(admin, now):
    agent, good = finished(now)
    _, bad = finished(now, success=False)
    assert [e["id"] for e in admin.get("/work-order-log?success=true").json()] == [str(good.id)]
    assert [e["id"] for e in admin.get("/work-order-log?success=false").json()] == [str(bad.id)]
    assert [e["id"] for e in admin.get(f"/work-order-log?agent_id={agent.id}").json()] == [str(good.id)]
    assert admin.get("/work-order-log?work_type=custom").json() == []
    assert len(admin.get("/work-order-log?limit=1").json()) == 1
    refused(admin.get("/work-order-log?success=maybe"), 400, "invalid_query")


def test_a_log_entry_is_read_by_id(admin, now):
    agent, entry = finished(now, message="sha256:abc")
    body = admin.get(f"/work-order-log/{entry.id}").json()
    assert (body["success"], body["result_message"], body["claimed_by"]) == (
        True,
        "sha256:abc",
        str(agent.id),
    )
    assert set(body) == {
        "id", "work_type", "created_at", "claimed_at", "completed_at", "claimed_by", "success",
        "retries_attempted", "result_message", "yaml_content",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/work-orders", "/work-order-log"])
def test_only_an_admin_reads_orders_and_the_log(path):
    refused(make_generator()[1].get(path), 403, "admin_required")
    refused(make_agent()[1].get(path), 403, "admin_required")


def test_an_agent_sees_the_pending_orders_it_may_claim_oldest_first(admin, now):
    agent, api = make_agent(labels=["builder"], annotations={"arch": "arm64"})
    second = make_work_order(now=now + timedelta(seconds=1))
    first = make_work_order(targeting=Targeting([agent.id]), now=now)
    third = make_work_order(
        targeting=Targeting(annotations={"arch": "arm64"}), now=now + timedelta(seconds=2), work_type="custom"
    )
    make_work_order(targeting=Targeting(labels=["other"]))
    make_work_order(targeting=Targeting(annotations={"arch": "amd64"}))
    path = f"/agents/{agent.id}/work-orders/pending"
    assert [o["id"] for o in api.get(path).json()] == [str(first.id), str(second.id), str(third.id)]
    assert [o["id"] for o in api.get(f"{path}?work_type=custom").json()] == [str(third.id)]
    assert [o["id"] for o in admin.get(path).json()] == [str(first.id), str(second.id), str(third.id)]
    other, _ = make_agent()
    refused(api.get(f"/agents/{other.id}/work-orders/pending"), 403, "agent_pak_mismatch")
    refused(make_generator()[1].get(path), 403, "agent_pak_mismatch")


def test_an_order_that_matches_in_three_ways_is_listed_once():
    agent, api = make_agent(labels=["a", "b"], annotations={"k": "v"})
    make_work_order(targeting=Targeting([agent.id], ["a", "b"], {"k": "v"}))
    assert len(api.get(f"/agents/{agent.id}/work-orders/pending").json()) == 1


@pytest.mark.parametrize("orders", [10, 10_000])
def test_pending_costs_the_same_number_of_queries_for_any_number_of_orders(orders, django_assert_num_queries):
    agent, api = make_agent(labels=["builder"])
    rows = WorkOrder.objects.bulk_create(
        WorkOrder(work_type="build", yaml_content="kind: Build") for _ in range(orders)
    )
    WorkOrderLabel.objects.bulk_create(WorkOrderLabel(work_order=row, label="builder") for row in rows)
    api.post("/auth/pak")
    with django_assert_num_queries(
        5
    ):  # whether there is any, the key, the agent's labels and annotations, the orders
        assert len(api.get(f"/agents/{agent.id}/work-orders/pending").json()) == orders
