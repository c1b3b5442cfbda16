"""A client of /api/v1 that holds one key. Speaks JSON; headers and raw bodies go through as given."""

from typing import Any

import orjson
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from lane.application import answer

PREFIX = "/api/v1"


class _LaneFirst(ClientHandler):
    """Answers as the application of brokkr_site/wsgi.py does: by the lane, else by the views."""

    def __call__(self, environ: dict[str, Any]) -> Any:
        answered = answer(environ)
        if answered is None:
            return super().__call__(environ)
        reply, request_id = answered
        response: Any = HttpResponse(reply.body or b"", status=reply.status)
        del response.headers["Content-Type"]
        for name, value in reply.headers(request_id):
            response.headers[name] = value
        response.wsgi_request = WSGIRequest(environ)
        return response


class Api:
    def __init__(self, key: str | None, **headers: str) -> None:
        self.key = key
        self._client = Client(raise_request_exception=False)
        self._client.handler = _LaneFirst(enforce_csrf_checks=False)
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
