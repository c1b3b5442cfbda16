"""How the agent reaches the broker: its key, private authorities and proxies."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from agents.models import AgentHeartbeat
from agents.services.agents import rotate_agent_pak
from brokkr_agent.broker import Broker, BrokerAway, BrokerRefusal
from core.events import SYSTEM
from tests.support.certificates import certificate
from tests.support.receiver import Receiver, answer, running_receiver

_AGENT = b'{"agent": "01a2245f-0ff8-7696-97a9-4c0ba4015a21"}'


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    made = tmp_path / "key"
    made.write_text("brokkr_BRsome_key\n")
    return made


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Receiver]:
    """A broker for whom a private authority stands."""
    with running_receiver(certificate(tmp_path, "localhost")) as receiver:
        receiver.usual = answer(200, _AGENT, Content_Type="application/json")
        yield receiver


def test_a_key_that_was_rotated_is_read_anew(world):
    world.run(1)
    before = AgentHeartbeat.objects.get(agent=world.row).last_heartbeat
    with transaction.atomic():
        key = rotate_agent_pak(agent=world.row, actor=SYSTEM)
    with pytest.raises(BrokerRefusal):
        world.run(1)
    world.key_file.write_text(key)
    world.run(1)
    assert AgentHeartbeat.objects.get(agent=world.row).last_heartbeat > before


def test_a_private_authority_is_trusted_if_its_certificate_is_named(secure, key_file, tmp_path):
    url = secure.url("", host="localhost")
    stranger = Broker(url, key_file)
    with pytest.raises(BrokerAway):
        stranger.identify()
    stranger.close()
    broker = Broker(url, key_file, ca_file=str(tmp_path / "server.pem"))
    assert broker.identify() == "01a2245f-0ff8-7696-97a9-4c0ba4015a21"
    broker.close()
    assert [request.headers["Authorization"] for request in secure.received] == ["Bearer brokkr_BRsome_key"]


def test_a_proxy_is_asked_and_what_needs_none_is_called_directly(key_file, monkeypatch):
    with running_receiver() as proxy, running_receiver() as direct:
        direct.usual = answer(200, _AGENT, Content_Type="application/json")
        proxy.usual = answer(200, _AGENT, Content_Type="application/json")
        monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        for url in ("http://broker.example.com", direct.url("")):
            broker = Broker(url, key_file)
            broker.identify()
            broker.close()
    assert [request.path for request in proxy.received] == ["http://broker.example.com/api/v1/auth/pak"]
    assert [request.path for request in direct.received] == ["/api/v1/auth/pak"]


def test_without_a_key_there_is_no_call(tmp_path):
    with running_receiver() as receiver:
        broker = Broker(receiver.url(""), tmp_path / "nothing")
        with pytest.raises(BrokerAway, match="key"):
            broker.identify()
        broker.close()
    assert receiver.received == []
