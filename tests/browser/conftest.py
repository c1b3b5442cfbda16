"""A broker that really runs, and a browser that looks at it as one of its users."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.chromium import browser
from tests.support.server import SHORT_IDLE, LiveServer, Template

# Errors to the browser that are what some tests are about: pages that are refused, and requests that a test cuts off.
_MEANT = ("403 (Forbidden)", "404 (Not Found)", "net::ERR_FAILED")
PASSWORD = "only for these tests"
# Only a bound for what never comes: the machine may be busy.
_PATIENCE_MILLISECONDS = 120_000
# One of each group, named like it.
MAKE_USERS = f"""
from django.contrib.auth.models import Group, User

for name in ("viewer", "operator", "admin"):
    user = User.objects.create_user(name, password="{PASSWORD}", is_staff=True)
    user.groups.add(Group.objects.get(name=name))
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Site:
    """The running broker, with one user of each group, who is called like it. Rows are made through the API."""

    server: LiveServer
    api: httpx.Client

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.api.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


# For the package, not the session: while a Playwright runs, Django takes this thread for asynchronous and refuses
# the database to the tests that follow.
@pytest.fixture(scope="package")
def site(database_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with database_template.broker(tmp_path_factory.mktemp("browser"), {"BROKKR_WEB_WORKERS": "1"}) as server:
        server.manage("shell", "--no-imports", "--command", MAKE_USERS)
        with httpx.Client(
            base_url=f"{server.url}/api/v1",
            headers={"Authorization": f"Bearer {server.admin_key}"},
            timeout=60,
            limits=SHORT_IDLE,
        ) as api:
            yield Site(server, api)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    with browser() as running:
        yield running


@pytest.fixture(scope="package")
def _profiles(chromium: Browser, site: Site) -> Iterator[Callable[[str], BrowserContext]]:
    """By user, a browser profile that is logged in: logging in and loading the theme take longest."""
    profiles: dict[str, BrowserContext] = {}

    def of_user(name: str) -> BrowserContext:
        if name not in profiles:
            profiles[name] = profile(chromium, site.server.url)
            log_in(profiles[name], name)
        return profiles[name]

    yield of_user
    for each in profiles.values():
        each.close()


def profile(chromium: Browser, url: str) -> BrowserContext:
    """A fresh profile for the admin of the broker at this URL."""
    context = chromium.new_context(
        base_url=f"{url}/admin/",
        viewport={"width": 1280, "height": 900},
        reduced_motion="reduce",
    )
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    return context


def log_in(context: BrowserContext, name: str) -> None:
    """Log the user in who is named like his group."""
    page = context.new_page()
    page.goto("login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    page.close()


@pytest.fixture
def window(chromium: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens windows, in a fresh profile or the given one. Nothing in them may break the policy or fail in a script."""
    complaints: list[str] = []
    pages: list[Page] = []

    def complain(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in _MEANT):
            complaints.append(message.text)

    def open_window(context: BrowserContext | None = None) -> Page:
        page = (context or profile(chromium, site.server.url)).new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        pages.append(page)
        return page

    yield open_window
    for page in pages:
        page.close()
    assert complaints == []


@pytest.fixture
def as_user(window: Callable[..., Page], _profiles: Callable[[str], BrowserContext]) -> Callable[[str], Page]:
    """A window of a user who is logged in."""
    return lambda name: window(_profiles(name))


@pytest.fixture(params=[(1280, "light"), (1920, "dark"), (390, "dark")], ids=["desk", "wall", "phone"])
def as_user_on_screens(
    as_user: Callable[[str], Page], request: pytest.FixtureRequest
) -> Callable[[str], Page]:
    """The same on a usual screen, on a large one and on a phone, in light and dark: the test runs with each."""
    width, scheme = request.param

    def open_window(name: str) -> Page:
        page = as_user(name)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        return page

    return open_window
