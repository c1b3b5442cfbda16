"""A PostgreSQL server for the tests, from the binaries that the pgserver wheel carries.

`python -m tests.support.postgres COMMAND…` runs a command with DATABASE_URL naming a server: the one that
DATABASE_URL names already, or a private one that lives as long as the command.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# pgserver keeps a lock in the user's runtime folder and asks where that is when it is imported. Outside a login
# session there is none, so it gets a private one.
os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="brokkr-run-")
atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)

import pgserver  # noqa: E402  see above


@contextmanager
def private_server() -> Iterator[str]:
    """The URL of a fresh server on a Unix socket, stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="brokkr-pg-") as folder:
        # pgserver starts the server as another user when it runs as root.
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def main(command: list[str]) -> int:
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return subprocess.run(command, check=False).returncode
    with private_server() as url:
        return subprocess.run(command, check=False, env=os.environ | {"DATABASE_URL": url}).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
