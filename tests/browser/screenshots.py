"""Pictures of every page of the admin with a demonstration fleet: `make screenshots`.

What there is to see is what links lead to (`walk.py`) and what acts lead to (`scenes.py`). `pages.json` beside the
pictures lists them: each page with its path, status, title and the name of its picture in each mode.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page

# They add their scenes while they are imported, in this order.
from tests.browser import scenes_of_changes, scenes_of_results  # noqa: F401
from tests.browser.chromium import browser
from tests.browser.scenes import MAKE_VIEWER, scenes
from tests.browser.walk import walk
from tests.support.server import ROOT, LiveServer

USER, PASSWORD = "astrid", "only for screenshots"
# Longer pages are cut: nobody looks at more.
_HEIGHT = 3_000
_PATIENCE_MILLISECONDS = 60_000
_SETTLED_MILLISECONDS = 300
_TO_SCHEME = "isDark => document.documentElement.classList.toggle('dark', isDark)"


@dataclass(frozen=True)
class Mode:
    name: str
    width: int
    height: int
    scheme: str


MODES = (
    Mode("light-1280", 1280, 800, "light"),
    Mode("dark-1920", 1920, 1080, "dark"),
    Mode("dark-390", 390, 844, "dark"),
)


@dataclass
class Shot:
    """A page, with the names of its pictures by mode."""

    page: str
    path: str = ""
    status: int = 200
    title: str = ""
    pictures: dict[str, str] = field(default_factory=dict)
    error: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--only", default="", help="pages whose path or name matches this regular expression")
    parser.add_argument("--modes", default="", help="modes whose name contains this")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    modes = [mode for mode in MODES if options.modes in mode.name]
    with tempfile.TemporaryDirectory(prefix="brokkr-shots-") as name, browser() as chromium:
        server = demonstration(Path(name))
        try:
            with _context(chromium, server.url) as context:
                shots = list(_shots(context, server, re.compile(options.only), modes, options.out))
        finally:
            server.stop()
    (options.out / "pages.json").write_text(json.dumps([asdict(shot) for shot in shots], indent=1) + "\n")
    failed = [shot.page for shot in shots if shot.error]
    print(f"{len(shots)} pages are listed in {options.out / 'pages.json'}.")  # noqa: T201  for who waits
    if failed:
        print(f"Not pictured: {', '.join(failed)}", file=sys.stderr)  # noqa: T201
    return 1 if failed else 0


def demonstration(folder: Path) -> LiveServer:
    """A running broker with a demonstration fleet, and a user who may do everything."""
    server = LiveServer(
        database_url=f"sqlite:///{folder / 'demo.sqlite3'}",
        data_dir=folder,
        # No agent calls while pictures are taken, and none shall fall silent.
        environment={"BROKKR_AGENT_SILENT_AFTER_SECONDS": "3600"},
    )
    server.prepare()
    server.manage("seed_demo")
    os.environ["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    server.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    server.manage("createsuperuser", "--noinput", "--username", USER, "--email", "astrid@example.com")
    server.start()
    return server


def log_in(page: Page, url: str) -> None:
    """Log that user in."""
    page.goto(f"{url}/admin/login/")
    page.fill("#id_username", USER)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{url}/admin/")


def _context(chromium: Browser, url: str) -> BrowserContext:
    context = chromium.new_context(base_url=f"{url}/admin/", reduced_motion="reduce")
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    return context


def _shots(
    context: BrowserContext, server: LiveServer, only: re.Pattern[str], modes: list[Mode], out: Path
) -> Iterator[Shot]:
    page = context.new_page()
    yield from _take_if(only, page, Shot("login", "login/"), modes, out)
    log_in(page, server.url)
    for path in dict.fromkeys(walk(page, server.url, every_state=True)):
        yield from _take_if(only, page, Shot(path or "first page", path), modes, out)
    server.manage("shell", "--no-imports", "--command", MAKE_VIEWER)
    # A button that is called otherwise now is not waited for as long as a page.
    page.set_default_timeout(_PATIENCE_MILLISECONDS / 3)
    for name, act in scenes().items():
        if only.search(name):
            yield _play(page, Shot(name), partial(act, page, server), modes, out)


def _take_if(only: re.Pattern[str], page: Page, shot: Shot, modes: list[Mode], out: Path) -> Iterator[Shot]:
    """The page at the shot's path, loaded anew in each mode."""
    if not only.search(shot.page):
        return
    for mode in modes:
        _set(page, mode)
        answer = page.goto(shot.path)
        shot.status = answer.status if answer else 0
        _picture(page, shot, mode, out)
    yield shot


def _play(page: Page, shot: Shot, act: Callable[[], None], modes: list[Mode], out: Path) -> Shot:
    """What is there after an act. It is done once, so a page keeps what it was given while its mode changes."""
    # Acts are written for a window in which the buttons of a row are not in a menu.
    _set(page, MODES[0])
    try:
        act()
        # What was pressed last may lead to another page.
        page.wait_for_timeout(_SETTLED_MILLISECONDS)
        page.wait_for_load_state()
        for mode in modes:
            _set(page, mode)
            # The theme looks at the scheme only while a page is loaded.
            page.evaluate(_TO_SCHEME, mode.scheme == "dark")
            _picture(page, shot, mode, out)
    except Error as error:
        # The others are worth having without it; the command fails at its end.
        shot.error = str(error).splitlines()[0]
        print(f"{shot.page}: {error}", file=sys.stderr)  # noqa: T201  for who waits
    return shot


def _set(page: Page, mode: Mode) -> None:
    page.emulate_media(color_scheme="dark" if mode.scheme == "dark" else "light")
    page.set_viewport_size({"width": mode.width, "height": mode.height})


def _picture(page: Page, shot: Shot, mode: Mode, out: Path) -> None:
    page.evaluate("document.fonts.ready")
    shot.path, shot.title = page.url.partition("/admin/")[2] or page.url, page.title()
    name = f"{_file_name(shot.page)}--{mode.name}.png"
    # A window as high as the page: what sticks to an edge would else be in the middle of the picture.
    height = min(page.evaluate("document.documentElement.scrollHeight"), _HEIGHT)
    page.set_viewport_size({"width": mode.width, "height": max(height, mode.height)})
    page.screenshot(path=out / name)
    shot.pictures[mode.name] = name
    print(f"{mode.name} {shot.status} {shot.page}")  # noqa: T201  for who waits


def _file_name(page: str) -> str:
    # Ids of rows that were made together begin alike, and their ends are long enough to tell them apart.
    short = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{18}([0-9a-f]{4})", r"\1", page)
    return re.sub(r"[^A-Za-z0-9]+", "-", short).strip("-")


if __name__ == "__main__":
    raise SystemExit(main())
