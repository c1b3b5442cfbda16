"""The locks, which are what is installed, hold what requirements*.txt pin and what that requires."""

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.server import ROOT

RUNTIME = ROOT / "locks" / "runtime.txt"
DEV = ROOT / "locks" / "dev.txt"
AGENT = ROOT / "locks" / "agent.txt"
# Each has a list and a lock of its name.
LISTS = ("agent", "image", "tracing")
# The plugin of the tests stands among the packages of the product; it and what it alone requires stay out.
OF_THE_TESTS = {"pytest-django", "pytest", "pluggy", "iniconfig", "packaging", "pygments"}


def _pins(*names: str) -> dict[str, str]:
    """The version of each package that these lists pin."""
    lines = (line for name in names for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    found = (re.fullmatch(r"([\w-]+)(?:\[\w+\])?==(\S+)", line) for line in lines)
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin}


def _locked(lock: Path) -> list[Requirement]:
    """The packages of a lock, after asserting that each has hashes."""
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
    packages = [entry.partition("\\") for entry in entries if not entry.startswith("#")]
    for package, _, hashes in packages:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", hashes), package
    return [Requirement(package) for package, _, _ in packages]


def _versions(lock: Path) -> dict[str, str]:
    return {package.name: str(package.specifier).removeprefix("==") for package in _locked(lock)}


def _required(name: str) -> set[str]:
    """What a package requires on this machine, without its extras."""
    requirements = (Requirement(text) for text in requires(name) or [])
    return {
        canonicalize_name(requirement.name)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }


def test_the_product_is_locked_at_the_versions_of_the_list_without_its_tests():
    listed, locked = _pins("requirements.txt"), _versions(RUNTIME)

    assert locked.items() <= listed.items()
    assert listed.keys() - locked.keys() == OF_THE_TESTS


def test_the_tests_are_locked_at_the_versions_of_the_lists():
    assert _pins("requirements.txt", "requirements-dev.txt").items() <= _versions(DEV).items()


@pytest.mark.parametrize("name", LISTS)
def test_every_other_list_is_locked_at_its_versions(name):
    assert _pins(f"requirements-{name}.txt").items() <= _versions(ROOT / "locks" / f"{name}.txt").items()


@pytest.mark.parametrize("lock", [RUNTIME, DEV, AGENT], ids=lambda path: path.stem)
def test_what_a_locked_package_requires_is_locked(lock):
    locked = _locked(lock)
    here = [package.name for package in locked if package.marker is None or package.marker.evaluate()]

    assert {required for name in here for required in _required(name)} <= {package.name for package in locked}
