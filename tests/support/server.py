"""A real broker process for tests: gunicorn with our gunicorn.conf.py, on a free loopback port.

`temporary_database` makes a new database on the kind of server that the test run uses, and `Template` makes copies of a
migrated database. `LiveServer` runs a broker on one. Fixtures that combine them are in tests/conftest.py and
tests/live/conftest.py.

`python -m tests.support.server COMMAND…` runs a command with BROKKR_URL and BROKKR_ADMIN_PAK naming a fresh
broker, with its worker, that lives as long as the command.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 120
# Longer than callers would like to wait for a thread or a lock: on a busy machine, being slow is not being wrong.
_PATIENT = {
    "BROKKR_QUEUE_PATIENCE_SECONDS": "20",
    "BROKKR_DB_CONNECT_TIMEOUT_SECONDS": "20",
    "BROKKR_DB_LOCK_TIMEOUT_SECONDS": "20",
    "BROKKR_DB_STATEMENT_TIMEOUT_SECONDS": "60",
}
# Signs the audit log of every broker that tests and benches start.
AUDIT_KEY = "1" * 64
# For clients of servers on this machine. It loads no certificates: that takes a hundred times as long as a request.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# A broker closes a connection that was idle for five seconds, and a request that is on its way just then has no answer.
SHORT_IDLE = httpx.Limits(keepalive_expiry=2)


def http_get(url: str, **options: Any) -> httpx.Response:
    """The answer of a server on this machine. The options are those of `httpx.get`, which waits for 5 s by default."""
    return httpx.get(url, verify=NO_TLS, **({"timeout": _PATIENCE_SECONDS} | options))


@contextmanager
def temporary_database(folder: Path, *, like: str = "") -> Iterator[str]:
    """The URL of a database that exists until the block ends.

    It is a file in `folder`; if the DATABASE_URL of the test run names PostgreSQL, it is a database on that server. It
    is empty, or a copy of the database with the URL `like`.
    """
    url = _make_database(folder, like)
    try:
        yield url
    finally:
        _drop_database(url)


def _make_database(folder: Path, like: str) -> str:
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        path = folder / "live.sqlite3"
        if like:
            shutil.copyfile(like.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"
    name = f"brokkr_live_{uuid.uuid4().hex}"
    original = urlsplit(like).path[1:] if like else "template1"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(original))
        )
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _drop_database(url: str) -> None:
    """On PostgreSQL; files go with their folder."""
    if url.startswith("sqlite"):
        return
    name = urlsplit(url).path[1:]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass(frozen=True)
class Template:
    """A migrated database with one admin key. Tests run on copies of it, which are made quickly."""

    url: str
    admin_key: str

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        """The URL of a copy that exists until the block ends."""
        with temporary_database(folder, like=self.url) as url:
            yield url

    @contextmanager
    def stopped_broker(
        self, folder: Path, environment: Mapping[str, str] | None = None
    ) -> Iterator["LiveServer"]:
        """A broker on a copy, for commands; the block may run it.

        Unless `environment` says otherwise, it refuses nobody because the machine is busy.
        """
        with self.copy(folder) as url:
            yield LiveServer(
                database_url=url,
                data_dir=folder,
                admin_key=self.admin_key,
                environment=_PATIENT | dict(environment or {}),
            )

    @contextmanager
    def broker(self, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator["LiveServer"]:
        """The same, running until the block ends. The block may stop and start it."""
        with self.stopped_broker(folder, environment) as server, server.running():
            yield server


class SharedTemplate:
    """The one template of all processes of a test run, which know its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._note = folder / "template.json"

    def get(self) -> Template:
        """The template. The process that asks first makes it, and the others wait."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._note.exists():
                server = LiveServer(database_url=_make_database(self._folder, ""), data_dir=self._folder)
                server.prepare()
                self._note.write_text(json.dumps([server.database_url, server.admin_key]))
        return Template(*json.loads(self._note.read_text()))

    def remove(self) -> None:
        """Remove the template, if any process has made it, and the folder."""
        if self._note.exists():
            _drop_database(json.loads(self._note.read_text())[0])
        shutil.rmtree(self._folder)


# Bound and never listening, so that the system gives their ports to nobody else while this process lives.
_reserved: list[socket.socket] = []


def free_port() -> int:
    """A loopback port of our own on which nobody listens. A server can, as servers bind with SO_REUSEADDR too."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    _reserved.append(reserved)
    port: int = reserved.getsockname()[1]
    return port


