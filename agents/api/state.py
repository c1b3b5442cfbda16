"""The answer to a poll, from the ids of what the agent should have."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from agents.fragments import Fragments
from agents.services.offers import note_offers
from core.api.errors import CACHE_CONTROL
from core.api.etag import names_tag
from core.api.renderers import to_json
from stacks.api.serializers import DeploymentObjectSerializer
from stacks.models import DeploymentObject

# In the tag beside the ids, lest a release that writes objects differently keeps answering 304.
_FORM = ("2:" + ",".join(DeploymentObjectSerializer.Meta.fields)).encode()


def _render(obj: DeploymentObject) -> bytes:
    # What the serializer would say, without asking it: that costs twenty times as much, and after a start, or where
    # there are more objects than memory, every poll has twenty of them.
    return to_json({name: _plain(getattr(obj, name)) for name in DeploymentObjectSerializer.Meta.fields})


def _plain(value: object) -> object:
    # As settings.REST_FRAMEWORK writes times. Those of rows are in UTC.
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


_fragments = Fragments(_render, settings.FRAGMENT_CACHE_BYTES)


def state_etag(object_ids: Sequence[str]) -> str:
    """The tag of a target state: objects never change, so their ids say everything."""
    joined = ",".join(object_ids).encode()
    return f'"{hashlib.sha256(_FORM + b"|" + joined).hexdigest()[:32]}"'


def state_body(
    object_ids: Sequence[str], *, offered_to: UUID | None = None, new_ids: Sequence[str] | None = None
) -> bytes:
    """The objects as a JSON array. Raises DatabaseUnavailable when one of them has gone since its id was read.

    To the agent itself, `offered_to`, the answer is an offer, and noted before it goes out; `new_ids` are those that
    were never offered, None when that is not known.
    """
    body = _fragments.join(object_ids)
    if offered_to is not None:
        note_offers(agent_id=offered_to, object_ids=object_ids if new_ids is None else new_ids)
    return body


def respond(request: HttpRequest, object_ids: Sequence[str], *, agent_id: UUID | None) -> HttpResponse:
    """The objects as a JSON array, or 304 to an agent that has them. `agent_id` when the agent itself asks."""
    headers = {"ETag": state_etag(object_ids), "Cache-Control": CACHE_CONTROL}
    if names_tag(request.META.get("HTTP_IF_NONE_MATCH"), headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    body = state_body(object_ids, offered_to=agent_id)
    return HttpResponse(body, content_type="application/json", headers=headers)
