"""A headless Chromium: the system's where there is one, else the one that `playwright install` has fetched."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def system_chromium() -> str | None:
    """The path of the browser that the system has."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Tests run in containers and as root, where Chromium's own sandbox cannot.
        running = playwright.chromium.launch(executable_path=system_chromium(), chromium_sandbox=False)
        try:
            yield running
        finally:
            running.close()
