"""Writes one row for each audited event, in the transaction of the change."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.dispatch import receiver
from uuid_utils.compat import uuid4

from audit.models import AuditLog
from core.events import Event, Hearing, event_emitted, question_of_hearing
from core.prepared_rows import insert

_MAX_USER_AGENT = 1000


@receiver(event_emitted, dispatch_uid="audit.remember")
def remember(events: Sequence[Event], hearing: Hearing, **kwargs: Any) -> None:
    if rows := [_row(event) for event in events if event.audited]:
        question, facts = question_of_hearing(events)
        is_heard = insert(rows, question=question, facts=facts)
        hearing.by_nobody = bool(question) and not is_heard


def _row(event: Event) -> AuditLog:
    actor = event.actor
    return AuditLog(
        id=event.id,
        timestamp=event.at,
        created_at=event.at,
        actor_type=str(actor.type),
        actor_id=actor.id,
        actor_label=actor.label,
        key_id=actor.key_id,
        action=str(event.kind),
        resource_type=event.resource_type,
        resource_id=event.resource_id,
        details=_json(event.details),
        ip_address=actor.ip_address,
        user_agent=actor.user_agent[:_MAX_USER_AGENT] if actor.user_agent else None,
        request_id=actor.request_id,
        before=_json(event.before),
        after=_json(event.after),
        reason=event.reason or actor.reason,
        author_salt=uuid4(),
        content_salt=uuid4(),
    )


def _json(values: Mapping[str, object] | None) -> dict[str, object] | None:
    return None if values is None else dict(values)
