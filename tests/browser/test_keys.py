"""Keys in a real browser, on each screen, by the keyboard alone, and for each group of users."""

from itertools import count
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import complaints_of, press, tab_to

pytestmark = pytest.mark.live

_numbers = count(1)


@pytest.fixture
def page(as_user_on_screens) -> Page:
    """A window of an admin."""
    window: Page = as_user_on_screens("admin")
    return window


@pytest.fixture
def generator(site) -> dict[str, Any]:
    """A generator with its key and a stack."""
    name = f"keys-{next(_numbers)}"
    made = site.post("/generators", {"name": name})
    stack = site.post("/stacks", {"name": f"{name}-shop", "generator_id": made["generator"]["id"]})
    site.post("/stacks", {"name": f"{name}-other", "generator_id": made["generator"]["id"]})
    return {"id": made["generator"]["id"], "name": name, "pak": made["pak"], "stack": stack}


def identity(site, key: str) -> httpx.Response:
    return httpx.post(
        f"{site.server.url}/api/v1/auth/pak", headers={"Authorization": f"Bearer {key}"}, timeout=60
    )


def shown_key(page: Page) -> str:
    field = page.get_by_label("The new key")
    expect(field).to_be_visible()
    return field.input_value()


def test_a_key_is_rotated_with_an_overlap_by_the_keyboard_alone(page, site, generator):
    page.goto(f"generators/generator/{generator['id']}/rotate_key/")
    choice = page.get_by_label("The old key ends")
    tab_to(page, choice)
    expect(choice).to_have_value("86400")
    # Of the choices in their order, the one before.
    page.keyboard.press("ArrowUp")
    expect(choice).to_have_value("43200")
    press(page, page.get_by_role("button", name="Rotate key"))
    new = shown_key(page)
    assert identity(site, new).status_code == identity(site, generator["pak"]).status_code == 200
    assert "ends_at" in identity(site, generator["pak"]).json()
    page.goto(f"generators/generator/{generator['id']}/keys/")
    expect(page.get_by_text("replaced")).to_be_visible()
    expect(page.get_by_text("from 127.0.0.1")).to_have_count(2)


def test_a_key_with_limits_is_made_by_the_keyboard_alone(page, site, generator):
    page.goto(f"generators/generator/{generator['id']}/keys/")
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.type("web team")
    page.keyboard.press("Tab")
    page.keyboard.type(generator["stack"]["name"])
    press(page, page.get_by_role("button", name="Make the key"))
    key = shown_key(page)
    assert identity(site, key).json()["limits"] == {"stacks": [generator["stack"]["id"]], "labels": []}
    page.goto(f"generators/generator/{generator['id']}/keys/")
    expect(page.get_by_text("1 stack", exact=True)).to_be_visible()


def test_a_key_that_only_reads_is_made_given_an_end_and_revoked_by_the_keyboard_alone(page, site):
    name = f"watcher-{next(_numbers)}"
    page.goto("paks/pak/add/")
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.type(name)
    tab_to(page, page.locator("#id_is_read_only"))
    page.keyboard.press("Space")
    press(page, page.get_by_role("button", name="Save", exact=True))
    key = shown_key(page)
    assert identity(site, key).json()["readonly"] is True
    press(page, page.get_by_role("link", name="I have copied it"))
    page.wait_for_url("**/change/")
    key_page = page.url.removesuffix("change/")
    page.goto(f"{key_page}end/")
    tab_to(page, page.get_by_label("Ends"))
    # The parts of the moment, in the order of the browser's language.
    page.keyboard.type("05062030")
    page.keyboard.press("Tab")
    page.keyboard.type("070809AM")
    press(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_text("The key's end was changed")).to_be_visible()
    assert identity(site, key).json()["ends_at"] == "2030-05-06T07:08:09.000000Z"
    page.goto(f"{key_page}end/")
    tab_to(page, page.get_by_label("Ends"))
    # Without its month it is no moment, and must not be taken for none, with which the key would never end.
    page.keyboard.press("Backspace")
    press(page, page.get_by_role("button", name="Save"))
    assert page.get_by_label("Ends").evaluate("field => field.validity.badInput")
    assert identity(site, key).json()["ends_at"] == "2030-05-06T07:08:09.000000Z"
    page.goto(f"{key_page}revoke/")
    tab_to(page, page.get_by_label("Reason"))
    page.keyboard.type("it was shown to somebody")
    press(page, page.get_by_role("button", name="Revoke"))
    expect(page.get_by_text("Revoked: ")).to_be_visible()
    assert identity(site, key).status_code == 401


@pytest.mark.parametrize("user", ["viewer", "operator"])
def test_who_may_see_no_keys_is_offered_none(as_user_on_screens, generator, user):
    page = as_user_on_screens(user)
    page.goto(f"generators/generator/{generator['id']}/change/")
    expect(page.get_by_role("link", name="Keys", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Rotate key")).to_have_count(0)
    for path in (f"generators/generator/{generator['id']}/keys/", "paks/pak/"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403


def test_axe_reports_nothing_on_the_pages_of_keys(page, site, generator):
    agent = site.post("/agents", {"name": f"keys-agent-{next(_numbers)}", "cluster_name": "far"})["agent"]
    site.post(f"/generators/{generator['id']}/rotate-pak", {"overlap_seconds": 3600})
    page.goto(f"paks/pak/?subject_id__exact={generator['id']}")
    row = page.locator("#result_list tbody th a").first.get_attribute("href")
    assert row is not None
    key_page = row.partition("/admin/")[2].partition("change/")[0]
    found = [
        line
        for path in (
            "paks/pak/",
            "paks/pak/add/",
            f"{key_page}change/",
            f"{key_page}end/",
            f"{key_page}rotate/",
            f"agents/agent/{agent['id']}/keys/",
            f"agents/agent/{agent['id']}/rotate_key/",
            f"generators/generator/{generator['id']}/keys/",
        )
        for line in complaints_of(page, path)
    ]
    assert "\n".join(found) == ""
