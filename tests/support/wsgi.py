"""The application as a server calls it, for requests that Django's test client cannot make."""

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from brokkr_site.wsgi import application


@contextmanager
def _connection_kept() -> Iterator[None]:
    """A request would close the connection in which the test's transaction lives."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)


@dataclass(frozen=True)
class Answer:
    """Shaped like the test client's response as far as `refused` looks."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return orjson.loads(self.content)


def call(
    method: str,
    target: str,
    *,
    body: bytes = b"",
    stream: Any = None,
    key: str | None = None,
    through: Any = application,
    content_type: str = "application/json",
    **environ: object,
) -> Answer:
    """`target` is what stands in the request line, with its escapes. `stream` replaces `body` as what the server
    would read, `through` is who answers. `environ` goes through as given; without a CONTENT_LENGTH in it there is none.
    """
    path, _, query = target.partition("?")
    variables: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": stream or io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if key:
        variables["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    variables |= environ
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        started.append((status, headers))

    with _connection_kept():
        answer: Any = through(variables, start_response)
        with closing(answer) if hasattr(answer, "close") else nullcontext():
            content = b"".join(answer)
    status, headers = started[0]
    return Answer(int(status.split()[0]), dict(headers), content)
