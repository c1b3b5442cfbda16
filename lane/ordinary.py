"""What an ordinary request is. Of any other the lane says nothing."""

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from core.api.fields import parse_uuid
from paks.api.authentication import presented_key
from paks.tokens import Token, split_token

Environ = dict[str, Any]

# Whoever sends one of these wants something that the views know.
_UNUSUAL = {
    "HTTP_CONTENT_ENCODING",
    "HTTP_IDEMPOTENCY_KEY",
    "HTTP_IF_MATCH",
    "HTTP_ORIGIN",
    "HTTP_TRANSFER_ENCODING",
}
_NO_BODY = {"", "0"}
_SMALL_BODY = 4096


@dataclass(slots=True)
class Ordinary:
    """A plain request with what looks like a key; nothing is verified."""

    environ: Environ
    agent_id: UUID
    token: Token
    # As the log names the caller, once the key has been found good.
    caller: str = "anonymous"

    @property
    def query(self) -> str:
        """The query as it was sent."""
        query: str = self.environ.get("QUERY_STRING", "")
        return query


def ordinary(environ: Environ, agent_id: str) -> Ordinary | None:
    """The request, None when it needs a closer look."""
    if not _UNUSUAL.isdisjoint(environ) or environ.get("HTTP_COOKIE") or environ.get("SCRIPT_NAME"):
        return None
    host = environ.get("HTTP_HOST")
    if not _is_host(environ["SERVER_NAME"] if host is None else host, tuple(settings.ALLOWED_HOSTS)):
        return None
    parsed = parse_uuid(agent_id)
    key = presented_key(environ.get("HTTP_AUTHORIZATION", ""))
    token = split_token(key) if key else None
    return Ordinary(environ, parsed, token) if parsed and token else None


# Agents call by few names.
@lru_cache(maxsize=128)
def _is_host(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def has_no_body(environ: Environ) -> bool:
    """Whether nothing comes after the headers."""
    return environ.get("CONTENT_LENGTH", "") in _NO_BODY


def small_json(environ: Environ) -> object:
    """The value of a small JSON body, None for a body that needs a closer look. The views can read it again."""
    length = environ.get("CONTENT_LENGTH", "")
    if not (length.isascii() and length.isdecimal()) or environ.get("CONTENT_TYPE") != "application/json":
        return None
    if len(length) > len(str(_SMALL_BODY)) or int(length) > _SMALL_BODY:
        return None
    try:
        raw = environ["wsgi.input"].read(int(length))
    except OSError:
        # The client has gone; the views know what to say of half a body.
        raw = b""
    environ["wsgi.input"] = BytesIO(raw)
    if len(raw) != int(length):
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
