"""Two PostgreSQL servers, of which one follows the other synchronously and takes its place."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError

import pgserver
import psycopg

from tests.support.postgres import SOCKET, PrivatePostgres, make_data_folder, public_folder

_FOLLOWER = "follower"


class Node:
    """One server with its data in a folder, on a Unix socket there."""

    def __init__(self, data: Path, user: str | None) -> None:
        self.data = data
        self._user = user

    @property
    def socket(self) -> Path:
        """The Unix socket that it listens on."""
        return self.data / SOCKET

    @property
    def url(self) -> str:
        """Its URL, past every proxy."""
        return f"postgresql://postgres@/postgres?host={self.data}"

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        self._control("-w", "-o", f'-h "" -k {self.data}', "-l", str(self.data / "log"), "start")

    def stop(self, mode: str) -> None:
        """Stop in one of PostgreSQL's modes: fast, or immediate as in a crash."""
        self._control("-w", "-m", mode, "stop")

    def promote(self) -> None:
        """Let a follower become a primary, and wait until it writes."""
        self._control("-w", "promote")

    def execute(self, *statements: str) -> None:
        """Run statements past every proxy."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def initialise(self) -> None:
        """Make an empty database cluster in the folder."""
        make_data_folder(self.data, self._user)
        pgserver.initdb(
            ["--auth=trust", "--encoding=utf8", "-U", "postgres"], pgdata=self.data, user=self._user
        )

    def follow(self, primary: "Node") -> None:
        """Become a copy of the primary, start, and let no commit be confirmed that is not here too."""
        make_data_folder(self.data, self._user)
        source = f"host={primary.data} user=postgres application_name={_FOLLOWER}"
        pgserver.pg_basebackup(
            ["-d", source, "-D", str(self.data), "-R", "-c", "fast", "--no-sync"], user=self._user
        )
        # Files of the primary, whose socket is in its data folder.
        for name in (f"{SOCKET}.lock", "log"):
            (self.data / name).unlink(missing_ok=True)
        # When the primary comes back, commits wait for the follower, which looks for it every five seconds otherwise.
        with (self.data / "postgresql.auto.conf").open("a") as configuration:
            configuration.write("wal_retrieve_retry_interval = '1s'\n")
        self.start()
        primary.execute(
            f"ALTER SYSTEM SET synchronous_standby_names = '{_FOLLOWER}'", "SELECT pg_reload_conf()"
        )

    def _control(self, *arguments: str) -> None:
        pgserver.pg_ctl(list(arguments), pgdata=self.data, user=self._user)


class Replicated:
    """A primary and its follower. After a failover the follower is the primary, and a new follower is made."""

    def __init__(self, folder: Path, user: str | None) -> None:
        self._folder, self._user = folder, user
        self._made = 0
        self.primary = self._node()
        self.primary.initialise()
        self.primary.start()
        self.follower = self._node()
        self.follower.follow(self.primary)

    def _node(self) -> Node:
        self._made += 1
        return Node(self._folder / f"n{self._made}", self._user)

    def fail_over(self) -> Node:
        """Fence the primary, which ends as in a crash, and promote the follower. Returns the new primary."""
        old, self.primary = self.primary, self.follower
        old.stop("immediate")
        shutil.rmtree(old.data)
        # It was copied before anybody followed, but a later copy may name a follower that is not there.
        self.primary.promote()
        self.primary.execute("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        return self.primary

    def follow_again(self) -> None:
        """Make a new follower of the present primary."""
        self.follower = self._node()
        self.follower.follow(self.primary)

    def stop(self) -> None:
        """Stop both servers, whatever state they are in."""
        for node in (self.follower, self.primary):
            with suppress(CalledProcessError):
                node.stop("immediate")


@contextmanager
def replicated() -> Iterator[Replicated]:
    """Two new servers, which are stopped and removed at the end."""
    with public_folder() as folder:
        servers = Replicated(folder, _system_user(folder))
        try:
            yield servers
        finally:
            servers.stop()


def _system_user(folder: Path) -> str | None:
    """The user as whom PostgreSQL runs: another one when this process is root's."""
    if os.geteuid() != 0:
        return None
    # The library makes the user when it makes a server.
    server = PrivatePostgres(folder / "first")
    try:
        return server.system_user
    finally:
        server.remove()
