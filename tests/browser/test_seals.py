"""The seals of the audit log in a browser."""

import re

from playwright.sync_api import expect

_WORK = "from audit.jobs import seal_entries, verify_log; seal_entries(); verify_log()"
# Other tests of the same site may have sealed before.
_NUMBER = re.compile(r"number \d+")


def test_the_chain_is_shown_and_verified_and_an_entry_shows_what_changed(as_user, site):
    stack = site.post("/stacks", {"name": "sealed-shop", "generator_id": _generator(site)})
    site.api.put(f"/stacks/{stack['id']}", json={"description": "sells <b>fish</b>"})
    site.server.manage("shell", "--no-imports", "--command", _WORK)
    page = as_user("admin")
    page.goto("audit/auditseal/")
    chain = page.locator("#audit-chain")
    expect(chain).to_contain_text(_NUMBER)
    expect(chain).to_contain_text("never")
    page.get_by_role("button", name="Verify the whole log").click()
    expect(chain).to_contain_text("asked for by admin")
    site.server.manage("shell", "--no-imports", "--command", _WORK)
    page.reload()
    expect(chain).to_contain_text("holds")
    page.goto(f"audit/auditlog/?q={stack['id']}&action=stack.updated")
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    changed = page.locator("table", has=page.get_by_text("before", exact=True))
    expect(changed.get_by_role("row").nth(1)).to_have_text("descriptionnullsells <b>fish</b>")
    page.get_by_role("link", name=_NUMBER).click()
    expect(page.get_by_text("yes", exact=True)).to_be_visible()


def _generator(site) -> str:
    generator: str = site.post("/generators", {"name": "sealed-ci"})["generator"]["id"]
    return generator
