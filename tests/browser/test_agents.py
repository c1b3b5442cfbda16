"""What operators do with agents, in a real browser."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.xdist_group("browser")]


def test_an_operator_activates_an_agent(log_in, site):
    page = log_in("olaf")
    page.goto(site.agent("atlas"))
    expect(page.locator(".brokkr-cards")).to_contain_text("paused")
    page.get_by_role("link", name="Activate").click()
    expect(page.get_by_role("heading", name="Activate agents?")).to_be_visible()
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Activated: atlas")).to_be_visible()
    expect(page.locator(".brokkr-cards")).to_contain_text("active")
    expect(page.get_by_role("link", name="Pause")).to_be_visible()


def test_several_are_paused_after_a_page_that_names_them(log_in, site):
    page = log_in("olaf")
    page.goto(f"{site.url}/admin/agents/agent/?status=active")
    for name in ("draco", "lyra"):
        page.get_by_role("row", name=name).get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option(label="Pause")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="2 agents")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="lyra")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Agents paused: 2.")).to_be_visible()


def test_a_new_key_is_shown_once_can_be_copied_and_ends_the_old_one(log_in, site):
    page = log_in("ada")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(site.agent("cetus"))
    page.get_by_role("link", name="Rotate key").click()
    page.get_by_role("button", name="Rotate key").click()
    key = page.get_by_label("The new key").input_value()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key

    def status(with_key: str) -> int:
        headers = {"Authorization": f"Bearer {with_key}"}
        return httpx.get(f"{site.url}/api/v1/agents/{site.ids['cetus']}", headers=headers).status_code

    assert (status(site.keys["cetus"]), status(key)) == (401, 200)
    page.goto(site.agent("cetus"))
    assert key not in page.content()


def test_a_label_brings_a_stack_and_the_page_says_why(log_in, site):
    page = log_in("olaf")
    page.goto(site.agent("mensa", "stacks"))
    expect(page.get_by_text("No stack is tied to this agent.")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    page.get_by_text("Add another Label").click()
    page.locator("input[name=labels-0-label]").fill("prod")
    page.get_by_role("button", name="Save and continue editing").click()
    page.locator("#tabs-items").get_by_role("link", name="Stacks").click()
    row = page.get_by_role("row").filter(has_text="shop")
    expect(row).to_contain_text("label")
    expect(row).to_contain_text("prod")
    expect(row).to_contain_text("pending")


def test_what_fails_is_on_top_of_the_agents_page(log_in, site):
    page = log_in("vera")
    page.goto(site.agent("boreas"))
    expect(page.get_by_role("alert")).to_contain_text("ImagePullBackOff: shop:1.4.2 not found")
    page.get_by_role("alert").get_by_role("link", name="shop").click()
    page.wait_for_url(re.compile(f"/admin/stacks/stack/{site.ids['stack']}/change/"))


def test_a_wide_deletion_takes_the_name(log_in, site):
    page = log_in("olaf")
    page.goto(site.agent("norma", "delete"))
    expect(page.get_by_text("agents leaves the fleet")).to_be_visible()
    page.get_by_label("To go on, type norma").fill("norm")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing is deleted")).to_be_visible()
    page.get_by_label("To go on, type norma").fill("norma")
    page.get_by_role("button", name="Delete").click()
    page.goto(f"{site.url}/admin/agents/agent/?q=norma")
    expect(page.get_by_text("0 agents")).to_be_visible()


def test_a_viewer_finds_no_buttons_and_is_refused_behind_them(log_in, site):
    page = log_in("vera")
    page.goto(site.agent("boreas"))
    for name in ("Pause", "Rotate key", "Delete agent"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Save"))).to_have_count(0)
    for path in ("pause", "rotate_key", "delete"):
        response = page.goto(site.agent("boreas", path))
        assert (path, response.status) == (path, 403)
    expect(page.get_by_role("link", name="Keys", exact=True)).to_have_count(0)


def test_an_operator_is_not_shown_keys(log_in, site):
    page = log_in("olaf")
    page.goto(site.agent("boreas"))
    expect(page.get_by_role("link", name="Rotate key")).to_have_count(0)
    assert page.goto(f"{site.url}/admin/agents/agent/add/").status == 403
    assert page.goto(f"{site.url}/admin/paks/pak/").status == 403


def test_the_audit_log_is_exported_as_it_is_filtered(log_in, site, tmp_path: Path):
    page = log_in("ada")
    page.goto(f"{site.url}/admin/audit/auditlog/?action=agent.*")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export these rows as CSV").click()
    saved = tmp_path / "log.csv"
    download.value.save_as(saved)
    heading, *rows = saved.read_text(encoding="utf-8").splitlines()
    assert heading.startswith("timestamp,action,")
    assert rows
    assert all(",agent." in row for row in rows)
