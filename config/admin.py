"""What `manage.py doctor` says, as a page for admins."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.reports import as_row
from core.installation_checks import findings, registered_checks


def installation_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """What all checks find now, as this web process sees it. Raises PermissionDenied to all but admins."""
    if not request.user.has_perm("config.check_installation"):
        raise PermissionDenied
    rows = [as_row(message) for message in findings()]
    table = {
        "headers": ["Level", "What is wrong", "What to do", "Check"],
        "rows": [[row["level"], row["message"], row["hint"], row["check"]] for row in rows],
    }
    return render(
        request,
        "config/installation.html",
        {**context, "title": "Installation", "table": table, "checks": len(registered_checks())},
    )
