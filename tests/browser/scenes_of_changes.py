"""Pages on the way to a change: forms with errors, what is found, plans, and bulk jobs."""

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page

from tests.browser.scenes import open_busy_stack, open_first, press, scene, send_as_it_is, tab
from tests.support.server import LiveServer

_LIST = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Namespace, metadata: {name: shop}}]\n"


# --- Errors of forms ---


def _refused(path: str, button: str = "Save") -> None:
    @scene(f"{path.split('/')[1]} form with errors")
    def act(page: Page, _: LiveServer) -> None:
        page.goto(path)
        send_as_it_is(page, button)


_refused("agents/agent/add/", "Add the agent")
for _path in (
    "stacks/stack/add/",
    "generators/generator/add/",
    "rollouts/rolloutstrategy/add/",
    "rollouts/freeze/add/",
    "diagnostics/diagnosticrequest/add/",
    "workorders/workorder/add/",
    "webhooks/subscription/add/",
    "paks/pak/add/",
    "auth/user/add/",
    "auth/group/add/",
):
    _refused(_path)


@scene("template form with errors")
def _template_errors(page: Page, _: LiveServer) -> None:
    page.goto("templates_app/stacktemplate/add/")
    page.locator("[name=template_content]").fill("kind: {{ kind }\nname: {% if %}\n")
    page.locator("[name=parameters_schema]").fill('{"type": "objekt"}')
    send_as_it_is(page, "Create")


@scene("agents from a CSV with errors")
def _csv(page: Page, _: LiveServer) -> None:
    page.goto("agents/agent/add/")
    page.locator("textarea").first.fill(
        "name,cluster,labels,active\nedge-01,eu-1,prod,yes\nedge-01,eu-1,prod,perhaps\n"
    )
    press(page, "Check the rows")


# --- Seeing ---


@scene("search")
def _search(page: Page, _: LiveServer) -> None:
    page.goto("")
    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("payments")
    page.locator("#command-results a").first.wait_for()


@scene("search without results")
def _search_nothing(page: Page, _: LiveServer) -> None:
    page.goto("")
    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("nothing like it")
    page.get_by_text("Nothing is found.").wait_for()


@scene("filters of agents")
def _filters(page: Page, _: LiveServer) -> None:
    page.goto("agents/agent/?status=active&heard=alive")
    page.get_by_role("button", name="Filters").click()


@scene("filters of reports")
def _moments(page: Page, _: LiveServer) -> None:
    page.goto("agents/agentevent/?created_at_from=2026-01-02T10:00")
    page.get_by_role("button", name="Filters").click()


@scene("agents ticked")
def _ticked(page: Page, _: LiveServer) -> None:
    page.goto("agents/agent/")
    page.locator("#action-toggle").check()


@scene("agents found by a label")
def _found(page: Page, _: LiveServer) -> None:
    page.goto("agents/agent/?label=prod&q=eu")


@scene("why, of an agent")
def _why(page: Page, _: LiveServer) -> None:
    open_first(page, "agents/agent/")
    tab(page, "Why isn't it deployed?")


def _fill_in_a_day(page: Page, days_ago: int) -> None:
    """Fill in noon of a day of the past, which is known for a month."""
    day = timezone.now() - timedelta(days=days_ago)
    page.locator("input[type=datetime-local]").first.fill(f"{day:%Y-%m-%d}T12:00:00")


@scene("then and now")
def _then_and_now(page: Page, _: LiveServer) -> None:
    open_first(page, "agents/agent/?heard=alive")
    tab(page, "Then and now")
    _fill_in_a_day(page, 9)
    press(page, "Compare")


@scene("timeline of a longer time")
def _timeline(page: Page, _: LiveServer) -> None:
    open_first(page, "agents/agent/?heard=alive")
    tab(page, "Timeline")
    _fill_in_a_day(page, 28)
    press(page, "Show")


@scene("outcomes of one failure")
def _one_failure(page: Page, _: LiveServer) -> None:
    page.goto("deployments/")
    page.locator("td a[href*='failure=']").first.click()


@scene("resources found")
def _resources(page: Page, _: LiveServer) -> None:
    page.goto("resources/")
    page.locator("#content input[type=search], #content input[type=text]").first.fill(
        "registry.example.com/payments"
    )
    page.keyboard.press("Enter")
    page.wait_for_load_state()


