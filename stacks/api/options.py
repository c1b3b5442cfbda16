"""What a request to publish may say beside the manifest, and how it is answered."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api.etag import require_match, require_none
from core.api.renderers import to_json
from paks.principals import Principal
from stacks.api.serializers import DeploymentObjectSerializer, PublishedObjectSerializer
from stacks.manifests import Manifest
from stacks.models import DeploymentObject
from stacks.publish_warnings import publish_warnings
from stacks.services import PublishOptions

PUBLISH_CONDITIONS = [
    OpenApiParameter(
        "If-Match",
        str,
        OpenApiParameter.HEADER,
        description="The `ETag` of the newest version; 412 when another one has been published meanwhile.",
    ),
    OpenApiParameter(
        "If-None-Match",
        str,
        OpenApiParameter.HEADER,
        description="`*`: only as the first version; 412 when there is one.",
    ),
]


def publish_options(request: Request, query: Mapping[str, Any]) -> PublishOptions:
    """The options of a request, of which `query` are the parameters that `PublishOptionsQuery` declares."""

    def precondition(newest: DeploymentObject | None) -> None:
        current = None if newest is None else to_json(DeploymentObjectSerializer(newest).data)
        require_match(request._request, current)
        require_none(request._request, current)

    has_condition = "If-Match" in request.headers or "If-None-Match" in request.headers
    return PublishOptions(
        strategy=query.get("strategy"),
        reason=query.get("reason", ""),
        precondition=precondition if has_condition else None,
    )


def published(obj: DeploymentObject, manifest: Manifest, caller: Principal) -> Any:
    """The answer to the caller that published the version, with the warnings."""
    findings = publish_warnings(obj, manifest, reader=caller)
    return PublishedObjectSerializer(obj, context={"findings": findings}).data
