"""Whether a page can be read as it is laid out: nothing cut off, and no word broken."""

from pathlib import Path

from playwright.sync_api import Page

WIDTHS = (1280, 1920, 390)
_FAULTS = (Path(__file__).parent / "layout.js").read_text(encoding="utf-8")
# Scroll bars are there a little after the page.
_LOOKS, _BETWEEN_MILLISECONDS = 300, 100


def faults_of_layout(page: Page) -> list[str]:
    """What cannot be read on the page in each of the widths.

    It is loaded again only where something looks wrong, because some fields keep the width that they were loaded with.
    """
    return [f"{width} px: {each}" for width in WIDTHS for each in _faults(page, width)]


def expect_no_wider(page: Page, width: int) -> None:
    """Wait until the page can be seen without scrolling sideways in a window of this width."""
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


def _faults(page: Page, width: int) -> list[str]:
    page.set_viewport_size({"width": width, "height": 900})
    found: list[str] = page.evaluate(_FAULTS)
    if found:
        page.reload()
    for _ in range(_LOOKS):
        if not found:
            break
        page.wait_for_timeout(_BETWEEN_MILLISECONDS)
        found = page.evaluate(_FAULTS)
    return found
