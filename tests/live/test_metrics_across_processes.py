import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.server import LiveServer, http_get

pytestmark = [pytest.mark.live, pytest.mark.any_database("counters in files")]


def _counted(server: LiveServer) -> int:
    text = http_get(f"{server.url}/metrics").text
    found = re.search(
        r'^brokkr_http_requests_total\{endpoint="/healthz",method="GET",status="200"\} (\S+)$', text, re.M
    )
    return int(float(found[1])) if found else 0


def test_metrics_add_up_the_requests_of_all_worker_processes(broker: LiveServer):
    def probe(_: int) -> int:
        return http_get(f"{broker.url}/healthz").status_code

    before = _counted(broker)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(probe, range(64))) == {200}

    assert [_counted(broker) - before for _ in range(8)] == [64] * 8
