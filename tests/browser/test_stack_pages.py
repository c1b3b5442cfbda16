"""What an operator does with a stack: publish, compare, roll back, and ask who gets it and why not."""

from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import press, tab_to

pytestmark = pytest.mark.live

_numbers = count(1)


def manifest(version: int, password: str = "hunter2") -> str:
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shop}}\ndata:\n  version: '{version}'\n---\n"
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: shop}}\nstringData:\n  password: {password}\n"
    )


@pytest.fixture
def stack(site) -> dict[str, str]:
    """With two versions, the label `prod`, and an agent that shares it."""
    number = next(_numbers)
    generator = site.post("/generators", {"name": f"ci-{number}"})["generator"]
    stack = site.post("/stacks", {"name": f"shop-{number}", "generator_id": generator["id"]})
    site.post(f"/stacks/{stack['id']}/labels", {"label": f"prod-{number}"})
    for version, password in ((1, "hunter1"), (2, "hunter2")):
        site.post(f"/stacks/{stack['id']}/deployment-objects", {"yaml_content": manifest(version, password)})
    for name, label in (("near", f"prod-{number}"), ("far", f"other-{number}")):
        agent = site.post("/agents", {"name": f"{name}-{number}", "cluster_name": "test"})["agent"]
        site.post(f"/agents/{agent['id']}/labels", {"label": label, "agent_id": agent["id"]})
    return {"id": stack["id"], "name": stack["name"], "number": str(number)}


def tab(page: Page, title: str) -> None:
    page.locator("#tabs-items").get_by_role("link", name=title).click()


def open_stack(page: Page, stack: dict[str, str]) -> None:
    page.goto(f"stacks/stack/{stack['id']}/change/")


def test_an_operator_publishes_compares_and_rolls_back(as_user, stack):
    page = as_user("operator")
    open_stack(page, stack)
    tab(page, "Publish")
    source = page.locator("textarea[name=manifest]")
    expect(source).to_have_value(manifest(2).replace("hunter2", '"********"'))

    source.fill("a: [\n")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Nothing was published")).to_be_visible()
    page.locator(".brokkr-excerpt").click()
    assert page.evaluate("document.activeElement.name") == "manifest"

    source.fill(manifest(3).replace("hunter2", '"********"'))
    page.get_by_role("button", name="Check and compare").click()
    expect(page.locator("td.new mark")).to_have_text("3")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Now: 1 gets another version.")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published: #")).to_be_visible()
    expect(page.locator(".brokkr-table tbody tr")).to_have_count(3)
    expect(page.locator(".brokkr-table tbody tr").first).to_contain_text("operator")

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
    expect(page.get_by_text("Now: 1 gets another version.")).to_be_visible()
    page.get_by_role("button", name="Roll back to").click()
    expect(page.get_by_text("Published again")).to_be_visible()
    expect(page.locator(".brokkr-table tbody tr").first).to_contain_text("version 3 crashes")


def test_a_version_is_published_and_rolled_back_by_the_keyboard_alone(as_user_on_screens, stack):
    page = as_user_on_screens("operator")
    page.goto(f"stacks/stack/{stack['id']}/publish/")
    tab_to(page, page.locator("textarea[name=manifest]"))
    page.keyboard.press("Control+a")
    page.keyboard.type("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    publish = page.get_by_role("button", name="Publish")
    press(page, publish)
    expect(page.get_by_text("Now: 1 gets another version.")).to_be_visible()
    press(page, publish)
    expect(page.get_by_text("Published: #")).to_be_visible()

    press(page, page.get_by_role("link", name="Roll back to this").first)
    tab_to(page, page.get_by_label("Reason"))
    page.keyboard.type("the shop is gone")
    roll_back = page.get_by_role("button", name="Roll back to")
    press(page, roll_back)
    expect(page.get_by_text("Now: 1 gets another version.")).to_be_visible()
    press(page, roll_back)
    expect(page.get_by_text("Published again")).to_be_visible()


def test_a_viewer_looks_and_cannot_publish(as_user, stack):
    page = as_user("viewer")
    open_stack(page, stack)
    expect(page.locator("#tabs-items")).to_contain_text("Versions")
    expect(page.locator("#tabs-items")).not_to_contain_text("Publish")
    tab(page, "Versions")
    expect(page.get_by_role("link", name="Roll back to this")).to_have_count(0)
    expect(page.get_by_role("button", name="Show hidden values")).to_have_count(0)
    answer = page.goto(f"stacks/stack/{stack['id']}/publish/")
    assert answer is not None
    assert answer.status == 403


def test_only_an_admin_is_shown_hidden_values(as_user, stack):
    page = as_user("admin")
    page.goto(f"stacks/stack/{stack['id']}/objects/")
    page.get_by_role("button", name="Show hidden values").click()
    expect(page.locator("td.new").last).to_contain_text("hunter2")
    page.goto("audit/auditlog/?action=deployment.revealed")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)


def test_an_operator_previews_a_label(as_user, stack):
    page = as_user("operator")
    open_stack(page, stack)
    tab(page, "Who gets this?")
    expect(page.locator("table")).to_contain_text(f"near-{stack['number']}")
    page.get_by_label("With the label").fill(f"other-{stack['number']}")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("main").locator("[aria-current]")).to_have_text("Would newly get it 1")
    expect(page.locator("table")).to_contain_text(f"far-{stack['number']}")


def test_a_stacks_outcomes_lead_to_the_reason_why_it_is_not_deployed(as_user, stack):
    page = as_user("viewer")
    open_stack(page, stack)
    tab(page, "Outcomes")
    expect(page.locator("table")).to_contain_text("silent")
    page.get_by_role("link", name="Why?").click()
    expect(page.get_by_role("status")).to_have_text("The agent does nothing before it is activated.")
    page.get_by_role("link", name=f"near-{stack['number']}").first.click()
    tab(page, "Why isn't it deployed?")
    expect(page.get_by_text("Choose a stack")).to_be_visible()
