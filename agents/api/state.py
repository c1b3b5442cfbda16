"""The answer to a poll, made from the ids of the objects that the agent should have."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from agents.api.history_headers import history_headers
from agents.fragments import Fragments
from agents.services.offers import note_offers
from agents.target_state import state_at
from agents.wanted.past import require_known
from core import clock
from core.api.errors import CACHE_CONTROL
from core.api.etag import names_tag
from core.api.renderers import to_json
from stacks.api.serializers import DeploymentObjectSerializer
from stacks.models import DeploymentObject

# A part of the tag, beside the ids: a release that writes objects in another form must not answer 304 to old tags.
_FORM = ("2:" + ",".join(DeploymentObjectSerializer.Meta.fields)).encode()


def _render(obj: DeploymentObject) -> bytes:
    # Writes the same as the serializer, which takes twenty times as long. After a start, or where the objects do not
    # fit into memory, every poll has to write about twenty objects.
    return to_json({name: _plain(getattr(obj, name)) for name in DeploymentObjectSerializer.Meta.fields})


def _plain(value: object) -> object:
    # The format of times in settings.REST_FRAMEWORK. The times of rows are in UTC.
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


_fragments = Fragments(_render, settings.FRAGMENT_CACHE_BYTES)


def state_etag(object_ids: Sequence[str]) -> str:
    """The tag of a target state. It is made from the ids only, because objects never change."""
    joined = ",".join(object_ids).encode()
    return f'"{hashlib.sha256(_FORM + b"|" + joined).hexdigest()[:32]}"'


def state_body(object_ids: Sequence[str]) -> bytes:
    """The objects as a JSON array. Raises DatabaseUnavailable if one of them was removed after its id was read."""
    return _fragments.join(object_ids)


def respond(request: HttpRequest, object_ids: Sequence[str], *, agent_id: UUID | None) -> HttpResponse:
    """The objects as a JSON array, or 304 for a caller that has them. `agent_id` is set if the agent itself asks."""
    headers = {"ETag": state_etag(object_ids), "Cache-Control": CACHE_CONTROL}
    if names_tag(request.META.get("HTTP_IF_NONE_MATCH"), headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    body = state_body(object_ids)
    if agent_id is not None:
        # The offer is written before the answer is sent.
        note_offers(agent_id=agent_id, object_ids=object_ids)
    return HttpResponse(body, content_type="application/json", headers=headers)


def respond_at(request: HttpRequest, *, agent_id: UUID, at: datetime) -> HttpResponse:
    """The target state of a moment of the past. Headers say how far back that is known, and under which settings.

    Raises MomentNotKnown.
    """
    now = clock.now()
    require_known(at, now=now)
    response = respond(request, state_at(agent_id=agent_id, at=at), agent_id=None)
    for name, value in history_headers(now).items():
        response.headers[name] = value
    return response
