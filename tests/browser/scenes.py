"""What no link leads to, with the demonstration fleet: forms with errors, questions, plans, and what an act leaves."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.support.server import LiveServer

Act = Callable[[Page, LiveServer], None]
VIEWER, PASSWORD = "ylva", "only for screenshots"  # of a broker that lives for minutes
MAKE_VIEWER = f"""
from django.contrib.auth.models import Group, User
user = User.objects.create_user("{VIEWER}", password="{PASSWORD}", is_staff=True)
user.groups.add(Group.objects.get(name="viewer"))
"""

_scenes: dict[str, Act] = {}


def scenes() -> dict[str, Act]:
    """By name, in the order in which they must be played: some leave something behind that a later one shows."""
    return _scenes


def scene(name: str) -> Callable[[Act], Act]:
    """Add the function that it stands above as a scene."""

    def note(act: Act) -> Act:
        _scenes[name] = act
        return act

    return note


def press(page: Page, name: str) -> None:
    """Press the button with this name."""
    page.get_by_role("button", name=name, exact=True).first.click()


def open_first(page: Page, path: str) -> None:
    """Open the first row of the list at this path."""
    page.goto(path)
    page.locator("#result_list tbody th a").first.click()


def tab(page: Page, title: str) -> None:
    """Go to the tab with this title."""
    page.locator("#tabs-items").get_by_role("link", name=title, exact=True).click()


def send_as_it_is(page: Page, button: str = "Save") -> None:
    """Send the page's form, although the browser would object."""
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    press(page, button)


def open_busy_stack(page: Page) -> None:
    """A stack that several agents serve and that no rollout delivers."""
    page.goto("stacks/stack/?state=failing")
    page.locator("#result_list tbody th a").last.click()
