"""What an operator does with a template: try it out while typing, and add a version."""

import pytest
from playwright.sync_api import expect

from tests.browser.world import TEMPLATE

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.xdist_group("browser")]


def test_the_preview_follows_what_is_typed(log_in, site):
    page = log_in("olaf")
    page.goto(site.template("web", "new-version"))
    result, name = page.locator("#preview-result"), page.locator("[name='parameter:/name']")
    expect(result).to_contain_text("Fill in the parameters")

    name.fill("Shop")
    expect(result).to_contain_text("/name: ")
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("shop")
    expect(result.locator("pre")).to_contain_text("name: shop")
    expect(result.locator("pre")).to_contain_text("replicas: 2")
    expect(name).to_have_value("shop")

    source = page.locator("[name=template_content]")
    source.fill("kind: Namespace\nname: {{ nothing }}\n")
    expect(result).to_contain_text("(line 2, column 10)")
    result.locator(".brokkr-excerpt").click()
    assert page.evaluate("document.activeElement.name") == "template_content"

    page.locator("[name=parameters_schema]").fill('{"properties": {"tier": {"enum": ["web", "batch"]}}}')
    tier = page.locator("select[name='parameter:/tier']")
    tier.select_option("batch")
    source.fill("tier: {{ tier }}\n")
    expect(result.locator("pre")).to_contain_text("tier: batch")


def test_a_version_is_added_and_compared(log_in, site):
    page = log_in("olaf")
    page.goto(site.template("jobs", "new-version"))
    page.locator("[name=template_content]").fill(TEMPLATE.replace("Namespace", "Project"))
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Saved: ")).to_be_visible()
    page.locator("#tabs-items").get_by_role("link", name="Versions").click()
    expect(page.locator("td.old mark")).to_have_text("Namespace")
    expect(page.locator("td.new mark")).to_have_text("Project")


def test_the_button_previews_where_the_pages_script_does_not_run(log_in, site):
    page = log_in("vera")
    page.route("**/preview.js", lambda route: route.fulfill(content_type="text/javascript", body=""))
    page.goto(site.template("web", "preview"))
    page.locator("[name='parameter:/name']").fill("shop")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview-result pre")).to_contain_text("name: shop")
    expect(page.locator("[name='parameter:/name']")).to_have_value("shop")


def test_a_viewer_tries_out_and_adds_nothing(log_in, site):
    page = log_in("vera")
    page.goto(site.template("web", "preview"))
    page.locator("[name='parameter:/name']").fill("shop")
    expect(page.locator("#preview-result pre")).to_contain_text("name: shop")
    expect(page.locator("#tabs-items")).not_to_contain_text("New version")
    answer = page.goto(site.template("web", "new-version"))
    assert answer is not None
    assert answer.status == 403
