"""The product asks the database's clock; only `core/clock.py` reads the machine's."""

import re

import pytest

from tests.support.server import ROOT

# `core/moments.py` only names Django's function, for migrations. The others are no parts of the broker.
READERS = {"core/clock.py", "core/moments.py"}
OTHERS = {"bench", "brokkr_agent", "simulator", "tests"}
MACHINES_CLOCK = re.compile(r"\b(?:timezone\.now|datetime\.(?:now|utcnow|today))\b")


def product() -> list[str]:
    """The files of the product, by their path in the repository."""
    paths = (path.relative_to(ROOT) for path in ROOT.glob("*/**/*.py"))
    return sorted(
        str(path)
        for path in paths
        if path.parts[0] not in OTHERS
        and "migrations" not in path.parts
        and not path.parts[0].startswith(".")
    )


def readers(files: list[str]) -> set[str]:
    return {file for file in files if MACHINES_CLOCK.search((ROOT / file).read_text(encoding="utf-8"))}


def test_nothing_else_reads_the_machines_clock():
    files = product()
    assert len(files) > 300
    assert readers(files) == READERS


@pytest.mark.parametrize("line", ["at = timezone.now()", "default=timezone.now)", "datetime.now(UTC)"])
def test_what_reads_it_is_recognised(line):
    assert MACHINES_CLOCK.search(line)
