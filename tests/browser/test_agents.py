"""What operators do with agents, in a real browser."""

import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import press, press_action, tab_to
from tests.support.server import http_get

pytestmark = pytest.mark.live

_numbers = count(1)


class Agent:
    """An agent made through the API, with a name of its own that begins with `name`."""

    def __init__(self, site: Any, name: str, *, active: bool = False, label: str = "") -> None:
        self._site = site
        self.name = f"{name}-{next(_numbers)}"
        made = site.post("/agents", {"name": self.name, "cluster_name": "test"})
        self.id, self.key = made["agent"]["id"], made["initial_pak"]
        if active:
            site.api.put(f"/agents/{self.id}", json={"status": "ACTIVE"}).raise_for_status()
        if label:
            site.post(f"/agents/{self.id}/labels", {"label": label, "agent_id": self.id})

    def page(self, slug: str = "change") -> str:
        return f"agents/agent/{self.id}/{slug}/"


@pytest.fixture
def shop(site) -> dict[str, str]:
    """A stack with a version and a label of its own."""
    label = f"fleet-{next(_numbers)}"
    generator = site.post("/generators", {"name": f"storefront-{label}"})["generator"]
    stack = site.post("/stacks", {"name": f"shop-{label}", "generator_id": generator["id"]})
    site.post(f"/stacks/{stack['id']}/labels", {"label": label})
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n"
    obj = site.post(f"/stacks/{stack['id']}/deployment-objects", {"yaml_content": manifest})
    return {"id": stack["id"], "name": stack["name"], "label": label, "object": obj["id"]}


@pytest.fixture
def boreas(site, shop) -> Agent:
    """An agent on which the shop fails."""
    agent = Agent(site, "boreas", active=True, label=shop["label"])
    report = {"deployment_object_id": shop["object"], "event_type": "DEPLOY", "status": "FAILURE"}
    site.post(f"/agents/{agent.id}/events", report | {"message": "ImagePullBackOff: shop:1.4.2 not found"})
    return agent


def test_an_operator_activates_an_agent(as_user, site):
    agent = Agent(site, "atlas")
    page = as_user("operator")
    page.goto(agent.page())
    expect(page.locator(".brokkr-cards")).to_contain_text("paused")
    page.get_by_role("link", name="Activate").click()
    expect(page.get_by_role("heading", name="Activate the agent?")).to_be_visible()
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text(f"Activated: {agent.name}")).to_be_visible()
    expect(page.locator(".brokkr-cards")).to_contain_text("active")
    expect(page.get_by_role("link", name="Pause")).to_be_visible()


def test_several_are_paused_after_a_page_that_names_them(as_user, site):
    agents = [Agent(site, "draco", active=True) for _ in range(2)]
    page = as_user("operator")
    page.goto("agents/agent/?status=active&q=draco")
    for agent in agents:
        page.get_by_role("row", name=agent.name).get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option(label="Pause")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="2 agents")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text=agents[1].name)).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Agents paused: 2.")).to_be_visible()


def test_a_new_key_is_shown_once_can_be_copied_and_ends_the_old_one(as_user, site):
    agent = Agent(site, "cetus")
    page = as_user("admin")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(agent.page())
    page.get_by_role("link", name="Rotate key").click()
    page.get_by_label("The old key ends").select_option("0")
    page.get_by_role("button", name="Rotate key").click()
    key = page.get_by_label("The new key").input_value()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key

    def status(with_key: str) -> int:
        headers = {"Authorization": f"Bearer {with_key}"}
        return http_get(f"{site.server.url}/api/v1/agents/{agent.id}", headers=headers).status_code

    assert (status(agent.key), status(key)) == (401, 200)
    page.goto(agent.page())
    assert key not in page.content()


