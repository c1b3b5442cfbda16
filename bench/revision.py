"""A checkout of another revision, for benches that compare with it."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import ROOT


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """A worktree of `revision` that exists as long as the block and uses this tree's environment."""
    with tempfile.TemporaryDirectory(prefix="brokkr-revision-") as folder:
        tree = Path(folder) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            (tree / ".venv").symlink_to((ROOT / ".venv").resolve())
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)
