"""What a webhook would send, shown beside its form before anything is sent."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache

from core.admin import BaseAdmin
from webhooks.bodies import render_in
from webhooks.formats import Format, content_type
from webhooks.notices import Names

PREVIEW_ID: Final = "webhook-preview"
_AGENT, _STACK = UUID("0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c11"), UUID("0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90")
_SAMPLE: Final[dict[str, Any]] = {
    "agent_id": _AGENT,
    "stack_id": _STACK,
    "status": "FAILURE",
    "message": "no such image",
}
_NAMES: Final = Names(agents={_AGENT: "edge-01"}, stacks={_STACK: "web-shop"})
_AT: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def shown_body(payload: str, format: str) -> str:  # noqa: A002  # the word of the wire
    """A body as pages show it: JSON with line breaks, plain text as it is."""
    if Format(format) == Format.PLAIN:
        return payload
    return orjson.dumps(orjson.loads(payload), option=orjson.OPT_INDENT_2).decode()


def preview_of(format: Format) -> SafeString:  # noqa: A002
    """The body of an invented event in this format."""
    payload = render_in(
        format,
        event_id=UUID(int=0),
        event_type="deployment.failed",
        at=_AT,
        data=_SAMPLE,
        names=_NAMES,
    )
    return format_html(
        '<p>Content-Type: {}</p><pre class="brokkr-preformatted" tabindex="0" aria-label="An example">{}</pre>',
        content_type(format),
        shown_body(payload, format),
    )


def preview_box(format: Format) -> SafeString:  # noqa: A002
    """The part of the form that shows it. The field of the format has it replaced when another is chosen."""
    return format_html('<div id="{}" aria-live="polite">{}</div>', PREVIEW_ID, preview_of(format))


def preview_view(admin: BaseAdmin) -> Callable[[HttpRequest], HttpResponse]:
    """The view of the preview alone. Who is logged out is refused: the login form would be put into the page."""

    @never_cache
    def view(request: HttpRequest) -> HttpResponse:
        if not admin.admin_site.has_permission(request) or not admin.has_view_permission(request):
            return HttpResponse(status=403)
        asked = request.GET.get("format", "")
        if asked not in set(Format):
            return HttpResponse(status=404)
        return HttpResponse(preview_of(Format(asked)))

    return view
