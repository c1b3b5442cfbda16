"""Writes that change what is wanted. A plan of them can be asked for, and they obey `If-Plan`.

The app that makes plans registers a guard here. Every such write runs inside it, in the order: replay of an
Idempotency-Key, guard, change.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol

import orjson
from django.http import HttpResponse
from rest_framework.request import Request

from core.errors import DryRunRefused

_P = ParamSpec("_P")
_Change = Callable[[], HttpResponse]
_Handler = Callable[Concatenate[Any, Request, _P], HttpResponse]


class Guard(Protocol):
    def __call__(self, view: Any, request: Request, change: _Change, *, takes_away: bool) -> HttpResponse: ...


def _unguarded(view: Any, request: Request, change: _Change, *, takes_away: bool) -> HttpResponse:
    return change()


_guards: list[Guard] = [_unguarded]


def register_guard(guard: Guard) -> None:
    """Run planned writes inside the guard. Called in `<app>/wiring.py`."""
    _guards[0] = guard


def planned(*, takes_away: bool = True) -> Callable[["_Handler[_P]"], "_Handler[_P]"]:
    """Mark the handler of a write that changes what is wanted, and run it inside the guard.

    `takes_away` is false for writes that can take nothing from anybody. Raises DryRunRefused.
    """

    def decorate(handler: "_Handler[_P]") -> "_Handler[_P]":
        @wraps(handler)
        def run(view: Any, request: Request, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
            def change() -> HttpResponse:
                return handler(view, request, *args, **kwargs)

            return _guarded(view, request, change, takes_away=takes_away)

        run.is_planned = True  # type: ignore[attr-defined]  # read by the schema and by plans
        return run

    return decorate


def planned_change(
    handler: Callable[Concatenate[Any, Request, _P], _Change],
) -> Callable[Concatenate[Any, Request, _P], _Change]:
    """The same for a handler that computes for a long time and returns the change; only the change is guarded."""

    @wraps(handler)
    def prepare(view: Any, request: Request, /, *args: _P.args, **kwargs: _P.kwargs) -> _Change:
        change = handler(view, request, *args, **kwargs)
        return lambda: _guarded(view, request, change, takes_away=True)

    prepare.is_planned = True  # type: ignore[attr-defined]
    return prepare


def raw_body(request: Request) -> bytes:
    """The bytes of the body, decompressed. The stream stays where it was."""
    stream: Any = request.stream
    return b"" if stream is None else bytes(stream.getbuffer())


def _guarded(view: Any, request: Request, change: _Change, *, takes_away: bool) -> HttpResponse:
    if not view.has_plans:
        return change()
    # A broker that did not know the parameter would make the change.
    if "dry_run" in request.query_params or _names_dry_run(raw_body(request)):
        raise DryRunRefused
    return _guards[0](view, request, change, takes_away=takes_away)


def _names_dry_run(body: bytes) -> bool:
    if b"dry_run" not in body:
        return False
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and "dry_run" in value
