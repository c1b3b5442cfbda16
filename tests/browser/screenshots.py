"""Pictures of every page of the admin with a demonstration fleet: `make screenshots`.

What there is to see is found by following the sidebar, the first row of each list, its tabs and its forms.
"""

import argparse
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.chromium import browser
from tests.support.server import ROOT, LiveServer

USER, PASSWORD = "astrid", "only for screenshots"
# Longer pages are cut: nobody looks at more.
_HEIGHT = 3_000


@dataclass(frozen=True)
class Mode:
    name: str
    width: int
    height: int
    scheme: str


MODES = (
    Mode("light-1280", 1280, 800, "light"),
    Mode("dark-1280", 1280, 800, "dark"),
    Mode("light-1920", 1920, 1080, "light"),
    Mode("dark-1920", 1920, 1080, "dark"),
    Mode("light-390", 390, 844, "light"),
    Mode("dark-390", 390, 844, "dark"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--only", default="", help="pages whose path matches this regular expression")
    parser.add_argument("--modes", default="", help="modes whose name contains this")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="brokkr-shots-") as name, browser() as chromium:
        server = demonstration(Path(name))
        try:
            pages = [page for page in _pages(chromium, server.url) if re.search(options.only, page)]
            for mode in MODES:
                if options.modes in mode.name:
                    _shoot(chromium, server.url, pages, mode, options.out)
        finally:
            server.stop()
    return 0


def demonstration(folder: Path) -> LiveServer:
    """A running broker with a demonstration fleet, and a user who may do everything."""
    server = LiveServer(database_url=f"sqlite:///{folder / 'demo.sqlite3'}", data_dir=folder)
    server.prepare()
    server.manage("seed_demo")
    os.environ["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    server.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    server.manage("createsuperuser", "--noinput", "--username", USER, "--email", "astrid@example.com")
    server.start()
    return server


def log_in(page: Page, url: str) -> None:
    """Log that user in."""
    page.goto(f"{url}/admin/login/")
    page.fill("#id_username", USER)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{url}/admin/")


def _pages(chromium: Browser, url: str) -> list[str]:
    """Paths below /admin/, each once."""
    with chromium.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        log_in(page, url)
        found = dict.fromkeys(walk(page, url))
    return list(found)


def walk(page: Page, url: str) -> Iterator[str]:
    """The pages that a user who is logged in finds, as paths below /admin/."""
    page.goto(f"{url}/admin/")
    yield ""
    yield "stacks/stack/?q=nothing+like+it"
    lists = [path for path in _paths(page, "#nav-sidebar a, nav a") if path]
    for path in lists:
        yield path
        page.goto(f"{url}/admin/{path}")
        forms = [each for each in _paths(page, "a[href$='/add/']") if each.startswith(path)]
        tabs = _paths(page, ".brokkr-tabs a")
        rows = _paths(page, "#result_list tbody tr:first-child th a")
        yield from forms[:1]
        yield from (f"{path}{each}" if each.startswith("?") else each for each in tabs)
        # Of agents, one that fails is worth more than the first.
        if path.startswith("agents/agent/"):
            page.goto(f"{url}/admin/deployments/?state=failing")
            rows = _paths(page, "td a[href*='/agents/agent/']") or rows
        for row in rows[:1]:
            yield from _row(page, url, row)
        # What has not ended says more of rollouts than the first of the list.
        if path.startswith("rollouts/rollout/"):
            page.goto(f"{url}/admin/")
            for row in _paths(page, ".brokkr-running a"):
                yield from [row] if row.startswith(path) else [row.replace("/change/", "/rollouts/")]


def _row(page: Page, url: str, row: str) -> Iterator[str]:
    """A row's page, its tabs, and what its buttons ask."""
    yield row
    page.goto(f"{url}/admin/{row}")
    tabs = _paths(page, "#tabs-items a[href^='/admin/']")
    yield from tabs
    base = row.removesuffix("change/")
    yield from (each for each in _paths(page, f"a[href^='/admin/{base}']") if "/history/" not in each)
    for tab in tabs:
        if tab.endswith("/outcomes/"):
            page.goto(f"{url}/admin/{tab}")
            yield from _paths(page, "a[href*='/explain/?']")[:1]


def _paths(page: Page, selector: str) -> list[str]:
    links = page.eval_on_selector_all(selector, "links => links.map(link => link.getAttribute('href'))")
    return [link.removeprefix("/admin/") for link in links if link and not link.startswith("#")]


def _shoot(chromium: Browser, url: str, pages: list[str], mode: Mode, out: Path) -> None:
    with chromium.new_context(
        viewport={"width": mode.width, "height": mode.height},
        color_scheme="dark" if mode.scheme == "dark" else "light",
        reduced_motion="reduce",
    ) as context:
        page = context.new_page()
        page.goto(f"{url}/admin/login/")
        page.screenshot(path=out / f"login--{mode.name}.png")
        log_in(page, url)
        for path in pages:
            response = page.goto(f"{url}/admin/{path}", wait_until="networkidle")
            status = response.status if response else 0
            _picture(page, mode, out / f"{_file_name(path)}--{mode.name}.png")
            print(f"{mode.name} {status} /admin/{path}")  # noqa: T201  for the person who waits
            if path.endswith("/rotate/"):
                page.get_by_role("button", name="Replace", exact=True).click()
                _picture(page, mode, out / f"{_file_name(path)}-done--{mode.name}.png")
        page.goto(f"{url}/swagger-ui")
        page.wait_for_selector(".opblock")
        page.screenshot(path=out / f"swagger--{mode.name}.png")


def _picture(page: Page, mode: Mode, file: Path) -> None:
    # A window as high as the page: what sticks to an edge would else be in the middle of the picture.
    height = min(page.evaluate("document.documentElement.scrollHeight"), _HEIGHT)
    page.set_viewport_size({"width": mode.width, "height": max(height, mode.height)})
    page.screenshot(path=file)
    page.set_viewport_size({"width": mode.width, "height": mode.height})


def _file_name(path: str) -> str:
    short = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "ID", path)
    return re.sub(r"[^A-Za-z0-9]+", "-", short).strip("-") or "index"


if __name__ == "__main__":
    raise SystemExit(main())
