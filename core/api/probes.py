"""Health and metrics: for probes and scrapers, without a key.

Exempt from the CSRF check, so that a wrong method is answered as one.
"""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from core.metrics import exposition


def database_answers() -> bool:
    """Whether the database answers a trivial query now, within its connect time-out."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except Error:
        connection.close()
        return False


@csrf_exempt
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """This process answers. Says nothing about the database: a restart would not bring that back."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """This process can serve: the database answers."""
    if database_answers():
        return HttpResponse("Ready", content_type="text/plain; charset=utf-8")
    return HttpResponse("database unavailable", status=503, content_type="text/plain; charset=utf-8")


@csrf_exempt
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """The same in one JSON object."""
    database = database_answers()
    return JsonResponse(
        {"status": "ok" if database else "unavailable", "database": "ok" if database else "unavailable"},
        status=200 if database else 503,
    )


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format."""
    try:
        return HttpResponse(exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")
    except Error:
        connection.close()
        return HttpResponse("database unavailable", status=503, content_type="text/plain; charset=utf-8")