@scene("hidden values shown")
def _revealed(page: Page, _: LiveServer) -> None:
    open_busy_stack(page)
    tab(page, "Versions")
    press(page, "Show hidden values")


# --- Publishing ---


def _send(page: Page, text: str | None = None, button: str = "Publish") -> None:
    """Send a manifest, by default the present one with more replicas."""
    open_busy_stack(page)
    tab(page, "Publish")
    source = page.locator("textarea[name=manifest]")
    source.fill(source.input_value().replace("replicas: ", "replicas: 1") if text is None else text)
    press(page, button)


@scene("publish, refused")
def _publish_refused(page: Page, _: LiveServer) -> None:
    _send(page, "kind: ConfigMap\nmetadata: [\n")


@scene("publish, warned")
def _publish_warned(page: Page, _: LiveServer) -> None:
    _send(page, _LIST)


@scene("publish, compared")
def _publish_compared(page: Page, _: LiveServer) -> None:
    _send(page, button="Check and compare")


@scene("publish, planned")
def _publish_planned(page: Page, _: LiveServer) -> None:
    _send(page)


@scene("published")
def _published(page: Page, server: LiveServer) -> None:
    _publish_planned(page, server)
    if page.locator("#typed").count():
        page.locator("#typed").fill(page.locator("label[for=typed] strong").inner_text())
    if page.locator("[name=plan_reason]").count():
        page.locator("[name=plan_reason]").fill("more replicas")
    press(page, "Publish")


@scene("roll back, planned")
def _rolled_back(page: Page, _: LiveServer) -> None:
    open_busy_stack(page)
    tab(page, "Versions")
    page.get_by_role("link", name="Roll back to this").last.click()
    page.get_by_label("Reason").first.fill("the newest version crashes")
    page.get_by_role("button", name="Roll back to").click()


@scene("a label, planned")
def _label_planned(page: Page, _: LiveServer) -> None:
    page.goto("stacks/stack/?state=failing")
    label = page.locator("#result_list .brokkr-badges > *").first.inner_text()
    open_first(page, "agents/agent/?heard=alive")
    page.get_by_role("link", name="Edit").click()
    page.get_by_text("Add another label").click()
    page.locator("input[name$=-label]:visible").last.fill(label)
    press(page, "Save")


@scene("agents, to be deleted")
def _wide_deletion(page: Page, _: LiveServer) -> None:
    page.goto("agents/agent/")
    page.locator("#action-toggle").check()
    page.get_by_label("Select action to run").select_option("delete_selected")
    press(page, "Run")


@scene("agents, to be paused")
def _pause_agents(page: Page, _: LiveServer) -> None:
    page.goto("agents/agent/?status=active")
    page.locator("#result_list tbody input[type=checkbox]").nth(0).check()
    page.locator("#result_list tbody input[type=checkbox]").nth(1).check()
    page.get_by_label("Select action to run").select_option(label="Pause")
    press(page, "Run")


@scene("who would get it with a label")
def _recipients(page: Page, _: LiveServer) -> None:
    open_busy_stack(page)
    tab(page, "Who gets this?")
    page.get_by_label("With the label").fill("dev")
    press(page, "Preview")


# --- Bulk jobs ---


def _choose_all(page: Page, action: str) -> None:
    page.goto("agents/agent/?label=prod")
    page.locator("#action-toggle").check()
    page.get_by_role("link", name="Select all").click()
    page.get_by_label("Select action to run").select_option(label=action)
    press(page, "Run")


@scene("bulk job, asked for its word")
def _job_word(page: Page, _: LiveServer) -> None:
    _choose_all(page, "Add a label")


@scene("bulk job, planned")
def _job_planned(page: Page, _: LiveServer) -> None:
    _choose_all(page, "Add a label")
    page.get_by_label("Label", exact=True).fill("env:prod")
    page.keyboard.press("Enter")
    page.get_by_label("Reason").wait_for()


@scene("bulk job, begun")
def _job_begun(page: Page, server: LiveServer) -> None:
    _job_planned(page, server)
    page.get_by_label("Reason").fill("labels by the new convention")
    press(page, "Add the label")
    page.get_by_role("progressbar").wait_for()


@scene("bulk job, ended")
def _job_ended(page: Page, server: LiveServer) -> None:
    server.manage("run_worker", "--once")
    open_first(page, "bulk/bulkjob/")


@scene("bulk jobs")
def _jobs(page: Page, _: LiveServer) -> None:
    page.goto("bulk/bulkjob/")
