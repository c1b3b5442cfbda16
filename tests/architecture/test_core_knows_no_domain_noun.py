"""core is below every app, so none of their nouns stands in it: not in a name, a string or a comment."""

import re
import tokenize
from pathlib import Path

from tests.support.server import ROOT

# Not `template` and `target`: those are Django's, spectacular's and the browser's words too.
DOMAIN = re.compile(
    r"stack|agent|generator|tenant|deployment|manifest|work[ _-]?order|webhook|fleet|target[ _]state|heartbeat",
    re.IGNORECASE,
)
# Words of other trades that are spelled like ours.
NOT_OURS = re.compile(
    r"user[-_]agent",  # HTTP's name of the client's program
    re.IGNORECASE,
)
# What pages look like is no knowledge of the domain.
LOOKS = {".css", ".svg"}


def _words(path: Path) -> list[tuple[int, str]]:
    """The line and text of each name, string and comment of Python, and each line of everything else."""
    if path.suffix == ".py":
        with path.open("rb") as source:
            return [(token.start[0], token.string) for token in tokenize.tokenize(source.readline)]
    return list(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))


def _files() -> list[Path]:
    return [
        path
        for path in sorted((ROOT / "core").rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in LOOKS
    ]


def test_core_knows_no_domain_noun():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match}"
        for path in _files()
        for line, text in _words(path)
        for match in DOMAIN.findall(NOT_OURS.sub("", text))
    ]
    assert found == []


def test_every_kind_of_file_is_read():
    assert {path.suffix for path in _files()} >= {".py", ".html", ".js"}
