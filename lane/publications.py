"""Publishing a version: the lane calls the same services as the view."""

from typing import Any

from core.api.renderers import to_json
from core.api.validation import valid_or_none
from core.errors import DomainError
from lane.ordinary import Ordinary, small_json
from lane.replies import Reply
from paks.api.caller import author_of
from paks.callers import principal_of
from plans import budget
from stacks.api.options import published_fields
from stacks.api.serializers import PublishBody
from stacks.services import PublishOptions, check_publishable, publish_checked


def publish(request: Ordinary) -> Reply | None:
    """The answer to a publication, or None if the views should answer. They give all refusals.

    What is refused here has been undone, so the views can try it again. They note what admins are refused.
    """
    body = _body(request)
    if body is None:
        return None
    caller = principal_of(request.token, request.address)
    if caller is None or caller.is_read_only or caller.agent_id is not None:
        return None
    request.caller = str(caller)
    text, is_marker = body["yaml_content"], body["is_deletion_marker"]
    try:
        manifest = check_publishable(text, is_deletion_marker=is_marker)
        version = publish_checked(
            stack_id=request.resource_id,
            yaml_content=text,
            is_deletion_marker=is_marker,
            objects=manifest.objects,
            actor=author_of(caller, request.environ, request.request_id),
            options=PublishOptions(caller=caller),
        )
    except DomainError:
        return None
    return Reply(201, to_json(published_fields(version, manifest)))


def _body(request: Ordinary) -> dict[str, Any] | None:
    """The fields of the body, or None if they are wrong or the request asks for more than to publish them."""
    if request.query or "HTTP_IF_NONE_MATCH" in request.environ or budget.is_on():
        return None
    value = small_json(request.environ)
    if not isinstance(value, dict) or "dry_run" in value:
        return None
    return valid_or_none(PublishBody, value)
