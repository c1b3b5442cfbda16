"""What an ordinary request is. The lane answers no other requests."""

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from core.api.fields import parse_uuid
from core.middleware import client_address
from core.observation import request_id_of
from paks.api.authentication import presented_key
from paks.tokens import Token, split_token

Environ = dict[str, Any]

# A request with one of these headers wants something that only the views can do.
_UNUSUAL = {
    "HTTP_CONTENT_ENCODING",
    "HTTP_IDEMPOTENCY_KEY",
    "HTTP_IF_MATCH",
    "HTTP_IF_PLAN",
    "HTTP_ORIGIN",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_X_BROKKR_OVERRIDE_FREEZE",
}
_NO_BODY = {"", "0"}
# A batch of reports fits, or a thousand checksums, or most manifests.
_SMALL_BODY = 64 * 1024


@dataclass(slots=True)
class Ordinary:
    """A plain request with a text that looks like a key. Nothing is verified yet.

    `resource_id` is the id in the path, of an agent or of a stack.
    """

    environ: Environ
    resource_id: UUID
    token: Token
    request_id: str
    # The caller's name in the log, after the key has been verified.
    caller: str = "anonymous"

    @property
    def query(self) -> str:
        """The query string as it was sent."""
        query: str = self.environ.get("QUERY_STRING", "")
        return query

    def address(self) -> str | None:
        """Where the caller is."""
        return client_address(self.environ, settings.TRUSTED_PROXY_COUNT)


def ordinary(environ: Environ, resource_id: str) -> Ordinary | None:
    """The request, or None if the views must check it."""
    if not _UNUSUAL.isdisjoint(environ) or environ.get("HTTP_COOKIE") or environ.get("SCRIPT_NAME"):
        return None
    host = environ.get("HTTP_HOST")
    if not _is_host(environ["SERVER_NAME"] if host is None else host, tuple(settings.ALLOWED_HOSTS)):
        return None
    parsed = parse_uuid(resource_id)
    key = presented_key(environ.get("HTTP_AUTHORIZATION", ""))
    token = split_token(key) if key else None
    if parsed is None or token is None:
        return None
    return Ordinary(environ, parsed, token, request_id_of(environ.get("HTTP_X_REQUEST_ID", "")))


# Agents use few host names for the broker.
@lru_cache(maxsize=128)
def _is_host(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def has_no_body(environ: Environ) -> bool:
    """Whether the request has no body."""
    return environ.get("CONTENT_LENGTH", "") in _NO_BODY


def small_json(environ: Environ) -> object:
    """The value of a small JSON body, or None if the views must check it. The views can read the body again."""
    most = min(_SMALL_BODY, settings.MAX_JSON_BYTES, settings.MAX_MANIFEST_BYTES)
    length = environ.get("CONTENT_LENGTH", "")
    if not (length.isascii() and length.isdecimal()) or environ.get("CONTENT_TYPE") != "application/json":
        return None
    if len(length) > len(str(most)) or int(length) > most:
        return None
    try:
        raw = environ["wsgi.input"].read(int(length))
    except OSError:
        # The client has closed the connection; the views can answer an incomplete body.
        raw = b""
    environ["wsgi.input"] = BytesIO(raw)
    # The views refuse every text with a NUL.
    if len(raw) != int(length) or b"\\u0000" in raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
