"""What `manage.py doctor` says, as a page for admins."""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Warning as Caution
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString

from config.reports import as_row
from core.admin import badge
from core.installation_checks import findings, registered_checks
from core.middleware import is_behind_unknown_proxy

_COMMAND = re.compile(r"`([^`]+)`")
_TONES = {"error": "bad", "critical": "bad", "warning": "wait"}


def installation_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """What all checks find now, as this web process sees it. Raises PermissionDenied to all but admins."""
    if not request.user.has_perm("config.check_installation"):
        raise PermissionDenied
    # Only a request shows a proxy that no setting tells of.
    rows = [as_row(message) for message in [*_proxy_of(request), *findings()]]
    table = {
        "headers": ["Level", "What is wrong", "What to do", "Check"],
        "rows": [
            [
                badge(row["level"], _TONES.get(row["level"], "quiet")),
                _with_code(row["message"]),
                _with_code(row["hint"]),
                row["check"],
            ]
            for row in rows
        ],
    }
    return render(
        request,
        "config/installation.html",
        {**context, "title": "Installation", "table": table, "checks": len(registered_checks())},
    )


def _with_code(text: str) -> SafeString:
    """Commands stand between backticks, for those who read them in a terminal."""
    # In one element, because on a phone each part of a cell would become a column.
    return SafeString("<span>" + _COMMAND.sub(r"<code>\1</code>", escape(text)) + "</span>")


def _proxy_of(request: HttpRequest) -> Iterator[CheckMessage]:
    if is_behind_unknown_proxy(request.META, settings.TRUSTED_PROXY_COUNT):
        yield Caution(
            "Your request came through a proxy and BROKKR_TRUSTED_PROXY_COUNT is 0: every client counts as the proxy.",
            hint="Set BROKKR_TRUSTED_PROXY_COUNT to the number of your own proxies, 1 for instance.",
            id="brokkr.proxy_untrusted",
        )
