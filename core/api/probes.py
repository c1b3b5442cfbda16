"""Health and metrics: for probes and scrapers, without a key.

Exempt from the CSRF check, so that a wrong method is answered as one.
"""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from core.metrics import exposition

# What keeps a session from waiting without an end. Behind a pooler the database's role has to bring it.
_TIMEOUTS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
_ASK = {
    "postgresql": "SELECT current_setting('transaction_read_only'), "
    + ", ".join(f"current_setting('{name}')" for name in _TIMEOUTS),
    "sqlite": "SELECT 'off'",
}


def database_trouble() -> str:
    """Why this process cannot serve from the database now; empty when it can."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ASK[connection.vendor])
            read_only, *timeouts = cursor.fetchone()
    except Error:
        connection.close()
        return "database unavailable"
    if read_only == "on":
        connection.close()
        return "database read-only"
    missing = [name for name, value in zip(_TIMEOUTS, timeouts, strict=False) if value == "0"]
    return f"database session without {', '.join(missing)}" if missing else ""


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
