"""The examples that hypothesis draws are the same in each run of the same test."""

import sys
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

MORE_CONSTANTS = "\n".join(f"c{number} = {number}" for number in range(123_000, 123_900))


def drawn() -> list[int]:
    numbers: list[int] = []

    @settings(max_examples=300)
    @given(st.integers())
    def collect(number: int) -> None:
        numbers.append(number)

    collect()
    return numbers


@pytest.mark.skipif(not settings().derandomize, reason="other examples are asked for")
def test_examples_do_not_depend_on_what_else_is_imported(tmp_path, monkeypatch):
    before = drawn()
    module = ModuleType("more_constants")
    module.__file__ = str(tmp_path / "more_constants.py")
    (tmp_path / "more_constants.py").write_text(MORE_CONSTANTS)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert drawn() == before