def is_answered(url: str) -> bool:
    """Whether GET of the URL is answered with 200."""
    try:
        return http_get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def wait_until_answered(process: subprocess.Popen[Any], url: str) -> None:
    """Wait until the program that `process` runs answers GET of the URL with 200."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_answered(url):
        assert process.poll() is None, "the server has ended"
        assert time.monotonic() < deadline, "the server is not ready"
        time.sleep(0.05)


class LiveServer:
    """One broker, which can be started and stopped several times, always on the same port and database.

    `code` is the checkout that it runs.
    """

    def __init__(
        self,
        *,
        database_url: str,
        data_dir: Path,
        admin_key: str = "",
        environment: Mapping[str, str] | None = None,
        code: Path = ROOT,
    ) -> None:
        self.database_url = database_url
        self._code = code
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_key = admin_key
        self.log = data_dir / f"gunicorn-{self.port}.log"
        # Without the variable that names the settings, as in the image: the broker must find them by itself.
        self.environment = (
            {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
            | {
                "DATABASE_URL": database_url,
                "BROKKR_DATA_DIR": str(data_dir),
                "BROKKR_BIND": "127.0.0.1",
                "BROKKR_PORT": str(self.port),
                "BROKKR_WEB_WORKERS": "2",
                "BROKKR_COOKIE_SECURE": "false",
                "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY": "0" * 64,
                "BROKKR_AUDIT_SIGNING_KEY": AUDIT_KEY,
            }
            | dict(environment or {})
        )
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Migrate the database and make the admin key."""
        self.admin_key = self.manage("shell", "--no-imports", "--command", _PREPARE)

    def manage(self, *arguments: str) -> str:
        """Run a `manage.py` command on this server's database. Returns its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self._code,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def said_by(self, module: str, *arguments: str, timeout: float) -> Any:
        """Run a module of the tests on this server's database. Returns the JSON that it prints."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self._code,
            env=self.environment | {"BROKKR__LOG__LEVEL": "error"},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def credentials(self) -> dict[str, str]:
        """The environment variables with which the examples find this server and its admin key."""
        return {"BROKKR_URL": self.url, "BROKKR_ADMIN_PAK": self.admin_key}

    @property
    def pid(self) -> int:
        """The process id of gunicorn's master, which is also the id of its process group."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Start the server, and wait until it can serve requests."""
        assert self._process is None, "the server is running"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn"],
                cwd=self._code,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.wait_until_ready(self._process)
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}\n{self.log.read_text()}") from error

    @contextmanager
    def running(self) -> Iterator["LiveServer"]:
        """Start the server, and kill it at the end of the block, which may stop and start it meanwhile."""
        self.start()
        try:
            yield self
        finally:
            self.kill()

    def wait_until_ready(self, process: subprocess.Popen[Any]) -> None:
        """Wait until the server that `process` runs on this port can serve requests."""
        wait_until_answered(process, f"{self.url}/readyz")

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """A `run_worker`, which the caller ends."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", "run_worker"],
                cwd=self._code,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A `run_worker` that runs as long as the block."""
        process = self.start_worker()
        try:
            yield
        finally:
            process.kill()
            process.wait(_PATIENCE_SECONDS)

    def stop(self) -> None:
        """Stop the server with SIGTERM, as an orchestrator does, and wait until it has ended."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the master and its workers with SIGKILL, in the middle of their work."""
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


# Both are done in one process, because starting Django takes longer than either of them.
_PREPARE = """
from django.core.management import call_command

from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak

call_command("migrate", verbosity=0)
print(issue_pak(role=Role.ADMIN, subject_id=None, name="live test", actor=SYSTEM)[1])
"""


def main(command: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="brokkr-live-") as name, temporary_database(Path(name)) as url:
        server = LiveServer(database_url=url, data_dir=Path(name))
        server.prepare()
        server.start()
        try:
            with server.worker():
                return subprocess.run(command, check=False, env=os.environ | server.credentials()).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
