"""The answer to a poll, from the ids of what the agent should have."""

import hashlib
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from agents.fragments import Fragments
from core.api.etag import not_modified
from core.api.renderers import to_json
from stacks.api.serializers import DeploymentObjectSerializer
from stacks.models import DeploymentObject

# In the tag beside the ids, lest a release that writes objects differently keeps answering 304.
_FORM = ("2:" + ",".join(DeploymentObjectSerializer.Meta.fields)).encode()


def _render(obj: DeploymentObject) -> bytes:
    return to_json(DeploymentObjectSerializer(obj).data)


_fragments = Fragments(_render, settings.FRAGMENT_CACHE_BYTES)


def state_etag(object_ids: Sequence[str]) -> str:
    """The tag of a target state: objects never change, so their ids say everything."""
    joined = ",".join(object_ids).encode()
    return f'"{hashlib.sha256(_FORM + b"|" + joined).hexdigest()[:32]}"'


def respond(request: HttpRequest, object_ids: Sequence[str]) -> HttpResponse:
    """The objects as a JSON array, or 304 to an agent that has them."""
    headers = {"ETag": state_etag(object_ids), "Cache-Control": "private, no-cache"}
    if not_modified(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(_fragments.join(object_ids), content_type="application/json", headers=headers)
