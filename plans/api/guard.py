"""What stands around every write that changes what agents get: plans, `If-Plan`, and the budget of deletions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request

from core import clock
from core.advisory_locks import AdvisoryLock, lock_alone
from core.api.fields import parse_uuid
from core.api.planned import raw_body
from plans import budget
from plans.changes import compare, digest_of
from plans.dry_runs import DryRun, dry_run
from plans.errors import PlanStale
from plans.scopes import Scope, scope_of_call
from plans.snapshots import take

PREFIX = "/api/v1"


@dataclass(slots=True)
class Asked:
    """A plan that is asked for. The guard fills it when the write arrives, and the write is undone."""

    run: DryRun[HttpResponse] | None = None
    digest: str = ""


_asked: ContextVar[Asked | None] = ContextVar("asked_plan", default=None)


@contextmanager
def asking() -> Iterator[Asked]:
    """Inside, a planned write is not made: what it would do is in the object that this returns."""
    asked = Asked()
    token = _asked.set(asked)
    try:
        yield asked
    finally:
        _asked.reset(token)


def guard(
    view: Any, request: Request, change: Callable[[], HttpResponse], *, takes_away: bool
) -> HttpResponse:
    """Make the change, or its plan. Raises PlanStale, DeletionBudgetExceeded, InvalidHeader, and what it raises."""
    asked = _asked.get()
    if asked is not None:
        asked.run = dry_run(partial(_scope, view, request), change)
        asked.digest = digest_of(asked.run.changes, asked.run.before, asked.run.after, write=_write(request))
        return asked.run.answer
    expected = request.META.get("HTTP_IF_PLAN")
    if expected is None and not (takes_away and budget.is_on()):
        return change()
    return _change_alone(view, request, change, expected)


def _change_alone(
    view: Any, request: Request, change: Callable[[], HttpResponse], expected: str | None
) -> HttpResponse:
    with transaction.atomic():
        # Nobody else changes what is wanted until the comparison has been made and the change is committed.
        lock_alone(AdvisoryLock.WANTED_VERSIONS)
        scope = _scope(view, request)
        before = take(scope, is_before=True)
        response = change()
        after = take(scope, is_before=False)
        changes = compare(before, after)
        if expected is not None:
            if digest_of(changes, before, after, write=_write(request)) != expected:
                raise PlanStale
        elif excess := budget.excess_of(budget.loss_of(changes, now=clock.now())):
            raise excess
        return response


def _scope(view: Any, request: Request) -> Scope:
    return scope_of_call(
        view.kwargs, agent_id=_named_agent(request) if "generator_id" in view.kwargs else None
    )


def _named_agent(request: Request) -> UUID | None:
    """The agent that a registration is about: the caller, or the one that the body names."""
    caller: Any = request.auth
    body = _json(raw_body(request))
    named = body.get("agent_id") if isinstance(body, dict) else None
    return caller.agent_id or (parse_uuid(named) if isinstance(named, str) else None)


def _write(request: Request) -> bytes:
    """Which write it is, in the same bytes for the plan and for the write itself."""
    path, body = request._request.get_full_path().removeprefix(PREFIX), raw_body(request)
    try:
        return orjson.dumps([request.method, path, _json(body)], option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # It is nested deeper than it can be written again.
        return orjson.dumps([request.method, path]) + body


def _json(body: bytes) -> Any:
    """The body as a JSON value; one that is no JSON, such as a manifest, as a text."""
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")
