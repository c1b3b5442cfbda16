"""What acts leave behind: rollouts and freezes, new rows and keys, logging in, refusals, and the API explorer."""

from playwright.sync_api import Page

from tests.browser.scenes import PASSWORD, VIEWER, open_busy_stack, open_first, press, scene, tab
from tests.support.server import LiveServer

_BROKEN_PAGE = """
from django.template.loader import render_to_string
print(render_to_string("500.html", {"request_id": "0199f2c4-5d1e-7a83-9c44-2b7d10e5a6f1"}))
"""
_NOT_NOW_PAGE = """
from core.errors import DatabaseUnavailable
from django.template.loader import render_to_string
print(render_to_string("503.html", {"sentence": DatabaseUnavailable.message}))
"""


# --- Rollouts and freezes ---


@scene("rollout, paused with a reason")
def _rollout_paused(page: Page, _: LiveServer) -> None:
    open_first(page, "rollouts/rollout/?state=progressing")
    page.get_by_role("link", name="Pause", exact=True).click()
    page.get_by_label("Reason").fill("the shop is closed over lunch")
    press(page, "Pause")


@scene("rollout, aborted")
def _rollout_aborted(page: Page, _: LiveServer) -> None:
    open_first(page, "rollouts/rollout/?state=waiting_for_approval")
    page.get_by_role("link", name="Abort", exact=True).click()
    page.get_by_label("Reason").fill("the image is broken")
    press(page, "Abort")


@scene("strategy, previewed")
def _strategy(page: Page, _: LiveServer) -> None:
    page.goto("rollouts/rolloutstrategy/add/")
    page.get_by_label("Name").first.fill("slowly")
    page.locator(".select2-selection").first.click()
    page.locator(".select2-search__field").fill("payments")
    page.locator(".select2-results__option", has_text="payments").first.click()
    press(page, "Preview")


@scene("freeze, on the first page")
def _freeze(page: Page, _: LiveServer) -> None:
    page.goto("rollouts/freeze/add/")
    page.get_by_label("Scope").select_option("fleet")
    page.get_by_label("Reason").fill("Change freeze over the weekend of the big sale")
    press(page, "Save")
    page.goto("")


@scene("freeze, saved")
def _freezes(page: Page, _: LiveServer) -> None:
    open_first(page, "rollouts/freeze/")


@scene("freeze, to be lifted")
def _freeze_lift(page: Page, _: LiveServer) -> None:
    page.goto("stacks/stack/")
    page.get_by_role("link", name="Lift it").first.click()


@scene("freeze, lifted")
def _freeze_lifted(page: Page, server: LiveServer) -> None:
    _freeze_lift(page, server)
    press(page, "Lift")


# --- New rows ---


@scene("agent, added")
def _agent_added(page: Page, _: LiveServer) -> None:
    page.goto("agents/agent/add/")
    page.get_by_label("Name").first.fill("edge-99")
    page.get_by_label("Cluster").first.fill("eu-north-edge-99")
    page.get_by_label("Labels").first.fill("dev")
    page.get_by_role("button", name="Add", exact=False).first.click()


@scene("stack, added")
def _stack_added(page: Page, _: LiveServer) -> None:
    page.goto("stacks/stack/add/")
    page.get_by_label("Name").first.fill("web-shop")
    page.locator(".select2-selection").first.click()
    page.locator(".select2-results__option").nth(1).click()
    press(page, "Save and continue editing")


@scene("generator, added")
def _generator_added(page: Page, _: LiveServer) -> None:
    page.goto("generators/generator/add/")
    page.get_by_label("Name").first.fill("web-ci")
    press(page, "Save")


@scene("key, rotated")
def _key_rotated(page: Page, _: LiveServer) -> None:
    open_first(page, "generators/generator/?q=payments")
    page.get_by_role("link", name="Rotate key").click()
    press(page, "Rotate key")


@scene("keys of a generator, one replaced")
def _keys(page: Page, _: LiveServer) -> None:
    open_first(page, "generators/generator/?q=payments")
    tab(page, "Keys")


@scene("key, revoked")
def _key_revoked(page: Page, _: LiveServer) -> None:
    page.goto("paks/pak/?revoked=only")
    page.locator("#result_list tbody th a").first.click()


@scene("webhook, added")
def _webhook_added(page: Page, _: LiveServer) -> None:
    page.goto("webhooks/subscription/add/")
    page.get_by_label("Name").first.fill("on-call")
    page.get_by_label("URL").fill("http://127.0.0.1:8080/")
    page.get_by_label("Event types").fill("deployment.*")
    page.get_by_role("radio", name="slack").check()
    press(page, "Save")