def test_a_label_brings_a_stack_and_the_page_says_why(as_user, site, shop):
    agent = Agent(site, "mensa")
    page = as_user("operator")
    page.goto(agent.page("stacks"))
    expect(page.get_by_text("No stack is tied to this agent.")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_text("Add another label").click()
    page.locator("input[name=labels-0-label]").fill(shop["label"])
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("Now: 1 gains it.")).to_be_visible()
    page.get_by_role("button", name="Yes, save").click()
    page.locator("#tabs-items").get_by_role("link", name="Stacks").click()
    row = page.get_by_role("row").filter(has_text=shop["name"])
    expect(row).to_contain_text("label")
    expect(row).to_contain_text(shop["label"])
    expect(row).to_contain_text("silent")


def test_a_bin_beside_a_label_asks_before_it_takes_the_stack_away(as_user_on_screens, site, shop):
    agent = Agent(site, "pyxis", label=shop["label"])
    page = as_user_on_screens("operator")
    page.goto(f"{agent.page()}?edit=1")
    tab_to(page, page.locator("input[name=labels-0-DELETE]"))
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Now: 1 loses it.")).to_be_visible()
    expect(page.get_by_text("The agents")).to_be_visible()
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="No, go back").click()
    expect(page.locator("input[name=labels-0-DELETE]")).not_to_be_checked()


def test_a_label_is_added_after_its_plan_by_the_keyboard_alone(as_user_on_screens, site, shop):
    agent = Agent(site, "lupus")
    page = as_user_on_screens("operator")
    page.goto(agent.page())
    press_action(page, "Edit")
    press(page, page.get_by_role("link", name="Add another label"))
    tab_to(page, page.locator("input[name=labels-0-label]"))
    page.keyboard.type(shop["label"])
    press(page, page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("Now: 1 gains it.")).to_be_visible()
    press(page, page.get_by_role("button", name="Yes, save"))
    expect(page.get_by_role("button", name="Yes, save")).to_have_count(0)
    page.goto(agent.page("stacks"))
    expect(page.get_by_role("link", name=shop["name"])).to_be_visible()


def test_a_deletion_is_confirmed_by_the_keyboard_alone(as_user_on_screens, site):
    agent, *_ = [Agent(site, "indus") for _ in range(11)]
    page = as_user_on_screens("operator")
    page.goto(agent.page())
    press_action(page, "Delete agent")
    expect(page.get_by_role("heading", name="Delete the agent")).to_be_visible()
    tab_to(page, page.get_by_label("Reason"))
    page.keyboard.type("the cluster is gone")
    press(page, page.get_by_role("button", name="Delete"))
    expect(page.get_by_role("main")).to_contain_text("was deleted")
    assert site.api.get(f"/agents/{agent.id}").status_code == 404


def test_what_fails_is_on_top_of_the_agents_page(as_user, shop, boreas):
    page = as_user("viewer")
    page.goto(boreas.page())
    expect(page.get_by_role("alert")).to_contain_text("ImagePullBackOff: shop:1.4.2 not found")
    page.get_by_role("alert").get_by_role("link", name=shop["name"]).click()
    page.wait_for_url(re.compile(f"/admin/stacks/stack/{shop['id']}/change/"))


def test_a_failing_deployment_is_on_the_first_page_and_leads_to_its_agent(as_user, shop, boreas):
    page = as_user("viewer")
    page.goto("")
    row = page.get_by_role("row").filter(has_text=shop["name"]).filter(has_text="ImagePullBackOff")
    row.get_by_role("link", name="failing").click()
    page.get_by_role("link", name=boreas.name).click()
    page.wait_for_url(f"**/{boreas.page()}")


def test_a_bar_of_the_chart_leads_to_the_reports_of_its_hour(as_user, boreas):
    page = as_user("viewer")
    page.goto("")
    # Not just the last one: the hour may have ended since.
    page.get_by_role("link", name=re.compile(r"UTC: .+, [1-9]\d* of failure")).last.click()
    expect(page.locator("#result_list tbody tr").first).to_contain_text(boreas.name)


