"""One server and one browser for all tests here; a window of its own for each user in each test."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.chromium import browser
from tests.browser.people import PASSWORD
from tests.support.server import LiveServer


@dataclass(frozen=True)
class Site:
    """The server, and what is on it by name."""

    url: str
    ids: dict[str, str]
    keys: dict[str, str]

    def agent(self, name: str, page: str = "change") -> str:
        return f"{self.url}/admin/agents/agent/{self.ids[name]}/{page}/"

    def stack(self, name: str, page: str = "change") -> str:
        return f"{self.url}/admin/stacks/stack/{self.ids[name]}/{page}/"

    def template(self, name: str, page: str = "change") -> str:
        return f"{self.url}/admin/templates_app/stacktemplate/{self.ids[name]}/{page}/"


# For the package, not the session: a running Playwright keeps an event loop in this thread, and Django refuses the
# database to whatever runs beside one.
@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("browser")
    server = LiveServer(
        database_url=f"sqlite:///{folder / 'browser.sqlite3'}",
        data_dir=folder,
        environment={"BROKKR_WEB_WORKERS": "1"},
    )
    made = json.loads(
        server.manage("shell", "--no-imports", "--command", "from tests.browser.world import build; build()")
    )
    server.start()
    try:
        yield Site(server.url, made["ids"], made["keys"])
    finally:
        server.stop()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=15_000)
    with browser() as running:
        yield running


LogIn = Callable[[str], Page]


@pytest.fixture(scope="package")
def sessions(chromium: Browser, site: Site) -> Iterator[Callable[[str], BrowserContext]]:
    """By user, a browser profile that is logged in. Shared, because logging in and loading the theme take longest."""
    contexts: dict[str, BrowserContext] = {}

    def of_user(name: str) -> BrowserContext:
        if name not in contexts:
            contexts[name] = _profile(chromium)
            page = contexts[name].new_page()
            page.goto(f"{site.url}/admin/login/")
            page.get_by_label("Username").fill(name)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"{site.url}/admin/")
            page.close()
        return contexts[name]

    yield of_user
    for context in contexts.values():
        context.close()


def _profile(chromium: Browser) -> BrowserContext:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    return context


@pytest.fixture
def window(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens windows, in a fresh profile or the given one. Nothing in them may break the policy or fail in a script."""
    complaints: list[str] = []
    pages: list[Page] = []

    def complain(message: ConsoleMessage) -> None:
        # A refused page is an error to the browser too, and what some tests are about.
        if message.type == "error" and "403 (Forbidden)" not in message.text:
            complaints.append(message.text)

    def open_window(context: BrowserContext | None = None) -> Page:
        page = (context or _profile(chromium)).new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        pages.append(page)
        return page

    yield open_window
    for page in pages:
        page.close()
    assert complaints == []


@pytest.fixture
def log_in(window: Callable[..., Page], sessions: Callable[[str], BrowserContext]) -> LogIn:
    """Opens a window as the user of that name."""
    return lambda name: window(sessions(name))
