"""The findings are scripts that anybody can start, and the gate starts none: they fetch packages."""

import os
from pathlib import Path

import pytest

from tests.support.server import ROOT

SCRIPTS = sorted((ROOT / "findings").glob("*.sh"))
GATE = [ROOT / "Makefile", ROOT / ".pre-commit-config.yaml", *sorted((ROOT / ".ci").iterdir())]


def test_there_are_findings() -> None:
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_finding_is_executable(script: Path) -> None:
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_finding_says_the_day_on_which_it_was_seen(script: Path) -> None:
    assert "\n# seen 20" in script.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", GATE, ids=lambda path: path.name)
def test_the_gate_runs_no_finding(path: Path) -> None:
    assert "findings" not in path.read_text(encoding="utf-8")
