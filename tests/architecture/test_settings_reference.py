"""docs/reference/settings.md and the code name the same variables with the same defaults."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.support.server import ROOT

# Their defaults depend on the machine or on another variable, so the page says them in words.
DEFAULT_IN_WORDS = {"BROKKR_DATA_DIR", "BROKKR_WEB_WORKERS", "BROKKR_COOKIE_SECURE"}

# The database is never connected to.
_READ_ALL = """
import json, runpy
runpy.run_path("gunicorn.conf.py")
from config.env import READ
print(json.dumps(READ))
"""


@pytest.fixture(scope="module")
def read_by_the_code(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Each variable that is read and its default."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "BROKKR_DATA_DIR": str(tmp_path_factory.mktemp("data")),
    }
    done = subprocess.run(
        [sys.executable, "-c", _READ_ALL],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def documented() -> dict[str, str]:
    """Each variable of the page and its default as written there."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| \S", page, re.M))


def test_the_page_names_every_variable_that_is_read_and_no_other(
    documented: dict[str, str], read_by_the_code: dict[str, str]
):
    assert sorted(documented) == sorted(read_by_the_code)


def test_the_page_says_the_defaults_of_the_code(documented: dict[str, str], read_by_the_code: dict[str, str]):
    said = {name: default for name, default in documented.items() if name not in DEFAULT_IN_WORDS}

    assert said == {
        name: f"`{default}`" if default else "none"
        for name, default in read_by_the_code.items()
        if name not in DEFAULT_IN_WORDS
    }
