"""From “select all” to the end of a bulk job, in a real browser."""

from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import complaints
from tests.browser.layout import expect_no_wider

pytestmark = pytest.mark.live

_numbers = count(1)
# More than one page of the list.
AGENTS = 53


@pytest.fixture(scope="module")
def fleet(site) -> str:
    """The beginning of the names of many agents."""
    name = f"swarm-{next(_numbers)}"
    for number in range(AGENTS):
        site.post("/agents", {"name": f"{name}-{number}", "cluster_name": "test"})
    return name


def work(site: Any) -> None:
    """Let the worker do what is due, once."""
    site.server.manage("run_worker", "--once")


def choose(page: Page, fleet: str, action: str) -> None:
    """Tick the page, select all that match, and run the action."""
    page.goto(f"agents/agent/?q={fleet}-")
    page.locator("#action-toggle").check()
    page.get_by_role("link", name=f"Select all {AGENTS} agents").click()
    expect(page.get_by_text(f"All {AGENTS} selected")).to_be_visible()
    assert complaints(page) == []
    page.get_by_label("Select action to run").select_option(label=action)
    page.get_by_role("button", name="Run").click()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (1920, "light"), (390, "light")])
def test_an_operator_labels_all_that_match(as_user, site, fleet, width, scheme):
    label = f"env:w{width}"
    page = as_user("operator")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    choose(page, fleet, "Add a label")
    field = page.get_by_label("Label", exact=True)
    assert complaints(page) == []
    field.fill(label)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"{AGENTS} agents")).to_be_visible()
    assert complaints(page) == []
    expect_no_wider(page, width)
    page.get_by_label("Reason").fill("the new region")
    page.get_by_role("button", name="Add the label").click()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "0")
    assert complaints(page) == []
    expect_no_wider(page, width)
    work(site)
    # The page finds it out by itself.
    expect(page.get_by_role("progressbar")).to_have_attribute("value", str(AGENTS))
    expect(page.get_by_text("The job has ended.")).to_be_visible()
    assert len(site.api.get("/agents", params={"label": label}).json()) == AGENTS
    page.emulate_media(color_scheme="light")


def test_a_job_is_stopped_and_resumed_by_keyboard_alone(as_user, site, fleet):
    page = as_user("admin")
    page.goto(f"agents/agent/?q={fleet}-")
    page.locator("#action-toggle").focus()
    page.keyboard.press("Space")
    page.get_by_role("link", name=f"Select all {AGENTS} agents").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Select action to run").focus()
    page.keyboard.type("Activate")
    page.get_by_role("button", name="Run").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reason").focus()
    page.keyboard.type("they are ready")
    page.keyboard.press("Enter")
    stop = page.get_by_role("link", name="Stop")
    stop.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("stopped", exact=True)).to_be_visible()
    work(site)
    page.reload()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "0")
    page.get_by_role("link", name="Resume").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Resume").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Stop")).to_be_visible()
    work(site)
    expect(page.get_by_text("The job has ended.")).to_be_visible()
    rows = site.api.get("/agents", params={"name": f"{fleet}-"}).json()
    assert {row["status"] for row in rows} == {"ACTIVE"}


@pytest.fixture
def job(as_user, site, fleet) -> None:
    """A bulk job that has ended, on top of the list."""
    page = as_user("operator")
    page.set_viewport_size({"width": 1280, "height": 900})
    choose(page, fleet, "Activate")
    page.get_by_label("Reason").fill("they are ready")
    page.keyboard.press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    work(site)


@pytest.mark.usefixtures("job")
def test_a_viewer_sees_jobs_and_chooses_nothing(as_user, fleet):
    page = as_user("viewer")
    page.goto(f"agents/agent/?q={fleet}-")
    expect(page.locator("#action-toggle")).to_have_count(0)
    page.goto("bulk/bulkjob/")
    assert complaints(page) == []
    page.locator("#result_list tbody tr").first.get_by_role("link").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    for name in ("Stop", "Resume", "Plan what is left"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)


def test_an_agent_that_is_gone_is_named_and_the_rest_can_be_planned(as_user, site):
    name = f"lost-{next(_numbers)}"
    made = [
        site.post("/agents", {"name": f"{name}-{each}", "cluster_name": "test"})["agent"]
        for each in range(AGENTS)
    ]
    page = as_user("operator")
    page.set_viewport_size({"width": 1280, "height": 900})
    choose(page, name, "Assign to a ring")
    page.get_by_label("Ring", exact=True).fill("canary")
    page.keyboard.press("Enter")
    page.get_by_label("Reason").fill("first the canaries")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    site.api.delete(f"/agents/{made[0]['id']}").raise_for_status()
    work(site)
    expect(page.get_by_text("The job has ended.")).to_be_visible()
    page.get_by_role("link", name="See what was left out.").click()
    expect(page.get_by_role("heading", name="Left out")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=f"{name}-0")).to_contain_text("There is no such agent.")
    assert complaints(page) == []
    page.get_by_role("link", name="Plan what is left").click()
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("heading", name="1 agent")).to_be_visible()
