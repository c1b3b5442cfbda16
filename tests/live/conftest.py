"""A broker that really runs: one shared by all tests that only talk to it, one apiece for those that end it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.receiver import LOOPBACK_ALLOWED
from tests.support.server import LiveServer, Template


@pytest.fixture(scope="session")
def _shared_broker(
    database_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    with database_template.broker(tmp_path_factory.mktemp("live"), LOOPBACK_ALLOWED) as server:
        yield server


@pytest.fixture
def broker(_shared_broker: LiveServer) -> LiveServer:
    """A running broker that other tests use too: leave it running."""
    return _shared_broker


@pytest.fixture
def own_broker(database_template: Template, tmp_path: Path) -> Iterator[LiveServer]:
    """A broker for one test, which may end and start it again; prepared and running, `admin_key` set."""
    with database_template.broker(tmp_path) as server:
        yield server