def test_a_wide_deletion_takes_the_name(as_user, site):
    """Agents are the fleet: with nine others, one would be no more than the tenth that is asked about."""
    present = len(site.api.get("/agents").json())
    agents = [Agent(site, "norma") for _ in range(present // 8 + 2)]
    page = as_user("operator")
    page.goto("agents/agent/?q=norma")
    for agent in agents:
        page.get_by_role("row", name=agent.name).get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option("delete_selected")
    page.get_by_role("button", name="Run").click()
    phrase = f"delete {len(agents)} agents"
    expect(page.get_by_text("agents leave the fleet")).to_be_visible()
    page.get_by_label("Reason").fill("they are gone")
    page.get_by_label(f"To go on, type {phrase}").fill("delete")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing is deleted")).to_be_visible()
    page.get_by_label("Reason").fill("they are gone")
    page.get_by_label(f"To go on, type {phrase}").fill(phrase)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("0 agents")).to_be_visible()


def test_a_viewer_finds_no_buttons_and_is_refused_behind_them(as_user, site):
    agent = Agent(site, "virgo", active=True)
    page = as_user("viewer")
    page.goto(agent.page())
    for name in ("Pause", "Rotate key", "Delete agent"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Save"))).to_have_count(0)
    for slug in ("pause", "rotate_key", "delete"):
        response = page.goto(agent.page(slug))
        assert (slug, response.status) == (slug, 403)
    expect(page.get_by_role("heading", name="You may not do that here")).to_be_visible()


def test_an_operator_is_not_shown_keys(as_user, site):
    agent = Agent(site, "volans", active=True)
    page = as_user("operator")
    page.goto(agent.page())
    expect(page.get_by_role("link", name="Pause")).to_be_visible()
    expect(page.get_by_role("link", name="Rotate key")).to_have_count(0)
    assert page.goto("agents/agent/add/").status == 403
    assert page.goto("paks/pak/").status == 403


def test_the_audit_log_is_exported_as_it_is_filtered(as_user, site, tmp_path: Path):
    Agent(site, "lyra")
    page = as_user("admin")
    page.goto("audit/auditlog/?action=agent.*")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export these rows as CSV").click()
    saved = tmp_path / "log.csv"
    download.value.save_as(saved)
    heading, *rows = saved.read_text(encoding="utf-8").splitlines()
    assert heading.startswith("timestamp,action,")
    assert rows
    assert all(",agent." in row for row in rows)


def test_the_past_of_an_agent_is_told_and_compared(as_user, boreas, shop):
    page = as_user("admin")
    page.goto(boreas.page())
    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_role("row").filter(has_text="failed")).to_contain_text(shop["name"])
    page.get_by_role("link", name="Then and now").click()
    expect(page.get_by_label("This agent at (UTC)")).to_have_attribute("type", "datetime-local")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("status")).to_contain_text("No difference: 1 stack on both sides.")
    page.get_by_label("This agent at (UTC)").fill("2001-01-01T00:00:00")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Known are moments from")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 1920])
def test_twenty_agents_are_on_a_screen_of_1000_pixels(as_user, site, shop, width):
    for _ in range(20):
        agent = Agent(site, "retail-store-cluster", active=True, label=shop["label"])
        for word in ("eu-central-1", "hardware-x86", "ring-canary"):
            site.post(f"/agents/{agent.id}/labels", {"label": word, "agent_id": agent.id})
    page = as_user("viewer")
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(f"agents/agent/?label={shop['label']}")
    rows = page.get_by_role("row").filter(has_text="retail-store-cluster")
    expect(rows).to_have_count(20)
    expect(rows.last.get_by_text("+2")).to_be_in_viewport()
    place, foot = rows.last.bounding_box(), page.get_by_text("20 agents").bounding_box()
    assert place is not None
    assert foot is not None
    assert place["y"] + place["height"] <= foot["y"]
