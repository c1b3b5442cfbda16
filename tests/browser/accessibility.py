"""What axe finds wrong with a page, and how it is used by the keyboard alone."""

from collections.abc import Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

_AXE = Axe().axe_script
# Each element as its tag and classes, with those of all elements that it is in.
_KINDS = """() => [...new Set([...document.body.querySelectorAll("*")].map((element) => {
  const chain = [];
  for (let part = element; part !== document.body; part = part.parentElement) {
    chain.push(`${part.tagName}.${part.getAttribute("class") ?? ""}`);
  }
  return chain.join(" < ");
}))]"""

# What opens fades in, from the second frame on: of half of it axe would judge what nobody reads.
_WHEN_AT_REST = """async () => {
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  const moving = document.getAnimations().filter((each) => each instanceof CSSTransition);
  await Promise.allSettled(moving.map((each) => each.finished));
}"""

# At once: of a colour on its way to another one axe would judge what nobody reads.
_INTO_THE_DARK = """() => {
  document.documentElement.classList.add("dark");
  document.getAnimations().filter((each) => each instanceof CSSTransition).forEach((each) => each.finish());
}"""


def complaints(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """What axe reports of the page as it is when nothing moves any more, by all of its rules or these."""
    page.evaluate(_WHEN_AT_REST)
    page.evaluate(_AXE)
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    violations = page.evaluate("options => axe.run(options).then(found => found.violations)", options)
    return [
        f"{each['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for each in violations
        for node in each["nodes"]
    ]


class AxeOnWhatIsNew:
    """Asks axe of each page in light and dark, unless all kinds of elements on it were on pages before.

    Many pages differ in their rows only, and axe takes longer than all else.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def complaints(self, page: Page) -> list[str]:
        """What axe reports of the page in the width that it has now."""
        kinds = set(page.evaluate(_KINDS))
        if kinds <= self._seen:
            return []
        self._seen |= kinds
        found = [f"light: {each}" for each in complaints(page)]
        # Other than by loading the page anew, which takes longer. In the dark nothing but colours is different.
        page.evaluate(_INTO_THE_DARK)
        return found + [
            f"dark: {each}" for each in complaints(page, ["color-contrast", "link-in-text-block"])
        ]


def complaints_of(page: Page, path: str) -> list[str]:
    """What axe reports of the page at a path, which must be there."""
    answer = page.goto(path)
    assert answer is not None
    assert answer.status < 400, (path, answer.status)
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


def press_action(page: Page, name: str) -> None:
    """Press a link among a page's actions, which a phone shows behind a button."""
    behind = page.get_by_role("button", name="Actions")
    if behind.is_visible():
        press(page, behind)
    press(page, page.get_by_role("link", name=name))
