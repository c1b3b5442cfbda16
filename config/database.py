"""The database as the environment describes it, and how long each kind of process waits for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from config.env import env_choice, env_int, env_secret
from config.processes import is_web

_SQLITE, _POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"
_DAY = 86400
# Beyond the server's own time-out, for a server that says nothing.
_GRACE_SECONDS = 0.5
# The default page cost of 4 makes the planner scan all stacks where an index would do.
_PLANNER = {"random_page_cost": "1.1", "jit": "off", "plan_cache_mode": "force_generic_plan"}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long PostgreSQL lets a session wait for a lock, run a statement, and leave a transaction idle; in seconds."""

    lock: int
    statement: int
    idle_in_transaction: int

    @property
    def patience_seconds(self) -> float:
        """How long the client waits for an answer. The server's own time-outs come first while it lives."""
        return self.statement + _GRACE_SECONDS

    @property
    def parameters(self) -> dict[str, int]:
        """The parameters of a session, in seconds."""
        return {
            "lock_timeout": self.lock,
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
        }


# By the word after `manage.py`.
_KINDS = {"run_worker": "WORKER", "migrate": "MIGRATE", "backup": "BACKUP", "restore": "BACKUP"}


def database_timeouts(command_line: Sequence[str]) -> Timeouts:
    """Those of the process that was started so: a web process by gunicorn, a worker, `migrate`, or any other."""
    kinds = {
        "WEB": _timeouts("BROKKR_DB", lock=3, statement=8, idle=15),
        "COMMAND": _timeouts("BROKKR_DB_WORKER", lock=10, statement=60, idle=60),
        # What a worker that fell silent has locked, web processes wait for.
        "WORKER": _timeouts("BROKKR_DB_WORKER", lock=10, statement=60, idle=15),
        # A statement is here the whole of pg_dump or pg_restore.
        "BACKUP": _timeouts("BROKKR_DB_BACKUP", lock=10, statement=3600, idle=60),
        # A migration that waits for a table stops everybody who asks for the table after it, so it waits for less
        # than they do.
        "MIGRATE": _timeouts("BROKKR_DB_MIGRATE", lock=2, statement=1800, idle=60),
    }
    if is_web(command_line):
        return kinds["WEB"]
    command = next(iter(command_line[1:]), "")
    return kinds[_KINDS.get(command, "COMMAND")]


def _timeouts(prefix: str, *, lock: int, statement: int, idle: int) -> Timeouts:
    return Timeouts(
        lock=env_int(f"{prefix}_LOCK_TIMEOUT_SECONDS", lock, minimum=1, maximum=_DAY),
        statement=env_int(f"{prefix}_STATEMENT_TIMEOUT_SECONDS", statement, minimum=1, maximum=_DAY),
        idle_in_transaction=env_int(
            f"{prefix}_IDLE_IN_TRANSACTION_TIMEOUT_SECONDS", idle, minimum=1, maximum=_DAY
        ),
    )


def database_settings(data_dir: Path, timeouts: Timeouts) -> dict[str, Any]:
    """Django's settings of the one database: what DATABASE_URL names, else SQLite in the data folder.

    Raises ImproperlyConfigured when the URL cannot be used.
    """
    url, contract_url = env_secret("DATABASE_URL"), env_secret("BROKKR__DATABASE__URL")
    if url and contract_url and url != contract_url:
        raise ImproperlyConfigured(
            "DATABASE_URL and BROKKR__DATABASE__URL name different databases; set only one."
        )
    try:
        found = dj_database_url.parse(url or contract_url or f"sqlite:///{data_dir / 'brokkr.sqlite3'}")
    except (ValueError, dj_database_url.ParseError) as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be understood: {error}") from error
    options = dict(found.get("OPTIONS") or {})
    settings: dict[str, Any] = {**found, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    # Read for SQLite too, so that a wrong value stops every start, and `manage.py doctor` knows all variables.
    on_postgresql = _postgresql(options, timeouts)
    if found["ENGINE"] == _SQLITE:
        return settings | {
            "ENGINE": "core.sqlite",
            "OPTIONS": options | _SQLITE_OPTIONS,
            "TEST": _SQLITE_TEST,
        }
    if found["ENGINE"] == _POSTGRESQL:
        return settings | on_postgresql
    raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:// or postgres://.")


# pytest-django knows by the engine that SQLite's databases are in memory, and does not know ours.
_SQLITE_TEST = {"NAME": ":memory:"}
_SQLITE_OPTIONS = {
    # IMMEDIATE takes the write lock when a transaction begins, so that a reader that turns into a writer
    # waits instead of failing with "database is locked".
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}


def _postgresql(given: dict[str, Any], timeouts: Timeouts) -> dict[str, Any]:
    """What the URL itself says comes first."""
    pooler = env_choice("BROKKR_DB_POOLER", "none", {"none", "transaction", "transaction-prepared"})
    options: dict[str, Any] = {
        "connect_timeout": env_int("BROKKR_DB_CONNECT_TIMEOUT_SECONDS", 3, minimum=1, maximum=60),
        "tcp_user_timeout": 1000 * env_int("BROKKR_DB_TCP_USER_TIMEOUT_SECONDS", 8, minimum=1, maximum=_DAY),
        "keepalives": 1,
        "keepalives_idle": env_int("BROKKR_DB_KEEPALIVES_IDLE_SECONDS", 10, minimum=1, maximum=_DAY),
        "keepalives_interval": env_int("BROKKR_DB_KEEPALIVES_INTERVAL_SECONDS", 3, minimum=1, maximum=_DAY),
        "keepalives_count": env_int("BROKKR_DB_KEEPALIVES_COUNT", 3, minimum=1, maximum=100),
        # A pooler that knows no prepared statements would send them to sessions that have none.
        "prepare_threshold": None if pooler == "transaction" else 5,
    } | given
    if pooler == "none":
        # The last of two words on one parameter counts.
        waits = {name: f"{seconds}s" for name, seconds in timeouts.parameters.items()}
        ours = " ".join(f"-c {name}={value}" for name, value in (_PLANNER | waits).items())
        options["options"] = f"{ours} {given.get('options', '')}".rstrip()
    return {
        "ENGINE": "core.postgresql",
        "OPTIONS": options,
        # Such a cursor lives in one session of the server, and the pooler changes it with every transaction.
        "DISABLE_SERVER_SIDE_CURSORS": pooler != "none",
    }
