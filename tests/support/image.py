"""The image of the Dockerfile, built and run where there is no container engine and no registry.

Debian's buildah builds it in a chroot, on a base that debootstrap makes, from wheels. Its processes run in a mount
namespace: as its user, on its file system, which they cannot write, and without a shell.

`python -m tests.support.image` builds it: two or three minutes, as root, with `buildah` and `debootstrap` installed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.server import ROOT

NAME = "localhost/brokkr-broker:checked"
_BASE = "localhost/brokkr-base:bookworm"
_USER = "10001:10001"
# No other process sees what is mounted here. The shells of the image are covered.
_INSIDE = """
set -e
root=$1 data=$2; shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --bind "$data" "$root/data"
for shell in sh bash dash; do
  if [ -e "$root/usr/bin/$shell" ]; then mount --bind /dev/null "$root/usr/bin/$shell"; fi
done
exec chroot --userspec={user} "$root" /usr/bin/env --ignore-environment --chdir=/app "$@"
""".replace("{user}", _USER)


def can_be_built() -> bool:
    """Whether this process is root and finds the tools."""
    return os.geteuid() == 0 and all(shutil.which(tool) for tool in ("buildah", "debootstrap"))


@cache
def is_here() -> bool:
    """Whether the image has been built."""
    return can_be_built() and _buildah("inspect", "--type=image", NAME, check=False) != ""


@dataclass(frozen=True)
class Image:
    """The built image: the folder with its files, and its configuration in Docker's words."""

    root: Path
    configuration: Mapping[str, Any]

    def command(self, command: list[str], *, data: Path, environment: Mapping[str, str]) -> list[str]:
        """What runs a command of the image with this folder as /data. The process is replaced by the command's own."""
        variables = [*self.configuration["Env"], *(f"{name}={value}" for name, value in environment.items())]
        return [
            *("unshare", "--mount", "sh", "-c", _INSIDE, "sh"),
            *(str(self.root), str(data), *variables, *command),
        ]

    @property
    def health_command(self) -> list[str]:
        """The command of HEALTHCHECK."""
        test: list[str] = self.configuration["Healthcheck"]["Test"]
        assert test[0] == "CMD", "it needs a shell"
        return test[1:]


@contextmanager
def built_image() -> Iterator[Image]:
    """The image, whose files are there until the block ends."""
    container = _buildah("from", "--pull-never", NAME).strip()
    try:
        inspected = json.loads(_buildah("inspect", "--type=image", NAME))
        yield Image(
            root=Path(_buildah("mount", container).strip()),
            configuration=inspected["Docker"]["config"],
        )
    finally:
        _buildah("rm", container)


@contextmanager
def private_data() -> Iterator[Path]:
    """An empty folder of the image's user."""
    with tempfile.TemporaryDirectory(prefix="brokkr-data-") as folder:
        uid, gid = (int(number) for number in _USER.split(":"))
        os.chown(folder, uid, gid)
        yield Path(folder)


def _environment() -> dict[str, str]:
    return os.environ | {"BUILDAH_ISOLATION": "chroot"}


def _buildah(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        ["buildah", *arguments], env=_environment(), capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def _make_base() -> None:
    with tempfile.TemporaryDirectory(prefix="brokkr-base-") as folder:
        subprocess.run(
            [
                "debootstrap",
                "--variant=minbase",
                "--include=python3,python3-venv,ca-certificates",
                "bookworm",
                folder,
            ],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        container = _buildah("from", "scratch").strip()
        _buildah("add", container, f"{folder}/")
        _buildah("commit", "--rm", container, _BASE)


def _fetch_wheels(folder: Path) -> None:
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    for lock in ("runtime", "image", "agent"):
        subprocess.run(
            [*download, "--require-hashes", "-r", f"locks/{lock}.txt", "-d", str(folder)],
            cwd=ROOT,
            check=True,
        )


def main() -> int:
    if not can_be_built():
        _say("It needs root, buildah and debootstrap.")
        return 1
    if not _buildah("inspect", "--type=image", _BASE, check=False):
        _say("Making a base with debootstrap …")
        _make_base()
    _say("Fetching wheels …")
    _fetch_wheels(ROOT / "wheels")
    _say("Building …")
    build = [str(ROOT / "deploy" / "image" / "build"), NAME, "--build-arg", f"BASE={_BASE}"]
    return subprocess.run(build, env=_environment(), check=False).returncode


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main())
