from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import include, path


def bare(request: HttpRequest) -> JsonResponse:
    """The least that Django can do."""
    return JsonResponse({"ok": True})


def bare_db(request: HttpRequest) -> JsonResponse:
    """The least that Django can do with the database: one row by an index, by Django's cursor."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, subject_id FROM paks WHERE key_hash = %s", [request.GET["hash"]])
        row = cursor.fetchone()
    return JsonResponse({"ok": row is not None})


urlpatterns = [
    path("bench/bare", bare),
    path("bench/bare-db", bare_db),
    path("", include("brokkr_site.urls")),
]
