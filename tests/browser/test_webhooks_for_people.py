"""A webhook for people in a real browser: its example, and the test that is sent."""

from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import complaints_of, press, tab_to

pytestmark = pytest.mark.live

_numbers = count(1)


def example(page: Page):
    return page.locator("#webhook-preview")


@pytest.mark.parametrize("user", ["operator", "admin"])
def test_the_example_follows_the_choice_by_the_keyboard_alone(as_user_on_screens, user):
    page = as_user_on_screens(user)
    page.goto("webhooks/subscription/add/")
    expect(example(page)).to_contain_text('"event_type": "deployment.failed"')
    tab_to(page, page.get_by_role("radio", name="standard"))
    page.keyboard.press("ArrowDown")
    expect(example(page)).to_contain_text("plain_text")
    page.keyboard.press("ArrowDown")
    expect(example(page)).to_contain_text("AdaptiveCard")
    page.keyboard.press("ArrowDown")
    expect(example(page)).to_contain_text("text/plain")
    expect(example(page)).to_contain_text("Agent edge-01 could not apply stack web-shop")


def test_a_saved_webhook_is_tested_with_its_button(as_user_on_screens):
    page = as_user_on_screens("operator")
    name = f"team-{next(_numbers)}"
    page.goto("webhooks/subscription/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("URL").fill("http://127.0.0.1:8080/")
    page.get_by_label("Event types").fill("agent.*")
    page.get_by_role("radio", name="slack").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("radio", name="slack")).to_be_checked()
    expect(example(page)).to_contain_text("plain_text")
    page.goto(page.url.replace("change/", "test/"))
    press(page, page.get_by_role("button", name="Send"))
    # Nobody may be sent to this address, and the page says so.
    expect(page.get_by_text("is not public")).to_be_visible()


def test_a_viewer_sees_the_format_and_its_example_and_changes_nothing(as_user_on_screens, site):
    name = f"seen-{next(_numbers)}"
    made = site.post(
        "/webhooks",
        {"name": name, "url": "https://hooks.example.com/", "event_types": ["*"], "format": "teams"},
    )
    page = as_user_on_screens("viewer")
    page.goto(f"webhooks/subscription/{made['id']}/change/")
    expect(example(page)).to_contain_text("AdaptiveCard")
    expect(page.get_by_role("radio")).to_have_count(0)
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)


def test_axe_reports_nothing_on_the_form(as_user_on_screens, site):
    page = as_user_on_screens("admin")
    made = site.post(
        "/webhooks",
        {
            "name": f"axe-{next(_numbers)}",
            "url": "https://hooks.example.com/",
            "event_types": ["*"],
            "format": "slack",
        },
    )
    paths = ("webhooks/subscription/add/", f"webhooks/subscription/{made['id']}/change/")
    found = [line for path in paths for line in complaints_of(page, path)]
    assert "\n".join(found) == ""
