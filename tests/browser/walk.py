"""The pages of the admin that links lead to, found by following the sidebar, lists, rows, tabs and buttons."""

from collections.abc import Iterator

from playwright.sync_api import Page

# Lists whose rows differ by their state: the filters for rows that are looked at beside the first.
_STATES = {
    "rollouts/rollout/": [
        f"?state={state}"
        for state in (
            "queued",
            "frozen",
            "waiting_for_approval",
            "progressing",
            "paused",
            "succeeded",
            "aborted",
            "rolled_back",
            "superseded",
        )
    ],
    "webhooks/delivery/": ["?status__exact=pending", "?status__exact=dead", "?status__exact=success"],
    "webhooks/subscription/": ["?q=job-tracker"],
    "paks/pak/": ["?revoked=only", "?role__exact=generator", "?role__exact=admin"],
    "diagnostics/diagnosticrequest/": ["?status__exact=completed", "?status__exact=pending"],
    "workorders/workorder/": ["?status__exact=CLAIMED", "?status__exact=RETRY_PENDING"],
    "workorders/workorderlogentry/": ["?success__exact=1", "?success__exact=0"],
    "health/deploymenthealth/": ["?status__exact=failing", "?status__exact=degraded"],
    "agents/agentevent/": ["?status__exact=FAILURE"],
    "agents/agent/": ["?heard=silent", "?heard=never", "?deleted=only"],
    "stacks/stack/": ["?state=failing", "?deleted=only"],
    "stacks/deploymentobject/": ["?deleted=only"],
}


def walk(page: Page, url: str, *, every_state: bool = False) -> Iterator[str]:
    """The pages that a user who is logged in finds, as paths below /admin/.

    With `every_state` these are the pages of a row in each state that its list knows, else of the first row alone.
    """
    page.goto(f"{url}/admin/")
    yield ""
    yield "stacks/stack/?q=nothing+like+it"
    lists = [path for path in paths(page, "#nav-sidebar a, nav a") if path]
    for path in lists:
        yield path
        page.goto(f"{url}/admin/{path}")
        forms = [each for each in paths(page, "a[href$='/add/']") if each.startswith(path)]
        tabs = paths(page, ".brokkr-tabs a")
        rows = paths(page, "#result_list tbody th a")
        yield from forms[:1]
        yield from (f"{path}{each}" if each.startswith("?") else each for each in tabs)
        # Of agents, one that fails is worth more than the first.
        if path.startswith("agents/agent/"):
            page.goto(f"{url}/admin/deployments/?state=failing&by=agent")
            rows = paths(page, "td a[href*='/agents/agent/']") or rows
        rows = rows[:1]
        for each in _STATES.get(path, ()) if every_state else ():
            page.goto(f"{url}/admin/{path}{each}")
            rows += paths(page, "#result_list tbody th a")[:1]
        for row in dict.fromkeys(rows):
            yield from _row(page, url, row)
        # What has not ended says more of rollouts than the first of the list.
        if path.startswith("rollouts/rollout/"):
            page.goto(f"{url}/admin/")
            for row in paths(page, ".brokkr-running a"):
                yield from [row] if row.startswith(path) else [row.replace("/change/", "/rollouts/")]


def _row(page: Page, url: str, row: str) -> Iterator[str]:
    """A row's page, its tabs, and what its buttons ask."""
    yield row
    page.goto(f"{url}/admin/{row}")
    tabs = paths(page, "#tabs-items a[href^='/admin/']")
    yield from tabs
    base = row.removesuffix("change/")
    yield from (each for each in paths(page, f"a[href^='/admin/{base}']") if "/history/" not in each)
    yield from (f"{row}{each}" for each in paths(page, "a[href^='?edit=']"))
    for tab in tabs:
        if tab.endswith("/outcomes/"):
            page.goto(f"{url}/admin/{tab}")
            yield from paths(page, "a[href*='/explain/?']")[:1]


def paths(page: Page, selector: str) -> list[str]:
    """The addresses of links, those within the admin as paths below /admin/."""
    links = page.eval_on_selector_all(selector, "links => links.map(link => link.getAttribute('href'))")
    # A row of a filtered list would be another page than the same row without.
    found = [link.removeprefix("/admin/").partition("?_changelist_filters=")[0] for link in links if link]
    return [path for path in found if not path.startswith("#")]
