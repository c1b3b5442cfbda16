"""The pictures of the README, with a demonstration fleet: `make pictures` writes them to docs/pictures."""

import re
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.chromium import browser
from tests.browser.screenshots import demonstration, log_in
from tests.browser.walk import walk
from tests.support.server import ROOT

FOLDER = ROOT / "docs" / "pictures"
_WIDTH, _HEIGHT = 1200, 750
# Each picture, and what the path of its page contains.
_PAGES = {
    "control-room": r"^$",
    "rollout": r"^rollouts/rollout/[0-9a-f-]{36}/change/$",
    "explanation": r"/explain/\?",
}


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="brokkr-pictures-") as name, browser() as chromium:
        server = demonstration(Path(name))
        try:
            with chromium.new_context(
                viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme="light", reduced_motion="reduce"
            ) as context:
                page = context.new_page()
                log_in(page, server.url)
                paths = list(walk(page, server.url))
                for picture, pattern in _PAGES.items():
                    # Of rollouts the last ones are under way.
                    path = next(path for path in reversed(paths) if re.search(pattern, path))
                    _take(page, f"{server.url}/admin/{path}", FOLDER / f"{picture}.png")
        finally:
            server.stop()
    return 0


def _take(page: Page, url: str, file: Path) -> None:
    page.goto(url, wait_until="networkidle")
    page.screenshot(path=file)


if __name__ == "__main__":
    raise SystemExit(main())
