"""Plain requests for the lane, read and answered without gunicorn's parser, environ and response.

Those take a third of the time of a poll. A request that is unusual in any way is left to gunicorn, and so is one that
the lane does not answer. A test compares the environ and the answer with gunicorn's.
"""

import os
import re
import socket
import time
from functools import lru_cache
from io import BytesIO
from typing import Any

from gunicorn import SERVER
from gunicorn.util import http_date

from lane.application import answer
from lane.ordinary import Environ
from lane.replies import Reply
from server.connections import Connection

# A request line and fields in the only form that is plain: no escapes, one space after each colon, visible characters.
_HEAD = re.compile(
    rb"(GET|POST) (/api/v1/(?:agents/[A-Za-z0-9/-]+|stacks/[A-Za-z0-9-]+/deployment-objects))"
    rb"(?:\?([A-Za-z0-9=&_-]*))? HTTP/1\.1\r\n"
    rb"((?:[A-Za-z][A-Za-z0-9-]*: [!-~](?:[ -~]*[!-~])?\r\n){1,50})\r\n"
)
_MOST_HEAD_BYTES = 4000
# Fields that change how a request is read, or what happens to its connection.
_UNUSUAL = {
    "HTTP_EXPECT",
    "HTTP_HTTP2_SETTINGS",
    "HTTP_PROXY_CONNECTION",
    "HTTP_TE",
    "HTTP_TRAILER",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_UPGRADE",
    "HTTP_X_FORWARDED_PROTOCOL",
    "HTTP_X_FORWARDED_SSL",
}
_OF_BODY = {"HTTP_CONTENT_TYPE": "CONTENT_TYPE", "HTTP_CONTENT_LENGTH": "CONTENT_LENGTH"}


class PlainRequests:
    """Answers plain requests, if the configuration of gunicorn leaves their meaning as it is."""

    def __init__(self, cfg: Any) -> None:
        self._can_answer = not cfg.is_ssl and cfg.proxy_protocol in {False, "off"} and cfg.keepalive > 0
        self._can_answer &= "SCRIPT_NAME" not in os.environ

    def answer(self, conn: Connection) -> bool | None:
        """Answer the request that has arrived, and take it off the connection. None, and nothing done, if gunicorn
        should, and then the connection says whether the lane has declined it; False if the client is gone or does not
        read.
        """
        answered = self._ask(conn) if self._can_answer else None
        if answered is None:
            return None
        conn.skip()
        try:
            if not conn.sock.getblocking():
                conn.sock.setblocking(True)
            send(conn.sock, *answered)
        except OSError:
            return False
        return True

    def _ask(self, conn: Connection) -> tuple[Reply, str] | None:
        try:
            environ = plain_environ(conn)
            answered = answer(environ) if environ is not None else None
        except Exception:  # noqa: BLE001  gunicorn gets the same error, and answers and logs it
            return None
        conn.is_declined = environ is not None and answered is None
        return answered


def plain_environ(conn: Connection) -> Environ | None:
    """What the lane reads of the WSGI environ of the request that has arrived, or None if it is not plain."""
    body = conn.body
    found = _HEAD.fullmatch(conn.head) if len(conn.head) <= _MOST_HEAD_BYTES else None
    # Clients of a Unix socket have no address.
    if found is None or body is None or not conn.client:
        return None
    method, path, query, fields = found.groups(b"")
    environ: Environ = {}
    for line in fields.decode("ascii").split("\r\n")[:-1]:
        name, _, value = line.partition(": ")
        key = _key(name)
        if key in environ or key in _UNUSUAL:
            return None
        environ[key] = value
    if "HTTP_HOST" not in environ or environ.get("HTTP_CONNECTION", "keep-alive").lower() != "keep-alive":
        return None
    length = environ.get("CONTENT_LENGTH", "0")
    if not length.isdecimal() or int(length) != len(body):
        return None
    environ |= {
        "REQUEST_METHOD": method.decode(),
        "PATH_INFO": path.decode(),
        "QUERY_STRING": query.decode(),
        "REMOTE_ADDR": conn.client[0],
        "SERVER_NAME": conn.server[0],
        "SCRIPT_NAME": "",
        "wsgi.input": BytesIO(body),
    }
    return environ


# Agents use few names of fields; clients who invent some fill the cache with them, and others take their places.
@lru_cache(maxsize=256)
def _key(name: str) -> str:
    key = "HTTP_" + name.upper().replace("-", "_")
    return _OF_BODY.get(key, key)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(http_date(second))


def send(sock: socket.socket, reply: Reply, request_id: str) -> None:
    """Send the answer as gunicorn would on a connection that stays. Raises OSError if the client is gone."""
    lines = [
        f"HTTP/1.1 {reply.line}",
        f"Server: {SERVER}",
        f"Date: {_date(int(time.time()))}",
        "Connection: keep-alive",
        *[f"{name}: {value}" for name, value in reply.headers(request_id)],
    ]
    head, body = "\r\n".join([*lines, "", ""]).encode("latin-1"), reply.body or b""
    # One packet, as far as the kernel takes it, and no copy of the body.
    sent = sock.sendmsg((head, body))
    if sent < len(head):
        sock.sendall(head[sent:])
    if sent < len(head) + len(body):
        sock.sendall(memoryview(body)[max(0, sent - len(head)) :])
