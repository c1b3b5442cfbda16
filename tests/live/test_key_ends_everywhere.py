"""A key that has ended opens nothing on any worker process, from the moment the ending was acknowledged."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.live_api import Rows, created, live_client, make_rows
from tests.support.raw_http import Wire
from tests.support.server import LiveServer
from tests.support.waits import wait_for

pytestmark = [pytest.mark.live, pytest.mark.any_database("that every process refuses an ended key at once")]


def _statuses(broker: LiveServer, key: str) -> set[int]:
    """What many new connections, spread over the processes, are answered."""

    def ask(_: int) -> int:
        with Wire(broker, key) as connection:
            return connection.exchange("POST", "/auth/pak", b"").status

    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(ask, range(48)))


def _replace(broker: LiveServer, path: str) -> None:
    with live_client(broker, broker.admin_key) as admin:
        created(admin.post(path))


def _delete(broker: LiveServer, path: str) -> None:
    with live_client(broker, broker.admin_key) as admin:
        assert admin.delete(path).status_code == 204


Ending = tuple[Callable[[LiveServer, str], None], str, str]
ENDINGS: dict[str, Ending] = {
    "replaced-generator-key": (_replace, "/generators/{rows.generator_id}/rotate-pak", "generator_key"),
    "deleted-generator": (_delete, "/generators/{rows.generator_id}", "generator_key"),
    "replaced-agent-key": (_replace, "/agents/{rows.agent_id}/rotate-pak", "agent_key"),
    "deleted-agent": (_delete, "/agents/{rows.agent_id}", "agent_key"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ended_key_opens_nothing_on_any_process(broker: LiveServer, ending: str):
    rows: Rows = make_rows(broker, ending)
    act, path, key_name = ENDINGS[ending]
    key: str = getattr(rows, key_name)
    assert _statuses(broker, key) == {200}
    act(broker, path.format(rows=rows))
    assert _statuses(broker, key) == {401}


@pytest.mark.parametrize("owner", ["generator", "agent"])
def test_a_key_with_an_overlap_opens_everything_until_it_opens_nothing_on_any_process(
    broker: LiveServer, owner: str
):
    rows: Rows = make_rows(broker, f"overlap-{owner}")
    key: str = getattr(rows, f"{owner}_key")
    owner_id = getattr(rows, f"{owner}_id")
    with live_client(broker, broker.admin_key) as admin:
        rotated = admin.post(f"/{owner}s/{owner_id}/rotate-pak", json={"overlap_seconds": 4})
    assert rotated.is_success
    assert _statuses(broker, rotated.json()["pak"]) == {200}
    wait_for(lambda: 401 in _statuses(broker, key), patience=60)
    # The first refusal is the end for all.
    assert _statuses(broker, key) == {401}
    assert _statuses(broker, rotated.json()["pak"]) == {200}