@scene("webhook, tested")
def _webhook_tested(page: Page, _: LiveServer) -> None:
    open_first(page, "webhooks/subscription/?q=on-call")
    page.get_by_role("link", name="Test").last.click()
    page.get_by_role("button", name="Send").first.click()


@scene("delivery, sent again")
def _sent_again(page: Page, _: LiveServer) -> None:
    open_first(page, "webhooks/delivery/?status__exact=dead")
    page.get_by_role("link", name="Send again").click()
    press(page, "Send again")


@scene("work order, previewed")
def _order(page: Page, _: LiveServer) -> None:
    page.goto("workorders/workorder/add/")
    page.get_by_label("Work type").fill("custom")
    page.get_by_label("YAML").fill("apiVersion: batch/v1\nkind: Job\nmetadata: {name: backup}\n")
    page.get_by_label("Labels").fill("prod")
    press(page, "Which agents could claim it?")


@scene("diagnostic, requested")
def _diagnostic(page: Page, _: LiveServer) -> None:
    page.goto("deployments/?state=failing&by=agent")
    page.locator("td a[href*='/explain/'], td a[href*='/agents/agent/']").first.click()


@scene("template, previewed")
def _previewed(page: Page, _: LiveServer) -> None:
    open_first(page, "templates_app/stacktemplate/")
    tab(page, "Preview")
    page.locator("[name='parameter:/name']").fill("shop")
    page.locator("[name='parameter:/version']").fill("1.4.2")
    page.locator("#preview-result pre").wait_for()


# --- Logging in, and what is not there ---


@scene("wrong password")
def _wrong_password(page: Page, _: LiveServer) -> None:
    page.context.clear_cookies()
    page.goto("login/")
    page.fill("#id_username", VIEWER)
    page.fill("#id_password", "wrong")
    page.click("button[type=submit]")


@scene("not permitted")
def _not_permitted(page: Page, _: LiveServer) -> None:
    page.goto("login/")
    page.fill("#id_username", VIEWER)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    page.goto("paks/pak/")


@scene("first page of a viewer")
def _as_viewer(page: Page, _: LiveServer) -> None:
    page.goto("")


@scene("stack, seen by a viewer")
def _stack_of_viewer(page: Page, _: LiveServer) -> None:
    open_busy_stack(page)


@scene("own password")
def _own_password(page: Page, _: LiveServer) -> None:
    page.goto("password_change/")


@scene("not there")
def _not_there(page: Page, _: LiveServer) -> None:
    page.goto("nothing/like/it/")


@scene("logged out")
def _logged_out(page: Page, _: LiveServer) -> None:
    page.goto("")
    page.locator("form[action$='/logout/']").first.evaluate("form => form.submit()")
    page.wait_for_load_state()


def _failing(page: Page, server: LiveServer, status: int, command: str) -> None:
    body = server.manage("shell", "--no-imports", "--command", command)
    page.route("**/failing/", lambda route: route.fulfill(status=status, content_type="text/html", body=body))
    page.goto("failing/")
    page.unroute_all()


@scene("broken")
def _broken(page: Page, server: LiveServer) -> None:
    _failing(page, server, 500, _BROKEN_PAGE)


@scene("not now")
def _not_now(page: Page, server: LiveServer) -> None:
    _failing(page, server, 503, _NOT_NOW_PAGE)


# --- The API explorer ---

_EXPLORER_MILLISECONDS = 90_000


def _explore(page: Page) -> None:
    page.goto("../swagger-ui")
    # Its script computes for five seconds before it shows the first operation, so a busy machine takes much longer.
    page.locator(".opblock").first.wait_for(timeout=_EXPLORER_MILLISECONDS)


@scene("API explorer")
def _explorer(page: Page, _: LiveServer) -> None:
    _explore(page)


@scene("API explorer, to be authorized")
def _explorer_authorize(page: Page, server: LiveServer) -> None:
    _explore(page)
    page.locator("button.authorize").first.click()
    page.locator(".auth-container input").first.fill(server.admin_key)


@scene("API explorer, tried out")
def _explorer_tried(page: Page, server: LiveServer) -> None:
    _explorer_authorize(page, server)
    page.locator(".auth-btn-wrapper button.authorize").first.click()
    page.locator(".auth-btn-wrapper button.btn-done").click()
    operation = page.locator(".opblock-get").first
    operation.locator(".opblock-summary").click()
    operation.locator(".try-out__btn").click()
    operation.locator("button.execute").click()
    operation.locator(".live-responses-table").wait_for(timeout=_EXPLORER_MILLISECONDS)
    operation.evaluate("element => element.scrollIntoView()")
