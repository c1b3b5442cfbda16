"""What an operator does with a rollout: look, pause, approve, abort, freeze, and write a strategy."""

import json
import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import press, tab_to
from tests.browser.choosing import choose

pytestmark = pytest.mark.live

_numbers = count(1)
# The broker of these tests has no worker: what one would do is done here, in one process for each test.
_START = """
import json
from django.utils import timezone
from agents.models import Agent
from rollouts.models import Rollout
from rollouts.services.strategies import create_strategy
from rollouts.services.ticking import tick
from rollouts.strategies import Strategy
from stacks.models import Stack
from tests.factories import make_event, make_object, manifest
from tests.support.rollouts import ADMIN, SOAK, give_strategy, wave
Agent.objects.filter(labels__label="{word}").update(status="ACTIVE")
stack = Stack.objects.get(name="{word}")
waves = (wave("canary", count=1), wave("many", count=3, needs_approval=True), wave())
strategy = Strategy("{word}", waves)
create_strategy(strategy=strategy, actor=ADMIN)
make_object(stack, manifest(1))
give_strategy(stack, strategy)
rollout = Rollout.objects.get(version=make_object(stack, manifest(2)))
tick(rollout_id=rollout.pk, now=timezone.now())
if {asks}:
    make_event(rollout.members.get().agent, rollout.version)
    tick(rollout_id=rollout.pk, now=timezone.now() + SOAK)
print(json.dumps({{"id": str(rollout.pk), "stack": stack.name}}))
"""
_FAIL = """
from rollouts.models import Rollout, RolloutMember
from tests.factories import make_event
rollout = Rollout.objects.get(pk="{id}")
for member in RolloutMember.objects.filter(rollout=rollout).select_related("agent"):
    make_event(member.agent, rollout.version, "FAILURE", "no such image: shop:2")
"""


def run(site, script: str, **values: object) -> str:
    return str(site.server.manage("shell", "--no-imports", "--command", script.format(**values)))


def start(site, *, asks: bool = False) -> dict[str, str]:
    """A rollout of three waves to six agents. The first is released, or with `asks` proven."""
    word = f"waves-{next(_numbers)}"
    generator = site.post("/generators", {"name": word})["generator"]
    stack = site.post("/stacks", {"name": word, "generator_id": generator["id"]})
    site.post(f"/stacks/{stack['id']}/labels", {"label": word})
    for number in range(6):
        agent = site.post("/agents", {"name": f"{word}-{number}", "cluster_name": "test"})["agent"]
        site.post(f"/agents/{agent['id']}/labels", {"label": word, "agent_id": agent["id"]})
    found: dict[str, str] = json.loads(run(site, _START, word=word, asks=asks))
    return found


def open_rollout(page: Page, rollout: dict[str, str]) -> None:
    page.goto(f"rollouts/rollout/{rollout['id']}/change/")


def answer(page: Page, button: str, *, reason: str) -> None:
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=button, exact=True).click()


@pytest.fixture(autouse=True)
def _no_freeze_is_left(as_user) -> Iterator[None]:
    """A freeze would hold what the tests of other pages publish."""
    yield
    page = as_user("operator")
    page.goto("")
    while page.get_by_role("link", name="Lift it").count():
        page.get_by_role("link", name="Lift it").first.click()
        page.get_by_role("button", name="Lift", exact=True).click()
        page.goto("")


def test_an_operator_sees_a_running_rollout_pauses_and_resumes_it(as_user, site):
    rollout = start(site)
    page = as_user("operator")
    page.goto("")
    page.locator(f"#running-{rollout['id']}").click()
    expect(page.locator("#rollout-sentence")).to_contain_text("Wave 1 waits for 1 of 1 agent")
    expect(page.locator(".brokkr-wave")).to_have_count(3)
    expect(page.locator(".brokkr-wave").first).to_contain_text("0 of 1 agent proven")

    page.get_by_role("link", name="Pause").click()
    answer(page, "Pause", reason="lunch")
    expect(page.locator("#rollout-sentence")).to_have_text("Paused by operator: lunch.")
    page.get_by_role("link", name="Resume").click()
    answer(page, "Resume", reason="back again")
    expect(page.locator("#rollout-sentence")).to_contain_text("Wave 1 waits for")


