"""A PostgreSQL of the faults' own, which tests stop, silence and lock; and brokers as they run in production on it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.live_api import Rows, make_rows
from tests.support.postgres import PrivatePostgres, private_postgres
from tests.support.proxy import Proxy
from tests.support.server import LiveServer

Start = Callable[..., LiveServer]


@dataclass(frozen=True)
class Cluster:
    """A running server whose database is migrated, and what is in it."""

    postgres: PrivatePostgres
    admin_key: str
    rows: Rows


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with private_postgres() as postgres:
        broker = LiveServer(database_url=postgres.url, data_dir=tmp_path_factory.mktemp("first"))
        broker.prepare()
        with broker.running():
            rows = make_rows(broker, "faults")
        yield Cluster(postgres, broker.admin_key, rows)


@pytest.fixture
def start(cluster: Cluster, tmp_path: Path) -> Iterator[Start]:
    """Starts a broker with two processes of four threads, on the cluster or the database of a URL."""
    with ExitStack() as running:

        def run(url: str = "", **environment: str) -> LiveServer:
            broker = LiveServer(
                database_url=url or cluster.postgres.url,
                data_dir=tmp_path,
                admin_key=cluster.admin_key,
                environment=environment,
            )
            return running.enter_context(broker.running())

        yield run


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """A proxy between a broker and the cluster."""
    with Proxy(cluster.postgres.socket) as running:
        yield running
