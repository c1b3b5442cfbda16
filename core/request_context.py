"""What the broker knows of a request beside its own words: its id, who calls, what a page of the admin found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.http import HttpRequest

if TYPE_CHECKING:
    from core.admin.deletion_impact import DeletionImpact
    from core.admin.planning import ShownPlan
    from core.errors import DomainError
    from core.prepared_rows import AskedRow


@dataclass(slots=True)
class RequestContext:
    """One for each request. Whoever finds something out writes it here for those who come later."""

    request_id: str
    # As the log names the caller.
    caller: str = "anonymous"
    # The resource of the path, if it was read with the key.
    asked: AskedRow | None = None
    # Why the request was refused, if a DomainError says so.
    refusal: DomainError | None = None
    # Pages of the admin: Django gives their later steps nothing but the request.
    impact: DeletionImpact | None = None
    phrase: str | None = None
    plan: ShownPlan | None = None
    title_of_adding: str = ""
    # Whether the page of a row is made for reading: its fields are shown as text.
    is_reading: bool = False


class _WithContext(HttpRequest):
    context: RequestContext


def attach_context(request: HttpRequest, context: RequestContext) -> None:
    """Give the request its context; the outermost middleware does it. Templates read it as `request.context`."""
    cast(_WithContext, request).context = context


def context_of(request: HttpRequest) -> RequestContext:
    """The request's context."""
    return cast(_WithContext, request).context
