"""Logging in, the first page, and the pages beside the admin, in a real browser."""

from itertools import count
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.browser.layout import expect_no_wider

pytestmark = pytest.mark.live

_numbers = count(1)


@pytest.fixture(autouse=True)
def newcomer(site) -> str:
    """An agent that nobody has heard of; its id."""
    name = f"newcomer-{next(_numbers)}"
    agent_id: str = site.post("/agents", {"name": name, "cluster_name": "test"})["agent"]["id"]
    return agent_id


def wait_for_refresh(page: Page) -> None:
    """Wait until the control room has been refreshed once more."""
    before = page.locator("#room > *").first.element_handle()
    with page.expect_response("**/admin/room/") as answer:
        pass
    assert answer.value.status == 200
    page.wait_for_function("old => !old.isConnected", arg=before)


def test_the_control_room_refreshes_by_itself_but_not_under_the_reader(as_user, site):
    page = as_user("viewer")
    page.goto("")
    wait_for_refresh(page)
    card = page.locator("#room a").first
    expect(card).to_be_visible()
    card.focus()
    element = card.element_handle()
    assert page.evaluate("element => document.activeElement === element", element)
    asks = page.locator("#room").get_attribute("hx-trigger")
    assert asks is not None
    condition = asks.removeprefix("every 10s [").removesuffix("]")
    assert page.evaluate(condition) is False


def test_the_refresh_keeps_the_place_and_does_not_take_away_what_is_selected(as_user, site):
    page = as_user("viewer")
    page.set_viewport_size({"width": 1280, "height": 300})
    page.goto("")
    page.evaluate("scrollTo(0, 170)")
    wait_for_refresh(page)
    assert page.evaluate("scrollY") == 170
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#room'))")
    condition = (page.locator("#room").get_attribute("hx-trigger") or "").partition("[")[2].removesuffix("]")
    assert page.evaluate(condition) is False


def test_a_wrong_password_is_told_and_the_right_one_opens_the_page_that_was_asked_for(window, site):
    page = window()
    page.goto("agents/agent/")
    for password in ("a guess", PASSWORD):
        page.get_by_label("Username").fill("viewer")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        if password == "a guess":
            expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
    page.wait_for_url(f"{site.server.url}/admin/agents/agent/")


def test_the_numbers_of_the_first_page_lead_to_their_lists(as_user, site):
    page = as_user("viewer")
    page.goto("")
    figure = page.get_by_role("link", name="never seen")
    number = figure.locator("strong").inner_text()
    assert int(number) > 0
    figure.click()
    page.wait_for_url(f"{site.server.url}/admin/agents/agent/?heard=never")
    # A page has fifty rows; the agents of other tests are among them.
    expect(page.locator("#result_list tbody tr")).to_have_count(min(int(number), 50))


def test_the_first_page_can_be_used_from_the_keyboard(as_user, site):
    page = as_user("viewer")
    page.goto("")
    page.get_by_role("link", name="never seen").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.server.url}/admin/agents/agent/?heard=never")


def test_on_a_phone_nothing_is_wider_than_the_screen(as_user, newcomer):
    page = as_user("viewer")
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("", f"agents/agent/{newcomer}/change/", f"agents/agent/{newcomer}/stacks/", "agents/agent/"):
        page.goto(path)
        expect_no_wider(page, 390)


def test_pages_keep_to_the_policy_in_the_dark_too(as_user):
    page = as_user("admin")
    page.emulate_media(color_scheme="dark")
    for path in ("", "agents/agent/", "agents/agent/add/", "auth/user/add/", "deployments/"):
        assert page.goto(path, wait_until="networkidle").status == 200
        expect(page.locator("html")).to_have_class("dark")


def test_the_api_explorer_works_under_its_policy_and_calls_with_a_key(window, site):
    page = window()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f"{site.server.url}/swagger-ui")
    expect(page.get_by_role("heading", name="Brokkr broker")).to_be_visible()
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("auth-bearer-value").fill(site.api.headers["Authorization"].removeprefix("Bearer "))
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()
    operation = page.locator(".opblock-get").first
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    assert hosts == {urlsplit(site.server.url).netloc}


def test_the_api_explorer_is_dark_where_the_system_is(window, site):
    page = window()
    page.emulate_media(color_scheme="dark")
    page.goto(f"{site.server.url}/swagger-ui")
    expect(page.get_by_role("heading", name="Brokkr broker")).to_be_visible()
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.swagger-ui')).backgroundColor")
        == "rgb(28, 32, 34)"
    )
