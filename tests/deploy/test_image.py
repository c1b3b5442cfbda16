"""The image runs as everything that it is for: as its user, on a file system that it cannot write, without a shell."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.image import Image, built_image, private_data
from tests.support.server import ROOT, free_port, http_get
from tests.support.waits import wait_for

pytestmark = pytest.mark.image

_PATIENCE = 120


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with built_image() as made:
        yield made


class Containers:
    """Processes of the image that share a folder, a port and settings."""

    def __init__(self, image: Image, data: Path) -> None:
        self._image, self._data = image, data
        self.port = free_port()
        self._environment: Mapping[str, str] = {"BROKKR_BIND": "127.0.0.1", "BROKKR_PORT": str(self.port)}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(self._command(command), capture_output=True, text=True, check=False)

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs until the block ends, at the latest."""
        process = subprocess.Popen(self._command(command))
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def is_ready(self) -> bool:
        return self.run(*self._image.health_command).returncode == 0 and self._readiness() == 200

    def _readiness(self) -> int:
        return http_get(f"http://127.0.0.1:{self.port}/readyz", timeout=60).status_code

    def _command(self, command: tuple[str, ...]) -> list[str]:
        return self._image.command(list(command), data=self._data, environment=self._environment)


@pytest.fixture(scope="module")
def containers(image: Image) -> Iterator[Containers]:
    with private_data() as data:
        containers = Containers(image, data)
        for command in ("migrate", "bootstrap"):
            done = containers.run("python3", "manage.py", command)
            assert done.returncode == 0, done.stderr
        yield containers


def test_web_becomes_healthy_and_ready_and_ends_when_it_is_told_to(image: Image, containers: Containers):
    # Nobody listens yet.
    assert containers.run(*image.health_command).returncode != 0
    with containers.running(*image.configuration["Cmd"]) as web:
        wait_for(containers.is_ready, patience=_PATIENCE)
        web.send_signal(signal.SIGTERM)
        assert web.wait(_PATIENCE) == 0


def test_the_worker_is_seen_and_ends_when_it_is_told_to(containers: Containers):
    def seen() -> bool:
        found = json.loads(containers.run("python3", "manage.py", "doctor", "--json").stdout)
        return "worker" not in {finding["check"] for finding in found}

    assert not seen()
    with containers.running("python3", "manage.py", "run_worker") as worker:
        wait_for(seen, patience=_PATIENCE)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(_PATIENCE) == 0


def test_it_is_not_root_and_has_no_shell(image: Image, containers: Containers):
    assert image.configuration["User"] == "10001:10001"
    who = "import os; print(os.getuid(), os.getgid(), os.getgroups())"
    assert containers.run("python3", "-c", who).stdout == "10001 10001 [10001]\n"
    assert containers.run("/bin/sh", "-c", "true").returncode != 0


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        # Of root.
        ("/app/manage.py", "Permission denied"),
        # Everybody may write there, but for the read-only file system on which everything else has just worked.
        ("/var/tmp/new", "Read-only file system"),  # noqa: S108  nothing is written
    ],
)
def test_it_writes_nothing_but_its_data(containers: Containers, path: str, refusal: str):
    assert refusal in containers.run("python3", "-c", f"open({path!r}, 'a')").stderr


def test_it_says_what_it_is(image: Image):
    labels = image.configuration["Labels"]
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", labels["org.opencontainers.image.revision"])


def test_its_bill_of_materials_names_what_is_locked_for_running_and_nothing_else(image: Image):
    bill = json.loads((image.root / "usr/share/doc/brokkr/sbom.cdx.json").read_text())
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "locks/runtime.txt").read_text(), re.MULTILINE)

    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "brokkr-broker"
    assert {
        (found["name"].lower().replace("_", "-"), found["version"]) for found in bill["components"]
    } == set(locked)


def test_nothing_that_only_builds_is_in_it(image: Image):
    of_ours = [image.root / "opt", image.root / "app"]
    assert not [path for folder in of_ours for path in (*folder.rglob("pip"), *folder.rglob("*.whl"))]
    assert {path.name for path in (image.root / "app").iterdir()}.isdisjoint(
        {"tests", "bench", "locks", ".git"}
    )
