"""Every list of the product's packages against the folders: each names what is there, no more and no less.

A package of the product is a folder with an `__init__.py` at the top, besides the tests and the benches.
"""

import re
import tomllib
from typing import Any

import pytest
from django.conf import settings

from tests.support.server import ROOT

PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
# Beside the ladder: they meet the broker over HTTP only.
BESIDE = {"simulator", "brokkr_agent"}
SITE_AND_CORE = {"brokkr_site", "core"}
_DJANGO = re.compile(r"^(?:from|import) django\b", re.MULTILINE)
_LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def _knows_django(package: str) -> bool:
    return any(_DJANGO.search(path.read_text(encoding="utf-8")) for path in (ROOT / package).rglob("*.py"))


APPS = {package for package in PACKAGES if _knows_django(package)}


def _contract(name: str) -> dict[str, Any]:
    return next(contract for contract in _LINTER["contracts"] if contract["name"] == name)


def _rungs() -> list[set[str]]:
    return [set(layer.split(" | ")) for layer in _contract("Apps import downwards only")["layers"]]


def _drawn_rungs() -> list[set[str]]:
    """The ladder of docs/architecture.md: names at the start of a line, then what they are."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = text.partition("## The ladder")[2].partition("```text\n")[2].partition("```")[0]
    return [set(re.split(r"\s{2,}", line)[0].split(" | ")) for line in block.splitlines() if line[0] != " "]


def _kept_in_the_image() -> set[str]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return {line.removeprefix("!") for line in lines if line.startswith("!")}


def _installed() -> set[str]:
    # The console is there twice: its site stands in for django.contrib.admin.
    return {name.partition(".")[0] for name in settings.INSTALLED_APPS} & PACKAGES


def _served() -> set[str]:
    text = (ROOT / "brokkr_site" / "api_urls.py").read_text(encoding="utf-8")
    return set(re.findall(r'include\("(\w+)\.api\.urls"\)', text))


@pytest.mark.parametrize(
    ("place", "listed", "there"),
    [
        ("pyproject.toml, importlinter, root_packages", set(_LINTER["root_packages"]), PACKAGES),
        ("pyproject.toml, the layers of the ladder", set().union(*_rungs()), PACKAGES - BESIDE),
        (
            'pyproject.toml, the containers of "Inside an app"',
            set(_contract("Inside an app: doors over services over models")["containers"]),
            APPS - SITE_AND_CORE,
        ),
        ("docs/architecture.md, the ladder", set().union(*_drawn_rungs()), PACKAGES - BESIDE),
        (
            ".dockerignore",
            _kept_in_the_image(),
            PACKAGES
            | {"manage.py", "gunicorn.conf.py"}
            # What the image is built with.
            | {"locks/runtime.txt", "locks/image.txt", "locks/agent.txt", "wheels", "pyproject.toml"}
            # What new agents are proposed.
            | {"deploy/kustomize/agent/brokkr-agent.yaml"},
        ),
        ("brokkr_site/settings.py, INSTALLED_APPS", _installed(), APPS),
        (
            "brokkr_site/api_urls.py",
            _served(),
            {path.parts[-3] for path in ROOT.glob("*/api/urls.py")},
        ),
        (
            "tests/",
            {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")} & PACKAGES,
            PACKAGES,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_list_names_every_package_and_no_other(place, listed, there):
    assert not there - listed, f"{place} lacks {sorted(there - listed)}"
    assert not listed - there, f"{place} names {sorted(listed - there)}, which is not there"


def test_the_drawn_ladder_has_the_rungs_of_the_contract():
    assert _drawn_rungs() == _rungs()
