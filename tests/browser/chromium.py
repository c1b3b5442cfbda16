"""A headless Chromium: the system's where there is one, else the one that Playwright fetches.

`python -m tests.browser.chromium` sees to it that there is one, by the system's packages where this process may install
them, else by Playwright.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Only a bound for one that never starts: the machine may be busy.
_PATIENCE_MILLISECONDS = 120_000


def system_chromium() -> str | None:
    """The path of the browser that the system has."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def launch(playwright: Playwright) -> Browser:
    # Tests run in containers and as root, where Chromium's own sandbox cannot.
    return playwright.chromium.launch(
        executable_path=system_chromium(), chromium_sandbox=False, timeout=_PATIENCE_MILLISECONDS
    )


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright)
        try:
            yield running
        finally:
            running.close()


def main() -> int:
    if system_chromium() or _has_own():
        return 0
    print("Installing a Chromium for the tests in a browser …", file=sys.stderr)  # noqa: T201
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update", "-q")
        _run("apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium")
    else:
        _run(sys.executable, "-m", "playwright", "install", "chromium")
    return 0


def _run(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def _has_own() -> bool:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


if __name__ == "__main__":
    raise SystemExit(main())
