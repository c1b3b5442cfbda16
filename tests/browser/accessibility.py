"""What axe finds wrong with a page, and how it is used by the keyboard alone."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page


def complaints(page: Page) -> list[str]:
    """What axe reports of the page as it is now."""
    return [
        f"{each['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for each in Axe().run(page).response["violations"]
        for node in each["nodes"]
    ]


def complaints_of(page: Page, path: str) -> list[str]:
    """What axe reports of the page at a path, which must be there."""
    answer = page.goto(path)
    assert answer is not None
    assert answer.status < 400 or path == "nothing/like/it/", (path, answer.status)
    return [f"{path}: {each}" for each in complaints(page)]


def tab_to(page: Page, locator: Locator) -> None:
    """Press the tabulator until the element has the focus."""
    for _ in range(200):
        if locator.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the tabulator never comes to it")


def press(page: Page, locator: Locator) -> None:
    """Go to the button or link by the tabulator, and press Enter."""
    tab_to(page, locator)
    page.keyboard.press("Enter")
