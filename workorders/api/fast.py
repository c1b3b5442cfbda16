"""The short way for an agent that looks for work and finds none: one statement. When there is any, the view answers."""

import re

from django.http import HttpRequest, HttpResponse

from agents.api.fast import note_caller, token_of
from core.api.errors import CACHE_CONTROL
from core.api.fields import parse_uuid
from workorders.polling import look_for_work

# Where nothing waits, nothing of any type does.
_QUERY = re.compile(r"(work_type=[A-Za-z0-9_-]+)?")


def fast_pending(request: HttpRequest, agent_id: str) -> HttpResponse | None:
    """GET /agents/{id}/work-orders/pending by the agent itself."""
    token, parsed = token_of(request), parse_uuid(agent_id)
    query = request.META.get("QUERY_STRING", "")
    if request.method != "GET" or token is None or parsed is None or not _QUERY.fullmatch(query):
        return None
    look = look_for_work(agent_id=parsed, key_hash=token.hash)
    if look is None or look.found or look.short_token not in {"", token.short}:
        return None
    note_caller(request, parsed, look)
    return HttpResponse(b"[]", content_type="application/json", headers={"Cache-Control": CACHE_CONTROL})
