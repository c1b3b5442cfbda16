"""What the agent tells Kubernetes and Prometheus of itself."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from brokkr_agent import probes
from brokkr_agent.probes import Vitals, serve_probes


@pytest.fixture
def vitals() -> Vitals:
    return Vitals()


@pytest.fixture
def url(vitals: Vitals) -> Iterator[str]:
    server = serve_probes(vitals, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310  our own
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_it_is_ready_when_the_broker_has_answered(vitals, url):
    assert get(f"{url}/readyz")[0] == 503
    vitals.is_ready = True
    assert get(f"{url}/readyz")[0] == 200


def test_it_is_alive_until_a_round_hangs(vitals, url, monkeypatch):
    assert get(f"{url}/healthz")[0] == 200
    monkeypatch.setattr(probes, "_LONGEST_ROUND", 0.0)
    assert get(f"{url}/healthz")[0] == 503
    assert get(f"{url}/other")[0] == 404


def test_its_metrics_say_what_it_does(vitals, url):
    vitals.stacks.set(3)
    vitals.held_back.set(2)
    text = get(f"{url}/metrics")[1]
    assert "brokkr_agent_stacks 3.0\n" in text
    assert "brokkr_agent_held_back_removals 2.0\n" in text
