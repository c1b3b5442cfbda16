"""The documents lead to each other: every link has an end, and the index names each of them."""

import re
import subprocess
from functools import cache
from pathlib import Path

from tests.support.server import ROOT

_LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)\s#]*)(?:#([^)\s]*))?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _documents() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).exists()]


def _prose(document: Path) -> str:
    return _CODE.sub("", document.read_text(encoding="utf-8"))


@cache
def _anchors(document: Path) -> set[str]:
    """The names of the document's headings in addresses, as GitHub makes them."""
    headings = (
        re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in _HEADING.findall(_prose(document))
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_of_a_document_leads_somewhere(subtests):
    for document in _documents():
        with subtests.test(str(document.relative_to(ROOT))):
            assert _lost_links(document) == []


def _lost_links(document: Path) -> list[str]:
    lost = []
    for path, anchor in _LINK.findall(_prose(document)):
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            lost.append(f"{path}#{anchor}" if anchor else path)
    return lost


def test_the_index_names_every_document():
    index = ROOT / "docs" / "README.md"
    named = {(index.parent / path).resolve() for path, _ in _LINK.findall(_prose(index))}
    documents = {path for path in _documents() if path.is_relative_to(index.parent)} - {index}
    assert documents - named == set()
