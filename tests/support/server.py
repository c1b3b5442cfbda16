"""A real broker process for tests: gunicorn with our gunicorn.conf.py, on a free loopback port.

`temporary_database` gives a database of its own on the kind of server the test run uses; `LiveServer` runs a
broker on it. Fixtures that combine the two are in tests/live/conftest.py.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 60


@contextmanager
def temporary_database(folder: Path) -> Iterator[str]:
    """The URL of an empty database that exists as long as the block: a file in `folder`, or, when the test
    run's DATABASE_URL names PostgreSQL, a database on that server.
    """
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield f"sqlite:///{folder / 'live.sqlite3'}"
        return
    name = f"brokkr_live_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LiveServer:
    """One broker, which may be started and ended several times, always on the same port and database."""

    def __init__(
        self, *, database_url: str, data_dir: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_key = ""
        self.log = data_dir / f"gunicorn-{self.port}.log"
        self.environment = (
            os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "brokkr_site.settings",
                "DATABASE_URL": database_url,
                "BROKKR_DATA_DIR": str(data_dir),
                "BROKKR_BIND": "127.0.0.1",
                "BROKKR_PORT": str(self.port),
                "BROKKR_WEB_WORKERS": "2",
                "BROKKR_COOKIE_SECURE": "false",
            }
            | dict(environment or {})
        )
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Migrate the database and issue the admin key."""
        self.manage("migrate", "--verbosity", "0")
        self.admin_key = self.manage("shell", "--no-imports", "--command", _ISSUE_ADMIN_KEY)

    def manage(self, *arguments: str) -> str:
        """The output of a `manage.py` command run against this server's database."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def pid(self) -> int:
        """The process id of gunicorn's master, which is also that of its process group."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until the server can serve."""
        assert self._process is None, "the server is running"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the server did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as an orchestrator does, with SIGTERM, and wait until it is gone."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the master and its workers with SIGKILL, in the middle of whatever they do."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            if number is signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)
        self._process.wait(_PATIENCE_SECONDS)
        self._process = None

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


_ISSUE_ADMIN_KEY = """
from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak

print(issue_pak(role=Role.ADMIN, subject_id=None, name="live test", actor=SYSTEM)[1])
"""
