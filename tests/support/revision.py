"""A checkout of another revision, for benches that compare with it and for the test of upgrades."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import ROOT

_GIT = ("git", "-C", str(ROOT))


def has(revision: str) -> bool:
    """Whether the clone has the commit, or gets it now. What a shallow clone lacks is fetched by its whole name."""
    look = [*_GIT, "cat-file", "-e", f"{revision}^{{commit}}"]
    if subprocess.run(look, capture_output=True, check=False).returncode == 0:
        return True
    fetch = [*_GIT, "fetch", "--quiet", "--depth=1", "origin", revision]
    return subprocess.run(fetch, capture_output=True, check=False).returncode == 0


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """A worktree of `revision` that exists as long as the block and uses this tree's environment.

    Raises LookupError if the clone does not have the commit and cannot get it.
    """
    if not has(revision):
        raise LookupError(f"{revision} is not in this clone and cannot be fetched")
    with tempfile.TemporaryDirectory(prefix="brokkr-revision-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run([*_GIT, "worktree", "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            (tree / ".venv").symlink_to((ROOT / ".venv").resolve())
            yield tree
        finally:
            subprocess.run([*_GIT, "worktree", "remove", "--force", str(tree)], check=True)
