"""Sends one POST to another server, within limits. It does not use the database.

The host name is resolved once, each address is checked, and the connection goes to a checked address, so it does not
matter what the name resolves to a moment later. Redirects are not followed and no proxy is used. One deadline covers
everything from the connection to the last byte, and only the beginning of the answer is read.
"""

import socket
import ssl
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import httpcore2

from webhooks.addresses import Address, Network, is_allowed
from webhooks.attempts import is_success, parse_retry_after

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Characters of a URL that are not escaped. `%` is one of them, so existing escapes stay.
_PATH = "/%:@!$&'()*+,;=~"
_QUERY = f"{_PATH}?"
# How much of an answer is kept.
_MAX_BODY_BYTES = 4096
_NOT_SENT = (
    httpcore2.NetworkError,
    httpcore2.TimeoutException,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """Where requests may go. `ports` is None for any port. `networks` are allowed as well as the public Internet."""

    schemes: Collection[str]
    ports: Collection[int] | None
    networks: Iterable[Network] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """The request to send. It holds secrets, so it has no repr."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result: a status with the beginning of the body, or the error that prevented an answer."""

    status_code: int | None = None
    body: str = ""
    error: str | None = None
    retry_after: timedelta | None = None

    @property
    def success(self) -> bool:
        return self.status_code is not None and is_success(self.status_code)


class Refused(Exception):
    """The policy, or the URL itself, does not allow the request."""


def send(message: Message, *, policy: Policy, now: datetime) -> Outcome:
    """Make the request. Whatever the other side does becomes an outcome, never an exception."""
    deadline = time.monotonic() + message.timeout_seconds
    try:
        url, host_header = _target(message.url, policy)
        backend = _CheckedBackend(policy, deadline)
        headers = {"Host": host_header, "User-Agent": "brokkr"} | dict(message.headers)
        tls = tls_context() if url.scheme == b"https" else None
        with (
            httpcore2.ConnectionPool(
                ssl_context=tls, network_backend=backend, max_keepalive_connections=0
            ) as pool,
            pool.stream("POST", url, headers=_encoded(headers), content=message.body) as response,
        ):
            return Outcome(
                status_code=response.status,
                body="" if is_success(response.status) else _beginning(response),
                retry_after=_retry_after(response, now),
            )
    except Refused as refusal:
        return Outcome(error=str(refusal))
    except httpcore2.TimeoutException:
        return Outcome(error=f"no answer within {message.timeout_seconds} s")
    except _NOT_SENT as error:
        return Outcome(error=str(error) or type(error).__name__)


def reach(url: str, *, policy: Policy, timeout_seconds: float) -> str:
    """Why no connection can be made to the URL's host, TLS included; "" when one can. No request is sent.

    Resolving the host's name may take longer than `timeout_seconds`.
    """
    deadline = time.monotonic() + timeout_seconds
    try:
        target, _ = _target(url, policy)
        host = target.host.decode("ascii")
        port = target.port or _DEFAULT_PORTS[target.scheme.decode("ascii")]
        stream = _CheckedBackend(policy, deadline).connect_tcp(host, port)
        try:
            if target.scheme == b"https":
                stream.start_tls(tls_context(), server_hostname=host)
        finally:
            stream.close()
    except Refused as refusal:
        return str(refusal)
    except httpcore2.TimeoutException:
        return f"no answer within {timeout_seconds} s"
    except _NOT_SENT as error:
        return str(error) or type(error).__name__
    return ""


def check_url(url: str, *, schemes: Collection[str]) -> None:
    """Raises Refused for a URL to which no request can be sent."""
    _split(url, schemes)


def _split(url: str, schemes: Collection[str]) -> tuple[SplitResult, str, int]:
    """The URL, its host as DNS and TLS spell it, and its port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        # An IPv6 address may name a zone, in which Python lets any character pass.
        host = host.encode("ascii" if ":" in host else "idna").decode()
    except ValueError as error:
        raise Refused("the URL is malformed") from error
    if parts.scheme not in schemes:
        raise Refused(f"the URL must begin with {' or '.join(f'{scheme}://' for scheme in sorted(schemes))}")
    if not host or any(not character.isprintable() or character == " " for character in url):
        raise Refused("the URL is malformed")
    if parts.username is not None or parts.password is not None:
        raise Refused("the URL must not hold a user or password; use auth_header")
    return parts, host, _DEFAULT_PORTS[parts.scheme] if port is None else port


def _target(url: str, policy: Policy) -> tuple[httpcore2.URL, str]:
    """The request's target and its Host header."""
    parts, host, port = _split(url, policy.schemes)
    if policy.ports is not None and port not in policy.ports:
        raise Refused(f"port {port} is not allowed; BROKKR_WEBHOOK_ALLOWED_PORTS names those that are")
    target = quote(parts.path or "/", safe=_PATH) + (
        f"?{quote(parts.query, safe=_QUERY)}" if parts.query else ""
    )
    name = f"[{host}]" if ":" in host else host
    return (
        httpcore2.URL(scheme=parts.scheme, host=host, port=port, target=target),
        name if port == _DEFAULT_PORTS[parts.scheme] else f"{name}:{port}",
    )


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers.items()]


