"""A cell that was killed knows from its journal what it had done."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from simulator.journal import Journal

AGENT = {"what": "agent", "id": "agent", "key": "", "labels": ["mine"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a journal in which one stack is made and a change of it is under way."""
    path = tmp_path / "journal"
    with closing(Journal(path)) as journal:
        journal.write({"what": "stack", "id": "stack"})
        journal.write(
            {"what": "begin", "stack": "stack", "change": "publish", "label": "", "key": "key", "at": 1.0}
        )
    return path


@pytest.fixture
def resumed(path: Path) -> Iterator[Journal]:
    """The journal of the process that goes on."""
    with closing(Journal(path)) as journal:
        yield journal


def test_what_was_written_is_known_again(resumed):
    resumed.read()
    assert resumed.truth.stacks.keys() == {"stack"}
    assert resumed.truth.unfinished.keys() == {"key"}


def test_a_line_that_was_cut_short_is_no_part_of_the_next_one(path, resumed):
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"what":"end","ke')
    resumed.read()
    resumed.write(AGENT)
    with closing(Journal(path)) as journal:
        journal.read()
        assert [agent.id for agent in journal.truth.agents] == ["agent"]
        assert journal.truth.unfinished.keys() == {"key"}
