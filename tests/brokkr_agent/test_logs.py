"""The agent's log has no text of manifests, nor what the API server says of them."""

import io
import json
import logging

import httpx2
import pytest

from brokkr_agent.logs import JsonFormatter
from tests.brokkr_agent.conftest import config_map, place

_SECRET = "hunter2"


@pytest.mark.parametrize("status", [200, 403, 422, 503])
def test_neither_texts_nor_answers_about_them_are_logged(world, stack, status):
    def refuse(_method: str, path: str) -> httpx2.Response | None:
        answer = httpx2.Response(status, json={"message": f"{_SECRET} is no good"})
        return answer if path == place("a") else None

    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("brokkr_agent")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        if status != 200:
            world.cluster.refuse = refuse
        world.publish(stack, config_map("a", _SECRET))
        world.run()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert all({"time", "level", "event"} <= line.keys() for line in lines)
    assert _SECRET not in written.getvalue()
