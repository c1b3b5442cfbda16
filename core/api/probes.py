"""Health and metrics: for probes and scrapers, without a key.

Exempt from the CSRF check, so that a wrong method is answered as one.
"""

import logging
from collections.abc import Mapping

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from core.database_errors import is_full, unavailable
from core.errors import StorageFull
from core.metrics import exposition
from core.prepared import fetch_all, is_postgresql

logger = logging.getLogger(__name__)

# What keeps a session from waiting without an end. Behind a pooler the database's role has to bring it.
_ASK = {
    "postgresql": """
        SELECT current_setting('transaction_read_only'),
            (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name = ANY(%(names)s))
        """,
    "sqlite": "SELECT 'off', NULL",
}
_NAMES = {"names": list(settings.DATABASE_TIMEOUTS)}


def database_trouble() -> str:
    """Why this process cannot serve from the database now; empty when it can."""
    try:
        # Behind a pooler even a new connection may meet a session that has just ended. Then this asks once more.
        ((read_only, timeouts),) = fetch_all(_ASK[connection.vendor], _NAMES if is_postgresql() else {})
    except Error as error:
        logger.warning("not ready: %s", error)
        connection.close()
        return "database full" if isinstance(unavailable(error), StorageFull) else "database unavailable"
    if read_only == "on":
        connection.close()
        return "database read-only"
    if is_full():
        return "database full"
    return _timeouts_trouble(timeouts) if is_postgresql() else ""


def _timeouts_trouble(session: Mapping[str, str]) -> str:
    milliseconds = {name: int(session[name]) for name in settings.DATABASE_TIMEOUTS}
    missing = [name for name, value in milliseconds.items() if not value]
    if missing:
        return f"database session without {', '.join(missing)}"
    # Without a pooler the session has what our own settings or the URL say.
    longer = [
        f"{name} {value} ms instead of {wanted} ms"
        for name, value in milliseconds.items()
        if settings.DATABASE_HAS_POOLER and value > (wanted := 1000 * settings.DATABASE_TIMEOUTS[name])
    ]
    return f"database session with {', '.join(longer)}" if longer else ""


@csrf_exempt
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """This process answers. Says nothing about the database: a restart would not bring that back."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """This process can serve: the database answers, takes changes and has its time-outs."""
    trouble = database_trouble()
    return HttpResponse(
        trouble or "Ready", status=503 if trouble else 200, content_type="text/plain; charset=utf-8"
    )


@csrf_exempt
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """The same in one JSON object."""
    word = "unavailable" if database_trouble() else "ok"
    return JsonResponse({"status": word, "database": word}, status=200 if word == "ok" else 503)


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format."""
    try:
        return HttpResponse(exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")
    except Error:
        connection.close()
        return HttpResponse("database unavailable", status=503, content_type="text/plain; charset=utf-8")
