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
import psycopg  # noqa: E402


class PrivatePostgres:
    """A server of one's own on a Unix socket, which may be stopped and started again with the same data."""

    def __init__(self, data: Path) -> None:
        self._server = pgserver.get_server(data, cleanup_mode="stop")

    @property
    def url(self) -> str:
        """Where it is; the same after a restart."""
        uri: str = self._server.get_uri()
        return uri

    def forgo_durability(self) -> None:
        """Confirm what the disk has not got yet. Only a crash of the machine would lose it, and no test makes one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """Cut off every client and end, as an administrator's restart does."""
        pgserver.pg_ctl(
            ["-w", "-m", "fast", "stop"], pgdata=self._server.pgdata, user=self._server.system_user
        )

    def start(self) -> None:
        """Start after `stop`, and wait until it takes connections."""
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        """End for good."""
        self._server.cleanup()


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    """A fresh server, stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="brokkr-pg-") as folder:
        # pgserver starts the server as another user when it runs as root.
        Path(folder).chmod(0o755)
        server = PrivatePostgres(Path(folder) / "data")
        try:
            yield server
        finally:
            server.remove()


def main(command: list[str]) -> int:
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return subprocess.run(command, check=False).returncode
    with private_postgres() as server:
        server.forgo_durability()
        return subprocess.run(command, check=False, env=os.environ | {"DATABASE_URL": server.url}).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
