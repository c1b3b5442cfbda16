"""Reads a request's body: bounded, and whole or not at all, also when it is compressed or sent in chunks."""

import gzip
import io
import re
import time
import zlib
from typing import Any, BinaryIO, cast

from django.http import HttpRequest
from gunicorn.http.errors import ParseException
from rest_framework.request import Request

from core import deadlines
from core.errors import (
    BadRequest,
    IncompleteBody,
    InvalidEncoding,
    InvalidHeader,
    PayloadTooLarge,
    UnsupportedMediaType,
)

# A refused body is read to its end up to this size, because a client that is still sending when the
# connection closes sees a reset instead of the answer.
_DRAIN_BYTES = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_DIGITS = re.compile(r"[0-9]{1,18}")


class BoundedRequest(Request):
    """DRF's request, whose body never exceeds `body_limit` bytes after decompression."""

    body_limit: int

    def _load_stream(self) -> None:
        started = time.monotonic()
        self._stream = io.BytesIO(read_body(self._request, self.body_limit))
        # A client that sends slowly does so in its own time.
        deadlines.extend(time.monotonic() - started)


def read_body(request: HttpRequest, limit: int) -> bytes:
    """The whole body, decompressed.

    Raises PayloadTooLarge over `limit` bytes, IncompleteBody when the connection ended early (YAML
    cut in half may still be valid), InvalidEncoding, UnsupportedMediaType for an encoding other than gzip,
    InvalidHeader and BadRequest for a length or chunks that cannot be read.
    """
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise UnsupportedMediaType(
            "Send the body as it is or with Content-Encoding: gzip.", content_encoding=encoding
        )
    if encoding == "identity":
        return _read_raw(request, limit)
    # Data that does not compress grows a little: five bytes for each block of 16 KiB, a header and a checksum.
    return _decompress(_read_raw(request, limit, overhead=limit // 1024 + 64), limit)


def _read_raw(request: HttpRequest, limit: int, overhead: int = 0) -> bytes:
    chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    # Django bounds its own stream by Content-Length, which a chunked request does not have.
    stream = cast(BinaryIO, cast(Any, request).environ["wsgi.input"] if chunked else request)
    expected = None if chunked else _content_length(request)
    most = limit + overhead
    try:
        if expected is not None and expected > most:
            _drain(stream, expected)
            raise PayloadTooLarge(limit_bytes=limit)
        raw = _read_up_to(stream, most + 1)
        if len(raw) > most:
            _drain(stream, _DRAIN_BYTES)
            raise PayloadTooLarge(limit_bytes=limit)
    except OSError as error:
        raise IncompleteBody from error
    except ParseException as error:
        raise BadRequest("The chunks of the body cannot be read.") from error
    if expected is not None and len(raw) != expected:
        raise IncompleteBody
    return raw


def _content_length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    if not _DIGITS.fullmatch(text):
        raise InvalidHeader("Content-Length is not a number.", header="Content-Length")
    return int(text)


def _read_up_to(stream: BinaryIO, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(min(size, _CHUNK))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _drain(stream: BinaryIO, size: int) -> None:
    remaining = min(size, _DRAIN_BYTES)
    while remaining > 0 and (part := stream.read(min(remaining, _CHUNK))):
        remaining -= len(part)


def _decompress(raw: bytes, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            plain = file.read(limit + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidEncoding from error
    if len(plain) > limit:
        raise PayloadTooLarge(limit_bytes=limit)
    return plain
