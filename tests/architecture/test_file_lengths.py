"""No file is longer than what one reads in one go; those that tools write are not read."""

import os
from collections.abc import Iterator
from pathlib import Path

from tests.support.server import ROOT

LONGEST = 400
KINDS = {".py", ".css", ".js", ".html", ".md", ".toml", ".sh", ".yaml", ".txt"}
# Made by a program, or by running one.
GENERATED = (
    "openapi/*.yaml",
    "*/migrations/*.py",
    "bench/results/*",
    "data/*",
    "staticfiles/*",
    "locks/*.txt",
)


def _files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        # Caches and the environment; links are not followed.
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        yield from (Path(folder, name).relative_to(ROOT) for name in names if Path(name).suffix in KINDS)


def test_no_file_is_longer_than_400_lines():
    lengths = {
        str(path): (ROOT / path).read_bytes().count(b"\n")
        for path in _files()
        if not any(path.match(pattern) for pattern in GENERATED)
    }
    assert len(lengths) > 500
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}
