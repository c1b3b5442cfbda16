"""What an operator does with a stack: publish, compare, roll back, and ask who gets it and why not."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.world import manifest

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.xdist_group("browser")]

MASKED = '"********"'


def tab(page: Page, title: str) -> None:
    page.locator("#tabs-items").get_by_role("link", name=title).click()


def test_an_operator_publishes_compares_and_rolls_back(log_in, site):
    page = log_in("olaf")
    page.goto(site.stack("billing"))
    tab(page, "Publish")
    source = page.locator("textarea[name=manifest]")
    expect(source).to_have_value(manifest(2, MASKED))

    source.fill("a: [\n")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Nothing was published")).to_be_visible()
    page.locator(".brokkr-excerpt").click()
    assert page.evaluate("document.activeElement.name") == "manifest"

    source.fill(manifest(3, MASKED))
    page.get_by_role("button", name="Check and compare").click()
    expect(page.locator("td.new mark")).to_have_text("3")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published: #")).to_be_visible()
    expect(page.locator(".brokkr-table tbody tr")).to_have_count(3)
    expect(page.locator(".brokkr-table tbody tr").first).to_contain_text("olaf")

    rows = page.locator(".brokkr-table tbody tr")
    rows.nth(2).get_by_role("radio").first.check()
    rows.nth(0).get_by_role("radio").last.check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("td.old mark")).to_have_text("1")
    expect(page.get_by_text("hidden value changed")).to_be_visible()
    assert "hunter" not in page.content()

    rows.nth(2).get_by_role("link", name="Roll back to this").click()
    page.get_by_role("button", name="Roll back to").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("Reason").fill("version 3 crashes")
    page.get_by_role("button", name="Roll back to").click()
    expect(page.get_by_text("Published again")).to_be_visible()
    expect(page.locator(".brokkr-table tbody tr").first).to_contain_text("version 3 crashes")


def test_a_viewer_looks_and_cannot_publish(log_in, site):
    page = log_in("vera")
    page.goto(site.stack("orders"))
    expect(page.locator("#tabs-items")).to_contain_text("History")
    expect(page.locator("#tabs-items")).not_to_contain_text("Publish")
    tab(page, "History")
    expect(page.get_by_role("link", name="Roll back to this")).to_have_count(0)
    expect(page.get_by_role("button", name="Show hidden values")).to_have_count(0)
    answer = page.goto(site.stack("orders", "publish"))
    assert answer is not None
    assert answer.status == 403


def test_only_an_admin_is_shown_hidden_values(log_in, site):
    page = log_in("ada")
    page.goto(site.stack("orders", "objects"))
    page.get_by_role("button", name="Show hidden values").click()
    expect(page.locator("td.new").last).to_contain_text("hunter2")
    page.goto(f"{site.url}/admin/audit/auditlog/?action=deployment.revealed")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)


def test_an_operator_previews_a_label(log_in, site):
    page = log_in("olaf")
    page.goto(site.stack("orders"))
    tab(page, "Who gets this?")
    expect(page.locator("table")).to_contain_text("orion")
    page.get_by_label("With the label").fill("soon")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("[aria-current]")).to_have_text("Would newly get it 1")
    expect(page.locator("table")).to_contain_text("pavo")


def test_a_stacks_outcomes_lead_to_the_reason_why_it_is_not_deployed(log_in, site):
    page = log_in("vera")
    page.goto(site.stack("orders"))
    tab(page, "Outcomes")
    expect(page.locator("table")).to_contain_text("pending")
    page.get_by_role("link", name="Why?").click()
    expect(page.get_by_role("status")).to_have_text("The agent does nothing before it is activated.")
    page.get_by_role("link", name="orion").first.click()
    tab(page, "Why isn't it deployed?")
    expect(page.get_by_text("Choose a stack")).to_be_visible()
