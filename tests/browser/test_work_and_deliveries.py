"""What an operator does with work orders and with webhook deliveries that died, in a real browser."""

from itertools import count
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.live

_numbers = count(1)
REFUSED = "You may not do that here"


@pytest.fixture
def order(site) -> dict[str, str]:
    """A pending work order of a type of its own, with its page."""
    work_type = f"prune-{next(_numbers)}"
    body = {"work_type": work_type, "yaml_content": "kind: Job\n", "targeting": {"labels": ["nobody"]}}
    order_id = site.post("/work-orders", body)["id"]
    return {"id": order_id, "type": work_type, "page": f"workorders/workorder/{order_id}"}


@pytest.fixture
def dead(site) -> dict[str, str]:
    """A delivery that an agent could not make in its only attempt, with its page."""
    label = f"edge-{next(_numbers)}"
    webhook = site.post(
        "/webhooks",
        {
            "name": label,
            "url": "https://hooks.example.com/orders",
            "event_types": ["workorder.created"],
            "target_labels": [label],
            "max_retries": 1,
        },
    )
    made = site.post("/agents", {"name": f"carrier-{label}", "cluster_name": "test"})
    agent_id, key = made["agent"]["id"], {"Authorization": f"Bearer {made['initial_pak']}"}
    site.post(f"/agents/{agent_id}/labels", {"label": label, "agent_id": agent_id})
    site.post("/work-orders", {"work_type": label, "yaml_content": "a: b", "targeting": {"labels": [label]}})
    with httpx.Client(base_url=site.api.base_url, headers=key, timeout=60) as agent:
        (delivery,) = agent.get(f"/agents/{agent_id}/webhooks/pending").json()
        outcome = {"success": False, "status_code": 503, "error": "being restarted"}
        agent.post(f"/webhook-deliveries/{delivery['id']}/result", json=outcome).raise_for_status()
    page = f"webhooks/delivery/{delivery['id']}"
    return {"id": delivery["id"], "webhook": webhook["id"], "page": page}


def state_of(site: Any, delivery: dict[str, str]) -> str:
    rows = site.api.get(f"/webhooks/{delivery['webhook']}/deliveries").json()
    return next(str(row["status"]) for row in rows if row["id"] == delivery["id"])


def test_an_operator_cancels_a_work_order_after_a_page_that_says_what_that_means(as_user, site, order):
    page = as_user("operator")
    page.goto("workorders/workorder/")
    page.get_by_role("row", name=order["type"]).get_by_role("link", name=order["type"]).click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("It is removed for good")).to_be_visible()
    assert site.api.get(f"/work-orders/{order['id']}").status_code == 200
    page.get_by_label("Reason").fill("they were for the old clusters")
    page.get_by_role("button", name="Cancel order").click()
    expect(page.get_by_text("Cancelled:")).to_be_visible()
    expect(page.get_by_role("row", name=order["type"])).to_have_count(0)
    assert site.api.get(f"/work-orders/{order['id']}").status_code == 404


def test_an_operator_sends_a_dead_delivery_again(as_user, site, dead):
    page = as_user("operator")
    page.goto(f"webhooks/delivery/?q={dead['id']}&status__exact=dead")
    page.locator("#result_list tbody tr").get_by_role("link", name="workorder.created").click()
    expect(page.get_by_text("being restarted")).to_be_visible()
    assert state_of(site, dead) == "dead"
    page.get_by_role("link", name="Send again").click()
    expect(page.get_by_text("sent again under its id")).to_be_visible()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("Sent again soon")).to_be_visible()
    assert state_of(site, dead) == "pending"


def test_a_viewer_finds_neither_button_and_is_refused_behind_them(as_user, site, order, dead):
    page = as_user("viewer")
    for row, slug, button in ((order, "cancel", "Cancel"), (dead, "redeliver", "Send again")):
        page.goto(f"{row['page']}/change/")
        expect(page.get_by_role("link", name=button)).to_have_count(0)
        answer = page.goto(f"{row['page']}/{slug}/")
        assert answer is not None
        assert (slug, answer.status) == (slug, 403)
        expect(page.get_by_role("heading", name=REFUSED)).to_be_visible()
    assert state_of(site, dead) == "dead"
    assert site.api.get(f"/work-orders/{order['id']}").status_code == 200
