"""A broker that really runs, and a browser that looks at it as one of its users."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import browser
from tests.support.server import LiveServer, temporary_database

_PASSWORD = "only for tests"
_USERS = f"""
from django.contrib.auth.models import Group, User
for name in ("viewer", "operator", "admin"):
    user = User.objects.create_user(name, password="{_PASSWORD}", is_staff=True)
    user.groups.add(Group.objects.get(name=name))
"""


@dataclass(frozen=True)
class Site:
    """The running broker, with one user of each group, who is called like it. Rows are made through the API."""

    server: LiveServer
    api: httpx.Client

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.api.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("browser")
    with temporary_database(folder) as url:
        server = LiveServer(database_url=url, data_dir=folder)
        server.prepare()
        server.manage("shell", "--no-imports", "--command", _USERS)
        server.start()
        headers = {"Authorization": f"Bearer {server.admin_key}"}
        try:
            with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers) as api:
                yield Site(server, api)
        finally:
            server.stop()


# Not for the whole session: while it runs, Django believes that this thread is asynchronous.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="session")
def _sessions() -> dict[str, Any]:
    """The cookies of each user who has logged in."""
    return {}


@pytest.fixture
def as_user(site: Site, chromium: Browser, _sessions: dict[str, Any]) -> Iterator[Callable[[str], Page]]:
    """A page of a user who is logged in. What the browser complains about fails the test."""
    complaints: list[str] = []
    with ExitStack() as contexts:

        def open_page(name: str) -> Page:
            context = contexts.enter_context(
                chromium.new_context(
                    viewport={"width": 1280, "height": 900},
                    base_url=f"{site.server.url}/admin/",
                    storage_state=_sessions.get(name),
                )
            )
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda message: complaints.extend(_of_policy(message.text)))
            if name not in _sessions:
                _log_in(page, site.server.url, name)
                _sessions[name] = context.storage_state()
            return page

        yield open_page
    assert complaints == []


def _of_policy(text: str) -> list[str]:
    """What the browser says of scripts and styles that the policy forbids."""
    return [text] if "Content Security Policy" in text else []


def _log_in(page: Page, url: str, name: str) -> None:
    page.goto("login/")
    page.fill("#id_username", name)
    page.fill("#id_password", _PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{url}/admin/")