def test_a_rollout_is_paused_by_the_keyboard_alone(as_user_on_screens, site):
    page = as_user_on_screens("operator")
    open_rollout(page, start(site))
    press(page, page.get_by_role("link", name="Pause"))
    tab_to(page, page.get_by_label("Reason"))
    page.keyboard.type("lunch")
    press(page, page.get_by_role("button", name="Pause", exact=True))
    expect(page.locator("#rollout-sentence")).to_have_text("Paused by operator: lunch.")


def test_an_operator_approves_a_wave_and_aborts(as_user, site):
    rollout = start(site, asks=True)
    page = as_user("operator")
    open_rollout(page, rollout)
    expect(page.locator("#rollout-sentence")).to_have_text("Wave 2 waits for approval.")
    page.get_by_role("link", name="Approve the next wave").click()
    expect(page.get_by_text("Approve wave 2 (many)?")).to_be_visible()
    answer(page, "Approve", reason="looks good")
    expect(page.locator("#rollout-sentence")).not_to_contain_text("approval")

    page.get_by_role("link", name="Abort").click()
    answer(page, "Abort", reason="a new plan")
    expect(page.locator("#rollout-sentence")).to_have_text("Aborted by operator: a new plan.")
    expect(page.get_by_role("link", name="Pause")).to_have_count(0)


def test_a_viewer_looks_and_has_no_buttons(as_user, site):
    page = as_user("viewer")
    open_rollout(page, start(site))
    expect(page.locator("#rollout-sentence")).to_be_visible()
    expect(page.locator(".brokkr-rollout-buttons")).to_have_count(0)


def test_the_page_refreshes_by_itself_and_keeps_focus_and_scroll(as_user, site):
    rollout = start(site)
    page = as_user("operator")
    page.set_viewport_size({"width": 390, "height": 400})
    open_rollout(page, rollout)
    page.locator("#rollout-stack").focus()
    page.evaluate("window.scrollTo(0, 170)")
    before = page.evaluate("window.scrollY")
    run(site, _FAIL, id=rollout["id"])
    expect(page.locator("#failing-agents")).to_contain_text("no such image: shop:2")
    expect(page.locator(".brokkr-wave").first).to_contain_text("1 failing")
    assert page.evaluate("document.activeElement.id") == "rollout-stack"
    assert (page.evaluate("window.scrollY"), before) == (before, 170)


def test_a_freeze_is_begun_seen_on_another_page_and_lifted(as_user):
    page = as_user("operator")
    page.goto("")
    page.get_by_role("link", name="Begin a freeze").click()
    page.get_by_label("Scope").select_option("fleet")
    page.get_by_label("Reason").fill("the holidays")
    page.get_by_role("button", name="Save", exact=True).click()
    viewer = as_user("viewer")
    viewer.goto("agents/agent/")
    banner = viewer.locator("#freezes [role=alert]")
    expect(banner).to_contain_text("Frozen: the whole fleet. the holidays")
    expect(banner).to_contain_text(re.compile(r"By operator since .* UTC, until somebody lifts it\."))
    expect(banner.get_by_role("link")).to_have_count(0)

    page.goto("stacks/stack/")
    page.get_by_role("link", name="Lift it").click()
    page.get_by_role("button", name="Lift", exact=True).click()
    expect(page.get_by_text("Lifted: Freeze of the whole fleet.")).to_be_visible()
    viewer.reload()
    expect(banner).to_have_count(0)


def test_a_strategy_is_written_and_previewed(as_user, site):
    stack = start(site)["stack"]
    page = as_user("admin")
    page.goto("rollouts/rolloutstrategy/add/")
    page.get_by_label("Name").first.fill("slowly")
    page.get_by_role("button", name="Add a wave").click()
    expect(page.locator(".brokkr-wave-form")).to_have_count(3)
    choose(page, page.locator(".select2-selection"), stack)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview .brokkr-wave")).to_have_count(3)
    expect(page.locator("#preview .brokkr-wave").first).to_contain_text("1 agent")

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved: slowly.")).to_be_visible()
    page.locator("input[name=waves-2-percent]").fill("5")
    page.locator("input[name=waves-2-count]").fill("5")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("only one of them can bound it")).to_be_visible()
