"""A PostgreSQL server for the tests, from the binaries in the pgserver wheel.

`python -m tests.support.postgres COMMAND…` runs a command and sets DATABASE_URL to a server: the one that DATABASE_URL
already names, or a private one that is removed after the command.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# pgserver has a lock in the user's runtime folder, which it looks up when it is imported. Outside a login session
# there is no such folder, so it gets a private one.
os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="brokkr-run-")
atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)

import pgserver  # noqa: E402  see above
import psycopg  # noqa: E402

SOCKET = ".s.PGSQL.5432"
# The folder of psql, pg_dump and the like, of the server's own version.
PROGRAMS = Path(pgserver.__file__).parent / "pginstall" / "bin"


@dataclass(frozen=True)
class Standby:
    """A server that follows another one and only reads, until it is promoted."""

    data: Path

    @property
    def url(self) -> str:
        """The URL of the standby."""
        return f"postgresql://postgres@/postgres?host={self.data}"

    @property
    def socket(self) -> Path:
        """The Unix socket that it listens on."""
        return self.data / SOCKET


class PrivatePostgres:
    """A private server on a Unix socket, which can be stopped and started again with the same data."""

    def __init__(self, data: Path) -> None:
        self._server = pgserver.get_server(data, cleanup_mode="stop")

    @property
    def url(self) -> str:
        """The URL of the server, which is the same after a restart."""
        uri: str = self._server.get_uri()
        return uri

    def forgo_durability(self) -> None:
        """Confirm commits before they are on disk. Only a crash of the machine loses them, and no test causes one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")

    @property
    def system_user(self) -> str | None:
        """The user as whom it runs; None for the one of this process."""
        user: str | None = self._server.system_user
        return user

    @property
    def log(self) -> Path:
        """The file that it logs to."""
        log: Path = self._server.log
        return log

    def stop(self) -> None:
        """Disconnect all clients and stop, as in a restart by an administrator."""
        pgserver.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=self._server.pgdata, user=self.system_user)

    def start(self) -> None:
        """Start after `stop`, and wait until it takes connections."""
        self._server.ensure_postgres_running()

    @property
    def socket(self) -> Path:
        """The Unix socket that it listens on."""
        return Path(self._server.get_postmaster_info().socket_dir) / SOCKET

    def suspend(self) -> None:
        """Pause all its processes. The kernel still accepts connections for the server."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the processes go on after `suspend`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        postmaster: int = self._server.get_pid()
        # The postmaster is the first, so that it starts no new children in the meantime.
        os.kill(postmaster, number)
        for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), number)

    @contextmanager
    def standby(self) -> Iterator["Standby"]:
        """A hot standby of the server, which runs until the block ends."""
        user = self.system_user
        with public_folder() as folder:
            data = folder / "data"
            make_data_folder(data, user)
            primary = ["-h", str(self.socket.parent), "-U", "postgres"]
            pgserver.pg_basebackup([*primary, "-D", str(data), "-R", "-c", "fast", "--no-sync"], user=user)
            # This file belongs to the primary; it was copied because the primary's socket is in its data folder.
            (data / f"{SOCKET}.lock").unlink(missing_ok=True)
            pgserver.pg_ctl(
                ["-w", "-o", f'-h "" -k {data}', "-l", str(data / "log"), "start"], pgdata=data, user=user
            )
            try:
                yield Standby(data)
            finally:
                pgserver.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=data, user=user)

    def remove(self) -> None:
        """Stop the server and remove its data."""
        self._server.cleanup()


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    """A new server, which is stopped and removed at the end."""
    with public_folder() as folder:
        server = PrivatePostgres(folder / "data")
        try:
            yield server
        finally:
            server.remove()


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that the server's user may enter, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="brokkr-pg-") as folder:
        # PostgreSQL runs as another user when this process runs as root.
        Path(folder).chmod(0o755)
        yield Path(folder)


def make_data_folder(data: Path, user: str | None) -> None:
    """Make an empty folder for the data of a server that runs as this user; None is the one of this process."""
    data.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(data, user)


def main(command: list[str]) -> int:
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return subprocess.run(command, check=False).returncode
    with private_postgres() as server:
        server.forgo_durability()
        return subprocess.run(command, check=False, env=os.environ | {"DATABASE_URL": server.url}).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
