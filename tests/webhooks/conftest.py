from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from tests.support.receiver import Receiver, running_receiver


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Any) -> None:
    """Receivers of tests listen on one address of this machine, on any port; the rest is refused as ever."""
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.0.0.1/32"),)
    settings.WEBHOOK_ALLOWED_PORTS = None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook endpoint."""
    with running_receiver() as running:
        yield running
