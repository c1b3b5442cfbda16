"""Logging in, the first page, and the pages beside the admin, in a real browser."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.xdist_group("browser")]


def test_a_wrong_password_is_told_and_the_right_one_opens_the_page_that_was_asked_for(window, site):
    page = window()
    page.goto(f"{site.url}/admin/agents/agent/")
    for password in ("a guess", "only for these tests"):
        page.get_by_label("Username").fill("vera")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        if password == "a guess":
            expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
    page.wait_for_url(f"{site.url}/admin/agents/agent/")


def test_the_numbers_of_the_first_page_lead_to_their_lists(log_in, site):
    page = log_in("vera")
    page.goto(f"{site.url}/admin/")
    figure = page.get_by_role("link", name="never seen")
    count = figure.locator("strong").inner_text()
    figure.click()
    page.wait_for_url(f"{site.url}/admin/agents/agent/?heard=never")
    expect(page.locator("#result_list tbody tr")).to_have_count(int(count))


def test_a_failing_deployment_is_on_the_first_page_and_leads_to_its_agent(log_in, site):
    page = log_in("vera")
    page.goto(f"{site.url}/admin/")
    row = page.get_by_role("row").filter(has_text="ImagePullBackOff").first
    expect(row).to_contain_text("shop")
    row.get_by_role("link", name="boreas").click()
    page.wait_for_url(site.agent("boreas"))


def test_the_first_page_can_be_used_from_the_keyboard(log_in, site):
    page = log_in("vera")
    page.goto(f"{site.url}/admin/")
    figure = page.get_by_role("link", name="stacks").first
    figure.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/admin/stacks/stack/")


def test_a_bar_of_the_chart_leads_to_the_reports_of_its_hour(log_in, site):
    page = log_in("vera")
    page.goto(f"{site.url}/admin/")
    page.locator(".brokkr-chart a").last.click()
    expect(page.locator("#result_list tbody tr").first).to_contain_text("boreas")


def test_on_a_phone_nothing_is_wider_than_the_screen(log_in, site):
    page = log_in("vera")
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/admin/", f"/admin/agents/agent/{site.ids['boreas']}/change/", "/admin/agents/agent/"):
        page.goto(f"{site.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_pages_keep_to_the_policy_in_the_dark_too(log_in, site):
    page = log_in("ada")
    page.emulate_media(color_scheme="dark")
    for path in ("", "agents/agent/", "agents/agent/add/", "auth/user/add/", "deployments/"):
        assert page.goto(f"{site.url}/admin/{path}", wait_until="networkidle").status == 200
        expect(page.locator("html")).to_have_class("dark")


def test_the_api_explorer_works_under_its_policy(window, site):
    page = window()
    page.goto(f"{site.url}/swagger-ui")
    expect(page.get_by_role("heading", name="Brokkr broker")).to_be_visible()
    expect(page.locator(".opblock").first).to_be_visible()
