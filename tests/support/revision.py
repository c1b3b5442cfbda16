"""A checkout of another revision, for benches that compare with it and for the test of upgrades."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import ROOT

_GIT = ("git", "-C", str(ROOT))


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """A worktree of `revision` that exists as long as the block and uses this tree's environment.

    Fetches a commit that a shallow clone lacks; then `revision` must be its whole name.
    """
    if subprocess.run(
        [*_GIT, "cat-file", "-e", f"{revision}^{{commit}}"], capture_output=True, check=False
    ).returncode:
        subprocess.run([*_GIT, "fetch", "--quiet", "--depth=1", "origin", revision], check=True)
    with tempfile.TemporaryDirectory(prefix="brokkr-revision-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run([*_GIT, "worktree", "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            (tree / ".venv").symlink_to((ROOT / ".venv").resolve())
            yield tree
        finally:
            subprocess.run([*_GIT, "worktree", "remove", "--force", str(tree)], check=True)
