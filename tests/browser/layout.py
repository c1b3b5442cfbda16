"""Whether a page can be read as it is laid out: nothing cut off, and no word broken."""

from pathlib import Path

from playwright.sync_api import Page

WIDTHS = (1280, 1920, 390)
_FAULTS = (Path(__file__).parent / "layout.js").read_text(encoding="utf-8")


def faults_of_layout(page: Page) -> list[str]:
    """What cannot be read on the page in each of the widths, which it is given without being loaded again."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{width} px: {each}" for each in page.evaluate(_FAULTS)]
    return found
