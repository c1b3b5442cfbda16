"""The short way for an agent that looks for diagnostics and finds none: one statement. Otherwise the view answers."""

from django.http import HttpRequest, HttpResponse

from agents.api.fast import note_caller, token_of
from core.api.errors import CACHE_CONTROL
from core.api.fields import parse_uuid
from diagnostics.polling import look_for_diagnostics


def fast_pending(request: HttpRequest, agent_id: str) -> HttpResponse | None:
    """GET /agents/{id}/diagnostics/pending by the agent itself."""
    token, parsed = token_of(request), parse_uuid(agent_id)
    if request.method != "GET" or token is None or parsed is None or request.META.get("QUERY_STRING"):
        return None
    look = look_for_diagnostics(agent_id=parsed, key_hash=token.hash)
    if look is None or look.found or look.short_token not in {"", token.short}:
        return None
    note_caller(request, parsed, look)
    return HttpResponse(b"[]", content_type="application/json", headers={"Cache-Control": CACHE_CONTROL})
