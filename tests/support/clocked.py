"""Requests whose time is taken, without the time that a large HTTP client takes for itself."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tests.support.server import LiveServer

# Longer than anything may take, shorter than for ever.
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Clocked:
    """An answer. `seconds` is from before the connection was made until the answer was there."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def code(self) -> str:
        """The code of a refusal by the API."""
        return str(self.json()["code"])

    def json(self) -> Any:
        return orjson.loads(self.body)


def ask(
    broker: LiveServer,
    method: str,
    path: str,
    *,
    key: str = "",
    body: object = None,
    patience: float = _PATIENCE_SECONDS,
) -> Clocked:
    """Send one request on a connection of its own. `path` is the whole of it. Raises TimeoutError after `patience`
    seconds.
    """
    headers = {"Connection": "close"} | ({"Authorization": f"Bearer {key}"} if key else {})
    if body is not None:
        headers["Content-Type"] = "application/json"
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", broker.port, timeout=patience)
    try:
        connection.request(method, path, None if body is None else orjson.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    return Clocked(
        answer.status, {name.lower(): value for name, value in answer.getheaders()}, content,
        time.perf_counter() - began,
    )  # fmt: skip


def poll_path(agent_id: str) -> str:
    """Where an agent polls."""
    return f"/api/v1/agents/{agent_id}/target-state"
