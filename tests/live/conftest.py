"""A broker that really runs: one shared by all tests that only talk to it, one apiece for those that end it."""

from collections.abc import Iterator

import pytest

from tests.support.server import LiveServer, temporary_database


@pytest.fixture(scope="session")
def _shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, str]]:
    folder = tmp_path_factory.mktemp("live")
    with temporary_database(folder) as url:
        server = LiveServer(database_url=url, data_dir=folder)
        key = server.prepare()
        server.start()
        try:
            yield server, key
        finally:
            server.stop()


@pytest.fixture
def broker(_shared_broker: tuple[LiveServer, str]) -> LiveServer:
    """A running broker that other tests use too: leave it running."""
    return _shared_broker[0]


@pytest.fixture
def broker_admin_key(_shared_broker: tuple[LiveServer, str]) -> str:
    """An admin key of `broker`."""
    return _shared_broker[1]
