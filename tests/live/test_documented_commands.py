"""The commands in README and docs/how-to run as they are written there, from top to bottom of each page.

A block that cannot run says why in the line above it: `<!-- no-run: reason -->`. Each page gets a checkout of its own.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.server import ROOT, free_port, is_answered
from tests.support.waits import wait_for

pytestmark = [pytest.mark.live, pytest.mark.any_database("what a page says; it makes a database of its own")]

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs" / "how-to").glob("*.md")])
COMMANDS = {"sh", "bash", "console"}
# Runs until it is told to stop; what follows on the page talks to it.
SERVER = "make run"
# What stands for the key that the server printed.
KEY = "brokkr_…"
PATIENCE = 600
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_NO_RUN = re.compile(r"<!-- no-run: (\S+ .*\S+) -->\n\Z")


@dataclass(frozen=True)
class Block:
    """Commands of a page, and why they cannot run, empty if they can."""

    text: str
    no_run: str


def blocks(page: str) -> Iterator[Block]:
    """The blocks of commands. A block without a language is an error, because it may hold commands."""
    for fence in _FENCE.finditer(page):
        assert fence["language"], f"a block without a language: {fence['text']}"
        if fence["language"] in COMMANDS:
            reason = _NO_RUN.search(page[: fence.start()])
            yield Block(fence["text"], reason[1] if reason else "")


def test_a_block_without_a_language_or_a_reason_of_one_word_does_not_pass():
    block = "```sh\nls\n```\n"
    assert [each.no_run for each in blocks(block)] == [""]
    assert [
        each.no_run for each in blocks(f"<!-- no-run: -->\n{block}<!-- no-run: because -->\n{block}")
    ] == ["", ""]
    assert [each.no_run for each in blocks(f"<!-- no-run: needs a cluster -->\n{block}")] == [
        "needs a cluster"
    ]
    assert list(blocks("```yaml\na: 1\n```\n")) == []
    with pytest.raises(AssertionError):
        list(blocks("```\nls\n```\n"))


class Reader:
    """Somebody who follows one page in a checkout, with what the page lets him fill in."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout
        self._output = checkout.parent / "output"
        self._server: subprocess.Popen[bytes] | None = None
        port = free_port()
        self._url = f"http://localhost:{port}"
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BROKKR", "DATABASE", "DJANGO"))
        }
        self._environment = kept | {
            "PATH": f"{checkout / '.venv' / 'bin'}:{os.environ['PATH']}",
            "BROKKR_PORT": str(port),
            # The environment is there already.
            "MAKEFLAGS": "--old-file=.venv/.installed",
        }

    def follow(self, block: Block) -> None:
        """Run the commands, which must succeed."""
        text = self._filled_in(block.text)
        if text.split("#")[0].strip() == SERVER:
            self._serve(text)
            return
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self._checkout,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        with self._output.open("a") as output:
            output.write(done.stdout)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"

    def _filled_in(self, text: str) -> str:
        text = text.replace("http://localhost:3000", self._url)
        text = text.replace("PAK_HASH=…", f"PAK_HASH={'5' * 64}")
        if KEY in text:
            text = text.replace(KEY, self._printed_key())
        assert "…" not in text, f"nothing to fill in: {text}"
        return text

    def _printed_key(self) -> str:
        keys: list[str] = re.findall(r"\bbrokkr_[A-Za-z0-9]+_[A-Za-z0-9]+", self._output.read_text())
        return keys[-1]

    def _serve(self, text: str) -> None:
        assert self._server is None, "a page starts one server"
        with self._output.open("ab") as output:
            self._server = subprocess.Popen(
                ["bash", "-c", text],
                cwd=self._checkout,
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_for(self._is_ready, patience=PATIENCE)

    def _is_ready(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, self._output.read_text()
        return is_answered(f"{self._url}/readyz")

    def stop(self) -> None:
        """Stop the server as a terminal does."""
        if self._server is not None:
            # make, too, ends with an error then.
            with suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGINT)
            self._server.wait(PATIENCE)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    checkout = tmp_path / "checkout"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\0"
    ):
        source = ROOT / name
        if name and source.is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, checkout / name)
    (checkout / ".venv").symlink_to(Path(sys.prefix))
    made = Reader(checkout)
    try:
        yield made
    finally:
        made.stop()


_RUN = [page for page in PAGES if any(not block.no_run for block in blocks(page.read_text(encoding="utf-8")))]


def test_there_are_pages_with_commands_to_run():
    assert ROOT / "README.md" in _RUN
    assert len(_RUN) >= 3


@pytest.mark.parametrize("page", _RUN, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page: Path, reader: Reader):
    for block in blocks(page.read_text(encoding="utf-8")):
        if not block.no_run:
            reader.follow(block)
