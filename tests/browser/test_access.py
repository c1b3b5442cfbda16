"""The frame of every page can be used by screen readers and by the keyboard alone. The pages: test_every_page.py."""

from itertools import count
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import complaints, complaints_of, press

pytestmark = pytest.mark.live

_numbers = count(1)
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{password: '{}'}}\n"


@pytest.fixture
def failing(site) -> dict[str, Any]:
    """An agent on which a stack with two versions fails."""
    number = next(_numbers)
    made = site.post("/agents", {"name": f"access-{number}", "cluster_name": "far"})
    generator = site.post("/generators", {"name": f"access-ci-{number}"})["generator"]
    stack = site.post("/stacks", {"name": f"access-shop-{number}", "generator_id": generator["id"]})
    site.post(f"/agents/{made['agent']['id']}/targets", {"stack_id": stack["id"]})
    for version in range(2):
        obj = site.post(
            f"/stacks/{stack['id']}/deployment-objects", {"yaml_content": SECRET.format(f"value {version}")}
        )
    event = {"deployment_object_id": obj["id"], "event_type": "DEPLOY", "status": "FAILURE"}
    agent = {"Authorization": f"Bearer {made['initial_pak']}"}
    answer = site.api.post(
        f"/agents/{made['agent']['id']}/events",
        json={**event, "message": f"no image {number}"},
        headers=agent,
    )
    assert answer.status_code == 201, answer.text
    return {"stack": stack, "agent": made["agent"], "message": f"no image {number}"}


def test_axe_reports_nothing_on_the_login_page(window):
    assert complaints_of(window(), "login/") == []


def test_a_failure_is_found_opened_and_its_agents_seen_by_keyboard_alone(as_user_on_screens, failing):
    page = as_user_on_screens("viewer")
    page.goto("")
    page.keyboard.press("Control+k")
    field = page.get_by_role("searchbox", name="Find anything")
    expect(field).to_be_focused()
    # Only keys ask the broker, so it is asked once: what is found for half of the words would make way for the rest.
    page.keyboard.insert_text(failing["message"][:-1])
    page.keyboard.press(failing["message"][-1])
    expect(page.locator("#command-results-list a").first).to_contain_text(failing["stack"]["name"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/stacks/stack/{failing['stack']['id']}/outcomes/?state=failing")
    expect(page.get_by_role("link", name=failing["agent"]["name"]).first).to_be_visible()


def test_the_users_menu_is_opened_used_and_closed_by_keyboard_alone(as_user):
    page = as_user("viewer")
    page.goto("")
    menu = page.get_by_role("button", name="viewer")
    press(page, menu)
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert complaints(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    page.keyboard.press("Enter")
    # It opens with the next frame, and what is not shown is not reached.
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    # Its links stand before it.
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Log out")).to_be_focused()
    page.get_by_role("button", name="Dark").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_class("dark")
    page.get_by_role("button", name="System").press("Enter")


def test_a_list_is_filtered_by_keyboard_alone(as_user, failing):
    page = as_user("viewer")
    page.goto(f"agents/agent/?q={failing['agent']['name']}")
    button = page.get_by_role("button", name="Filters")
    press(page, button)
    # It takes the focus when it is open.
    expect(page.locator("#changelist-filter :focus")).to_have_count(1)
    assert complaints(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#changelist-filter")).to_be_hidden()
    press(page, button)
    expect(page.locator("#changelist-filter :focus")).to_have_count(1)
    press(page, page.get_by_role("button", name="Apply Filters"))
    expect(page.get_by_role("link", name=failing["agent"]["name"]).first).to_be_visible()


def test_the_first_key_leads_past_the_navigation(as_user):
    page = as_user("viewer")
    page.goto("")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_a_group_of_the_sidebar_stays_folded(as_user):
    page = as_user("viewer")
    page.goto("")
    group = page.locator("details[data-group=Broker] > summary")
    group.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Webhook deliveries", exact=True)).to_be_hidden()
    # It is noted a moment after it is folded.
    page.wait_for_function("localStorage.getItem('folded Broker') !== null")
    page.goto("agents/agent/")
    expect(page.get_by_role("link", name="Webhook deliveries", exact=True)).to_be_hidden()
    group.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Webhook deliveries", exact=True)).to_be_visible()
    page.wait_for_function("localStorage.getItem('folded Broker') === null")
