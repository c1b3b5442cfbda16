"""A client of /api/v1 that holds one key. Speaks JSON; headers and raw bodies go through as given."""

from typing import Any

import orjson
from django.test import Client

PREFIX = "/api/v1"


class Api:
    def __init__(self, key: str | None, **headers: str) -> None:
        self.key = key
        self._client = Client(raise_request_exception=False)
        self._headers = headers | ({"Authorization": f"Bearer {key}"} if key else {})

    def request(
        self,
        method: str,
        path: str,
        body: object = ...,
        *,
        raw: bytes | None = None,
        content_type: str | None = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Any:
        """`body` is sent as JSON unless `raw` bytes are given; neither means no body and no content type."""
        data = raw if raw is not None else b"" if body is ... else orjson.dumps(body)
        return self._client.generic(
            method,
            path if path.startswith(("/healthz", "/health", "/readyz", "/metrics")) else PREFIX + path,
            data,
            content_type=(content_type or "") if data else "",
            headers=self._headers | (headers or {}),
        )

    def get(self, path: str, **options: Any) -> Any:
        return self.request("GET", path, **options)

    def post(self, path: str, body: object = ..., **options: Any) -> Any:
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: object = ..., **options: Any) -> Any:
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, body: object = ..., **options: Any) -> Any:
        return self.request("PATCH", path, body, **options)

    def delete(self, path: str, body: object = ..., **options: Any) -> Any:
        return self.request("DELETE", path, body, **options)


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """Assert a refusal in the one error shape; its body."""
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    assert body["code"] == code, body
    assert body["error"] == body["message"]
    assert body["message"]
    assert set(body) >= {"error", "code", "message"}
    assert "details" not in body or body["details"]
    return body
