"""What a request to publish may say beside the manifest, and how it is answered."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api.etag import require_match, require_none
from core.api.renderers import JsonAnswer, to_json
from core.api.rows import represent
from paks.api.caller import caller
from stacks.api.serializers import DeploymentObjectSerializer, PublishWarningSerializer
from stacks.manifests import Finding, Manifest
from stacks.models import DeploymentObject
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

    has_condition = "HTTP_IF_MATCH" in request.META or "HTTP_IF_NONE_MATCH" in request.META
    return PublishOptions(
        strategy=query.get("strategy"),
        reason=query.get("reason", ""),
        precondition=precondition if has_condition else None,
        caller=caller(request),
    )


def published(obj: DeploymentObject, manifest: Manifest) -> JsonAnswer:
    """The answer to the caller that published the version."""
    return JsonAnswer(published_fields(obj, manifest), status=201)


def published_fields(obj: DeploymentObject, manifest: Manifest) -> dict[str, Any]:
    """What the answer says, as PublishedObjectSerializer describes it, with all warnings in the order of the text."""
    findings = sorted([*manifest.findings, *obj.warnings], key=_place)
    warnings = [PublishWarningSerializer(finding).data for finding in findings]
    return represent(DeploymentObjectSerializer, obj) | {"warnings": warnings}


def _place(finding: Finding) -> tuple[bool, int, int]:
    """What is about no place comes last."""
    return finding.document is None, finding.document or 0, finding.line or 0
