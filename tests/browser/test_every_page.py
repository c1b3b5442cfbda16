"""Every page of the admin can be read: in each width, in light and dark, by each group of users.

The pages are those that `make screenshots` takes pictures of, with a demonstration fleet.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.accessibility import AxeOnWhatIsNew
from tests.browser.conftest import MAKE_USERS, log_in, profile
from tests.browser.layout import faults_of_layout
from tests.browser.walk import walk
from tests.support.server import LiveServer, Template

pytestmark = pytest.mark.live

# Small, but with a row in each list. In one process, because starting Django takes longest.
_PREPARE = f"""
from django.core.management import call_command
call_command("seed_demo", agents=60, stacks=10, versions=2, work_orders=12)
{MAKE_USERS}
"""
_NOT_THERE = "nothing/like/it/"


@pytest.fixture(scope="module")
def demonstration(
    database_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("demonstration")
    with database_template.broker(folder, {"BROKKR_WEB_WORKERS": "1"}) as server:
        server.manage("shell", "--no-imports", "--command", _PREPARE)
        yield server


@pytest.fixture(scope="module")
def paths(chromium: Browser, demonstration: LiveServer) -> list[str]:
    """Below /admin/, all that an admin finds, and one that is not there."""
    with profile(chromium, demonstration.url) as context:
        log_in(context, "admin")
        return [*dict.fromkeys(walk(context.new_page(), demonstration.url)), _NOT_THERE]


@pytest.fixture(scope="module")
def axe() -> AxeOnWhatIsNew:
    return AxeOnWhatIsNew()


# The width in which axe is asked. Layouts are looked at in all.
_WIDTH_OF = {"admin": 1280, "operator": 1920, "viewer": 390}


@pytest.mark.parametrize("group", _WIDTH_OF)
def test_every_page_can_be_read_by_each_group(chromium, demonstration, paths, axe, group):
    refused, found = [], []
    with profile(chromium, demonstration.url) as context:
        log_in(context, group)
        page = context.new_page()
        for path in paths:
            answer = page.goto(path)
            assert answer.status in ({404} if path == _NOT_THERE else {200, 403}), path
            if answer.status == 403:
                assert page.get_by_role("heading", name="You may not do that here").is_visible(), path
                refused.append(path)
            faults = faults_of_layout(page)
            page.set_viewport_size({"width": _WIDTH_OF[group], "height": 900})
            found += [f"/admin/{path} {each}" for each in faults + axe.complaints(page)]
    assert found == [], "\n".join(found)
    assert ("paks/pak/" in refused) == (group != "admin")
    assert bool(refused) == (group != "admin")
