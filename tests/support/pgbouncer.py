"""PgBouncer in transaction mode, in the releases of two versions of Debian, for the tests behind a pooler.

`python -m tests.support.pgbouncer` installs both: Debian 12's from its packages, Debian 13's in its own folder; and the
nginx of the tests behind a proxy. This needs root; without it, the command says which tests are left out.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.server import free_port

# It is kept after the run, because making it takes minutes.
TRIXIE = Path("/var/tmp/brokkr-trixie-pgbouncer")  # noqa: S108  a whole Debian, owned by root
_PATIENCE_SECONDS = 20
# It needs none of root's capabilities.
_USER = "nobody"


@dataclass(frozen=True)
class Release:
    """One installed PgBouncer. `root` is the folder in which chroot runs it; None for the system's own."""

    name: str
    root: Path | None

    @property
    def is_here(self) -> bool:
        """Whether this process can run it."""
        if os.geteuid() != 0:
            return False
        if self.root is None:
            return shutil.which("pgbouncer") is not None
        return (self.root / "usr/sbin/pgbouncer").exists()


SYSTEM = Release("system", None)
OF_TRIXIE = Release("trixie", TRIXIE)


@contextmanager
def pgbouncer(release: Release, *, postgres_port: int, role: str, prepared: bool) -> Iterator[str]:
    """The URL of a pooler with two connections to the server on that loopback port. It runs until the block ends."""
    port = free_port()
    root = release.root or Path("/")
    folder = root / "tmp" / f"pgbouncer-{port}"
    folder.mkdir(mode=0o755)
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n* = host=127.0.0.1 port={postgres_port} user={role}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 100\n"
        + ("max_prepared_statements = 100\n" if prepared else "")
    )
    inside = f"/{configuration.relative_to(root)}"
    change_root = ["chroot", str(root)] if release.root else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*change_root, "/usr/sbin/pgbouncer", "-u", _USER, inside], stdout=log, stderr=log
        )
        url = f"postgres://{role}@127.0.0.1:{port}/postgres"
        try:
            _wait_for(url, process)
            yield url
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "PgBouncer has ended"
            assert time.monotonic() < deadline, "PgBouncer does not answer"
            time.sleep(0.05)
        else:
            return


def main() -> int:
    if shutil.which("nginx") is None:
        if os.geteuid() == 0 and shutil.which("apt-get"):
            _install(["apt-get", "update", "-q"], ["apt-get", "install", "-q", "-y", "nginx-light"])
        else:
            _say("nginx is not here and cannot be installed: its tests are left out.")
    for release, commands in (
        (
            SYSTEM,
            (["apt-get", "update", "-q"], ["apt-get", "install", "-q", "-y", "pgbouncer", "debootstrap"]),
        ),
        (OF_TRIXIE, (["debootstrap", "--variant=minbase", "--include=pgbouncer", "trixie", str(TRIXIE)],)),
    ):
        if release.is_here:
            continue
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            _say(f"PgBouncer ({release.name}) is not here and cannot be installed: its tests are left out.")
            continue
        _say(f"Installing PgBouncer ({release.name}) for the tests behind a pooler …")
        _install(*commands)
    return 0


def _install(*commands: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in commands:
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main())