def _beginning(response: httpcore2.Response) -> str:
    """The beginning of the body. The status has arrived, so a body that breaks off is not a failure."""
    body = b""
    with suppress(*_NOT_SENT):
        for part in response.iter_stream():
            body += part
            if len(body) >= _MAX_BODY_BYTES:
                break
    # PostgreSQL cannot store NUL.
    return body[:_MAX_BODY_BYTES].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _retry_after(response: httpcore2.Response, now: datetime) -> timedelta | None:
    for name, value in response.headers:
        if name.lower() == b"retry-after":
            return parse_retry_after(value.decode("latin-1"), now=now)
    return None


@cache
def tls_context() -> ssl.SSLContext:
    """The TLS context with the system's authorities. Made once, because reading them takes longer than a request."""
    return httpcore2.default_ssl_context()


def resolve(host: str, port: int) -> list[Address]:
    """The host's addresses, in the system's order of preference. Raises Refused when it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused(f"the name {host} cannot be resolved") from error
    return list(dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in found))


class _CheckedBackend(httpcore2.NetworkBackend):
    """Connects to the addresses of a host that the policy allows, and to no other."""

    def __init__(self, policy: Policy, deadline: float) -> None:
        self._policy, self._deadline = policy, deadline

    def connect_tcp(self, host: str, port: int, *_args: Any, **_options: Any) -> httpcore2.NetworkStream:
        found = resolve(host, port)
        allowed = [address for address in found if is_allowed(address, self._policy.networks)]
        if not allowed:
            raise Refused(
                f"the address {found[0]} of {host} is not public; "
                "BROKKR_WEBHOOK_ALLOWED_NETWORKS names networks that are allowed all the same"
            )
        for rest in range(len(allowed), 0, -1):
            address = allowed[-rest]
            try:
                return self._connect(address, port, share=rest)
            except OSError as error:
                failure = httpcore2.ConnectError(f"{address} port {port}: {error.strerror or error}")
        raise failure

    def _connect(self, address: Address, port: int, *, share: int) -> httpcore2.NetworkStream:
        """Connect within an equal share of the remaining time, so that later addresses are tried too."""
        patience = _left(self._deadline, httpcore2.ConnectTimeout) / share
        connection = socket.create_connection((str(address), port), timeout=patience)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Stream(connection, self._deadline)


class _Stream(httpcore2.NetworkStream):
    """A socket whose operations all end by one deadline, however slowly the other side sends."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = connection, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # the deadline is ours
        try:
            self._socket.settimeout(_left(self._deadline, httpcore2.ReadTimeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ReadError(_reason(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        view = memoryview(buffer)
        try:
            while view:
                self._socket.settimeout(_left(self._deadline, httpcore2.WriteTimeout))
                view = view[self._socket.send(view) :]
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.WriteError(_reason(error)) from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        try:
            self._socket.settimeout(_left(self._deadline, httpcore2.ConnectTimeout))
            return _Stream(
                ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._deadline
            )
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(_reason(error)) from error

    def close(self) -> None:
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        # httpcore asks this to find out whether HTTP/2 was negotiated.
        return self._socket if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket) else None


def _left(deadline: float, timeout: type[httpcore2.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise timeout
    return left


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
