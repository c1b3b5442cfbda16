"""Adds labels and annotations to a resource and removes them."""

from typing import Any

from django.db import transaction

from core.advisory_locks import lock_wanted_versions
from core.errors import InvalidAnnotation, InvalidLabel
from core.events import Actor, Event, emit
from core.integrity import unique_or_conflict
from core.labels.models import AbstractAnnotation, AbstractLabel, LabelledResource
from core.labels.signals import annotation_added, annotation_removed, label_added, label_removed
from core.validators import is_label


@transaction.atomic
def add_label(*, owner: LabelledResource, label: str, actor: Actor) -> AbstractLabel:
    """Raises InvalidLabel for a malformed label, UniqueViolation when the owner has it already."""
    if not is_label(label):
        raise InvalidLabel(label=label)
    lock_wanted_versions()
    rows: Any = owner.labels  # type: ignore[attr-defined]  # each concrete table declares this related name
    with unique_or_conflict(rows.model.UNIQUE):
        row: AbstractLabel = rows.create(label=label)
    label_added.send(sender=type(owner), owner=owner, label=label)
    _tell("label_added", owner, actor, {"label": label}, after={"label": label})
    return row


@transaction.atomic
def remove_label(*, owner: LabelledResource, label: str, actor: Actor) -> bool:
    """Returns whether the owner had the label."""
    lock_wanted_versions()
    removed, _ = owner.labels.filter(label=label).delete()  # type: ignore[attr-defined]
    if removed:
        label_removed.send(sender=type(owner), owner=owner, label=label)
        _tell("label_removed", owner, actor, {"label": label}, before={"label": label})
    return bool(removed)


@transaction.atomic
def add_annotation(*, owner: LabelledResource, key: str, value: str, actor: Actor) -> AbstractAnnotation:
    """Raises InvalidAnnotation for a malformed key or value, UniqueViolation when the owner has the key already."""
    if not is_label(key) or not is_label(value):
        raise InvalidAnnotation(key=key, value=value)
    lock_wanted_versions()
    rows: Any = owner.annotations  # type: ignore[attr-defined]
    with unique_or_conflict(rows.model.UNIQUE):
        row: AbstractAnnotation = rows.create(key=key, value=value)
    annotation_added.send(sender=type(owner), owner=owner, key=key, value=value)
    annotation: dict[str, object] = {"key": key, "value": value}
    _tell("annotation_added", owner, actor, annotation, after=annotation)
    return row


@transaction.atomic
def remove_annotation(*, owner: LabelledResource, key: str, actor: Actor) -> bool:
    """Returns whether the owner had the annotation."""
    lock_wanted_versions()
    row = owner.annotations.select_for_update().filter(key=key).first()  # type: ignore[attr-defined]
    if row is None:
        return False
    row.delete()
    annotation_removed.send(sender=type(owner), owner=owner, key=key, value=row.value)
    _tell("annotation_removed", owner, actor, {"key": key}, before={"key": key, "value": row.value})
    return True


def _tell(
    what: str,
    owner: LabelledResource,
    actor: Actor,
    details: dict[str, object],
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=owner.EVENT_KINDS(f"{owner.NOUN}.{what}"),
            resource_type=owner.NOUN,
            resource_id=owner.id,
            actor=actor,
            details=details,
            before=before,
            after=after,
        )
    )
