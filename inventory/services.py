"""Writes what is in versions: when they are published, and step by step for those of the past."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q

from core.prepared_rows import insert
from inventory.conflicts import question_of_sharing
from inventory.identifiers import image_id, object_key, resource_id
from inventory.models import Entry, ImageName, Progress, Resource, UnreadVersion
from stacks.manifests import ManifestError, ManifestObject, read_manifest
from stacks.models import DeploymentObject

# The past is read in steps of this many versions, or of this many characters if their texts are long.
STEP_VERSIONS = 200
STEP_CHARACTERS = 4 * 1024 * 1024
_SETTLED_AFTER = timedelta(minutes=10)
_NOTHING_NAMED = "No document of it is a Kubernetes object with a name."


def record_version(version: DeploymentObject, objects: Sequence[ManifestObject] | None) -> bool:
    """Note what is in a version that was just inserted, in its transaction. Of a marker nothing is noted.

    Without `objects`, the text is read. Returns whether another stack, live or deleted, ever had one of the objects.
    """
    if version.is_deletion_marker:
        return False
    if objects is None:
        found, problem = _read(version.yaml_content)
    else:
        found, problem = objects, _NOTHING_NAMED
    return _write(
        [(version, found, problem)], *question_of_sharing(version.stack_id, set(map(object_key, found)))
    )


def read_past(*, now: datetime) -> int:
    """Read one step of the versions that have been published and are not noted. Returns how many were looked at.

    Safe in several workers and after a kill: a step is written whole or not at all, and by one of them only. Versions
    that a process of the release before published during an upgrade are found too, because all versions are passed.
    """
    progress = _progress()
    # A younger version may be older than one that is not committed yet, and that would be passed over.
    settled = Q(pk__lte=progress.past_ends_with) | Q(created_at__lt=now - _SETTLED_AFTER)
    rows = DeploymentObject.objects.filter(settled, pk__gt=progress.read_up_to).order_by("pk")
    step: list[Any] = list(rows.defer("yaml_content").annotate(is_noted=_is_noted())[:STEP_VERSIONS])
    if not step:
        return 0
    read, characters, last = [], 0, step[-1].pk
    for version in step:
        if not version.is_deletion_marker and not version.is_noted:
            text = version.yaml_content
            read.append((version, *_read(text)))
            characters += len(text)
            if characters >= STEP_CHARACTERS:
                last = version.pk
                break
    with transaction.atomic():
        place = Progress.objects.filter(pk=progress.pk, read_up_to=progress.read_up_to)
        if place.update(read_up_to=last):
            _write(read)
    return sum(version.pk <= last for version in step)


def _progress() -> Progress:
    found = Progress.objects.first()
    if found is None:
        newest = DeploymentObject.objects.aggregate(newest=Max("pk"))["newest"] or 0
        found, _ = Progress.objects.get_or_create(pk=1, defaults={"past_ends_with": newest})
    return found


def _is_noted() -> Any:
    return Exists(Entry.objects.filter(version=OuterRef("pk"))) | Exists(
        UnreadVersion.objects.filter(version=OuterRef("pk"))
    )


def _read(text: str) -> tuple[Sequence[ManifestObject], str]:
    """The objects in the text, and why there are none if there are none."""
    try:
        return read_manifest(text).objects, _NOTHING_NAMED
    except ManifestError as error:
        # The error's own words may quote values of Secrets.
        place = ", ".join(f"{name} {number}" for name, number in error.details.items() if name != "reason")
        return [], f"Agents cannot read its YAML ({place})." if place else "Agents cannot read its YAML."


def _write(
    read: Sequence[tuple[DeploymentObject, Sequence[ManifestObject], str]],
    question: str = "",
    facts: Mapping[str, object] = MappingProxyType({}),
) -> bool:
    """Returns the answer to a question about the inventory before; false without entries."""
    resources: dict[object, Resource] = {}
    images: dict[object, ImageName] = {}
    entries: list[Entry] = []
    for version, objects, _ in read:
        entries += _entries(version, objects, resources, images)
    # In the order of the ids, so that two transactions with the same new rows wait for each other in one order only.
    in_order = [[rows[key] for key in sorted(rows, key=str)] for rows in (resources, images)]
    answer = insert(entries, referred=in_order, question=question, facts=facts)
    unread = [
        UnreadVersion(version=version, problem=problem) for version, objects, problem in read if not objects
    ]
    if unread:
        UnreadVersion.objects.bulk_create(unread)
    return bool(answer)


def _entries(
    version: DeploymentObject,
    objects: Sequence[ManifestObject],
    resources: dict[object, Resource],
    images: dict[object, ImageName],
) -> list[Entry]:
    """The rows of one version, each once; what they refer to is added to the two dictionaries."""
    rows: dict[object, Entry] = {}
    for obj in objects:
        key = resource_id(obj)
        resources.setdefault(
            key,
            Resource(
                id=key,
                object_key=object_key(obj),
                api_group=obj.group,
                api_version=obj.version,
                kind=obj.kind,
                namespace=obj.namespace,
                name=obj.name,
            ),
        )
        common = {"version": version, "stack_id": version.stack_id, "resource_id": key, "digest": obj.digest}
        rows.setdefault(key, Entry(**common))
        for image, is_guessed in obj.images.items():
            named = image_id(image)
            images.setdefault(
                named, ImageName(id=named, repository=image.repository, tag=image.tag, digest=image.digest)
            )
            rows.setdefault((key, named), Entry(**common, image_id=named, is_guessed=is_guessed))
    return list(rows.values())
