"""Idempotency-Key: a create that is sent twice happens once and is answered twice."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, cast
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api.renderers import to_json
from core.crypto import seal, unseal
from core.errors import IdempotencyKeyReused, InvalidHeader
from core.models import IdempotentAnswer
from core.services import ANSWERS_KEPT_FOR

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_PURPOSE = b"idempotent-answer"
_P = ParamSpec("_P")


class _Caller(Protocol):
    key_id: UUID


_Handler = Callable[Concatenate[Any, Request, _P], HttpResponse]


_Change = Callable[[], HttpResponse]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One request with an Idempotency-Key."""

    caller: UUID
    key: str
    fingerprint: str
    # Decrypts the kept answer.
    secret: bytes


def idempotent(handler: "_Handler[_P]") -> "_Handler[_P]":
    """Wrap a create: same Idempotency-Key, caller and request within 24 h replays the first answer.

    The record and the change commit together, so a crash leaves both or neither; a repeat that arrives while
    the first is under way waits for it on the unique constraint. Refusals are not kept: they change nothing.
    Raises InvalidHeader for a malformed key, IdempotencyKeyReused for a key seen with another request.
    """

    @wraps(handler)
    def create(view: Any, request: Request, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        attempt = _attempt(request)
        if attempt is None:
            return handler(view, request, *args, **kwargs)
        return _once(attempt, lambda: handler(view, request, *args, **kwargs))

    create.is_idempotent = True  # type: ignore[attr-defined]  # read by the schema
    return create


def idempotent_change(handler: "Callable[Concatenate[Any, Request, _P], _Change]") -> "_Handler[_P]":
    """Like `idempotent`, for a create that computes for a long time before it writes. Its handler returns a function
    that makes the change.

    Only that function runs in the transaction, which on SQLite keeps every other writer waiting.
    """

    @wraps(handler)
    def create(view: Any, request: Request, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        attempt = _attempt(request)
        if attempt is None:
            return handler(view, request, *args, **kwargs)()
        kept = IdempotentAnswer.objects.filter(
            caller=attempt.caller, key=attempt.key, created_at__gte=clock.now() - ANSWERS_KEPT_FOR
        ).first()
        if kept is not None:
            return _replay(attempt, kept)
        return _once(attempt, handler(view, request, *args, **kwargs))

    create.is_idempotent = True  # type: ignore[attr-defined]  # read by the schema
    return create


def _attempt(request: Request) -> _Attempt | None:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidHeader(
            "Idempotency-Key must have 1 to 255 visible ASCII characters.", header="Idempotency-Key"
        )
    caller: _Caller = cast(Any, request.auth)
    return _Attempt(caller.key_id, key, _fingerprint(request), _secret(request))


def _once(attempt: _Attempt, change: _Change) -> HttpResponse:
    with transaction.atomic():
        mine = {"caller": attempt.caller, "key": attempt.key}
        now = clock.now()
        IdempotentAnswer.objects.filter(**mine, created_at__lt=now - ANSWERS_KEPT_FOR).delete()
        draft = IdempotentAnswer(**mine, fingerprint=attempt.fingerprint, status=0, body=b"", created_at=now)
        IdempotentAnswer.objects.bulk_create([draft], ignore_conflicts=True)
        record = IdempotentAnswer.objects.get(**mine)
        if record.status or record.fingerprint != attempt.fingerprint:
            return _replay(attempt, record)
        response = change()
        record.status = response.status_code
        record.body = seal(to_json(cast(Response, response).data), secret=attempt.secret, purpose=_PURPOSE)
        record.save(update_fields=["status", "body"])
        return response


def _replay(attempt: _Attempt, record: IdempotentAnswer) -> HttpResponse:
    if record.fingerprint != attempt.fingerprint:
        raise IdempotencyKeyReused
    return HttpResponse(
        unseal(bytes(record.body), secret=attempt.secret, purpose=_PURPOSE),
        status=record.status,
        content_type="application/json",
        headers={"Idempotency-Replayed": "true"},
    )


def _fingerprint(request: Request) -> str:
    digest = hashlib.sha256()
    body = request.stream.read() if request.stream else b""
    # Rewind, because the parser reads the stream after us.
    request.stream.seek(0)
    for part in (str(request.method), request.get_full_path(), str(request.content_type)):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(body)
    return digest.hexdigest()


def _secret(request: Request) -> bytes:
    # The long token of the caller's key, which the caller has and the database does not. Not the whole header: a
    # caller may send the same key with or without `Bearer`, and under any prefix.
    return request.headers.get("Authorization", "").strip().rsplit("_", 1)[-1].encode()
