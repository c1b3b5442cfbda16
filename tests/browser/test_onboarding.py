"""New agents on one page, until they are heard, in a real browser and with the calls of an agent of release 0.9.1."""

import shlex
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import complaints
from tests.browser.layout import expect_no_wider
from tests.live.test_agent_v0_9 import CALLS, HEADERS
from tests.support.scripted_agent import ScriptedAgent

pytestmark = pytest.mark.live

_numbers = count(1)


def start(site: Any, environment: str) -> None:
    """Look oneself up and send a heartbeat, as an agent that was started with this environment."""
    given = dict(each.split("=", 1) for each in shlex.split(environment))
    assert given["BROKKR__AGENT__BROKER_URL"] == site.server.url
    names = {
        "name": given["BROKKR__AGENT__AGENT_NAME"],
        "cluster": given["BROKKR__AGENT__CLUSTER_NAME"],
    }
    with ScriptedAgent(site.server, given["BROKKR__AGENT__PAK"], CALLS, HEADERS, **names) as agent:
        for number in (1, 2, 4, 6):
            agent.perform(number)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1920, "dark"), (390, "dark")])
def test_one_agent_is_added_started_and_heard(as_user, site, width, scheme):
    name = f"pavo {next(_numbers)}"
    page = as_user("admin")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("agents/agent/add/")
    assert complaints(page) == []
    expect_no_wider(page, width)
    page.get_by_label("Name", exact=False).first.fill(name)
    page.get_by_label("Cluster").first.fill("frankfurt")
    page.get_by_label("Labels").fill("env:prod ring=canary")
    page.get_by_label("Active").check()
    page.get_by_role("button", name="Add the agent").click()
    expect(page.get_by_text("waiting for its first heartbeat …")).to_be_visible()
    expect(page.get_by_label(f"brokkr-agent of {name}")).to_be_visible()
    page.get_by_text("Manifests for Kubernetes").click()
    assert complaints(page) == []
    expect_no_wider(page, width)
    key = page.get_by_label("Key", exact=True).input_value()
    manifests = page.get_by_label(f"Manifests of {name}").input_value()
    assert key in manifests
    start(site, page.get_by_label(f"Environment of {name}").input_value())
    expect(page.get_by_text("heard at")).to_be_visible()
    assert complaints(page) == []
    page.emulate_media(color_scheme="light")
    (agent,) = site.api.get("/agents", params={"name": name}).json()
    assert (agent["status"], agent["k8s_reachable"]) == ("ACTIVE", True)
    page.goto(f"agents/agent/{agent['id']}/change/")
    assert key not in page.content()


def test_many_are_added_from_a_csv_by_keyboard_alone(as_user, site):
    number = next(_numbers)
    page = as_user("admin")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("agents/agent/add/")
    page.get_by_label("The rows").focus()
    page.keyboard.insert_text(f"name,cluster,labels\ngrus-{number},eu,prod\n,eu,prod\n")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Check the rows")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 2 rows must be corrected")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="This field is required.")).to_be_visible()
    assert complaints(page) == []
    page.get_by_label("The rows").focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f"name,cluster,labels\ngrus-{number},eu,prod\nlepus-{number},eu,prod\n")
    page.get_by_role("button", name="Check the rows").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing is added yet. These are the 2 agents.")).to_be_visible()
    page.get_by_role("button", name="Add 2 agents").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("waiting for its first heartbeat …")).to_have_count(2)
    assert complaints(page) == []
    for name in ("grus", "lepus"):
        start(site, page.get_by_label(f"Environment of {name}-{number}").input_value())
    expect(page.get_by_text("heard at")).to_have_count(2)


@pytest.mark.parametrize("name", ["viewer", "operator"])
def test_who_sees_no_keys_adds_no_agents(as_user, name):
    page = as_user(name)
    assert page.goto("agents/agent/add/").status == 403
    page.goto("agents/agent/")
    expect(page.get_by_role("link", name="Add agent")).to_have_count(0)
