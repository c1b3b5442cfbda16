"""Choosing rows of large tables by typing, in a real browser."""

from itertools import count

import pytest
from playwright.sync_api import expect

from tests.browser.choosing import choose

pytestmark = pytest.mark.live

_numbers = count(1)


@pytest.fixture
def agent(site) -> str:
    """The name of an agent."""
    name = f"chosen-{next(_numbers)}"
    site.post("/agents", {"name": name, "cluster_name": "test"})
    return name


def test_a_webhook_is_limited_to_an_agent_that_is_found_by_its_name(as_user, agent):
    page = as_user("admin")
    page.goto("webhooks/subscription/add/")
    page.get_by_label("Name").fill(f"about {agent}")
    page.get_by_label("URL").fill("https://hooks.example.com/")
    page.get_by_label("Event types").fill("agent.silent")
    choose(page, page.locator("#id_agent_id + .select2"), agent)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.locator("#id_agent_id + .select2")).to_contain_text(agent)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    expect(page.locator("#id_agent_id + .select2")).to_contain_text(agent)


def test_who_could_claim_an_order_is_asked_twice_of_the_same_choice(as_user, agent):
    page = as_user("operator")
    page.goto("workorders/workorder/add/")
    page.get_by_label("Work type").fill("build")
    page.get_by_label("YAML").fill("kind: Build")
    choose(page, page.locator("#id_agents + .select2"), agent)
    for _ in range(2):
        with page.expect_navigation():
            page.get_by_role("button", name="Which agents could claim it?").click()
        expect(page.get_by_role("status")).to_contain_text(agent)
