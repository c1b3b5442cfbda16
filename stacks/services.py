"""Creates, changes and deletes stacks, and publishes versions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core import clock
from core.advisory_locks import sharing_wanted_versions
from core.errors import ForeignKeyViolation
from core.events import Actor, Event, changed_fields, emit, fields_of
from core.history import delete_old_history
from core.integrity import unique_or_conflict
from core.prepared import uuid_parameter
from core.prepared_rows import LIVE_BY_ID, insert, select
from core.validators import is_blank, is_name
from generators.errors import GeneratorNotFound, SystemGeneratorNotATenant
from generators.models import Generator
from generators.services import lock_generator, mark_active, require_active
from paks.actors import ActorType
from paks.principals import Principal
from stacks.access import require_owner
from stacks.errors import (
    InvalidDeploymentObject,
    InvalidStack,
    RollbackImpossible,
    StackGeneratorMismatch,
    StackNotFound,
)
from stacks.event_kinds import StackEventKind
from stacks.manifests import Manifest, ManifestError, ManifestObject, checksum, expand_lists, read_manifest
from stacks.models import (
    DeploymentObject,
    Stack,
    StackAnnotationHistory,
    StackLabelHistory,
    StackOwnerHistory,
)
from stacks.signals import stack_deleted, stack_moved, version_published
from stacks.unusual_publish import question_of_unusual

_AUDITED = ("name", "description", "generator_id")


class StackChanges(TypedDict, total=False):
    """The fields a caller may change. A missing field stays as it is."""

    name: str
    description: str | None
    generator_id: UUID


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """How a version is to be published.

    `strategy` is the name or the id of the strategy by which it is to reach the fleet, or `none`; without one, that of
    the stack counts. `reason` says why. Both are for the apps above. `precondition` is called with the newest version,
    if there is one, while the stack is locked, and raises what is to stop the publishing. `caller` must own the
    stack, and reads the warnings; None is somebody who may publish everywhere and see all stacks.
    """

    strategy: str | None = None
    reason: str = ""
    precondition: Callable[[DeploymentObject | None], None] | None = None
    caller: Principal | None = None


DEFAULT_OPTIONS = PublishOptions()


def lock_stack(stack_id: UUID) -> Stack:
    """The live stack, locked until the transaction ends; also takes the fleet-wide lock. Raises StackNotFound."""
    found = select(Stack, sharing_wanted_versions(LIVE_BY_ID), {"id": uuid_parameter(stack_id)}, lock=True)
    if not found:
        raise StackNotFound(id=stack_id)
    return found[0]


@transaction.atomic
def create_stack(*, name: str, description: str | None, generator_id: UUID, actor: Actor) -> Stack:
    """Raises InvalidStack, UniqueViolation, GeneratorInactive, SystemGeneratorNotATenant, and ForeignKeyViolation
    for no live generator.
    """
    _check(name, description)
    generator = _lock_owner(generator_id, actor)
    with unique_or_conflict("unique_stack_name"):
        stack = Stack.objects.create(name=name, description=description, generator_id=generator_id)
    mark_active(generator, actor)
    emit(
        Event(
            kind=StackEventKind.STACK_CREATED,
            resource_type="stack",
            resource_id=stack.id,
            actor=actor,
            details={"name": name, "generator_id": str(generator_id)},
            after=fields_of(stack, _AUDITED),
            data={
                "stack_id": stack.id,
                "name": name,
                "description": description,
                "created_at": stack.created_at,
            },
        )
    )
    return stack


@transaction.atomic
def update_stack(*, stack: Stack, changes: StackChanges, actor: Actor) -> Stack:
    """Apply `changes` to a locked stack. Only an admin moves a stack to another generator.

    Raises InvalidStack, UniqueViolation, StackGeneratorMismatch, SystemGeneratorNotATenant, ForeignKeyViolation.
    """
    _check(changes.get("name", stack.name), changes.get("description", stack.description))
    old_owner = stack.generator_id
    owner = changes.get("generator_id", old_owner)
    details: dict[str, object] = {}
    if owner != old_owner:
        details |= {"generator_id": str(owner), "old_generator_id": str(old_owner)}
        if actor.type != ActorType.ADMIN:
            raise StackGeneratorMismatch
        _lock_owner(owner, actor)
    before, after = changed_fields(stack, changes)
    for field, value in changes.items():
        setattr(stack, field, value)
    stack.updated_at = clock.now()
    with unique_or_conflict("unique_stack_name"):
        stack.save(update_fields=[*changes, "updated_at"])
    if owner != old_owner:
        stack_moved.send(sender=Stack, stack=stack, old_generator_id=old_owner)
    emit(
        Event(
            kind=StackEventKind.STACK_UPDATED,
            resource_type="stack",
            resource_id=stack.id,
            actor=actor,
            details={"name": stack.name} | details,
            before=before,
            after=after,
        )
    )
    return stack


@transaction.atomic
def delete_stack(*, stack: Stack, actor: Actor, in_cascade: bool = False) -> DeploymentObject:
    """Delete a locked stack and its versions. Returns its deletion marker.

    Agents that were offered the stack receive the marker until they acknowledge it. Webhooks hear of a stack that was
    deleted by itself, not of one that was deleted with its generator.
    """
    now = clock.now()
    stack.deleted_at = stack.updated_at = now
    stack.save(update_fields=["deleted_at", "updated_at"])
    stack.deployment_objects.versions().update(deleted_at=now, updated_at=now)
    marker = DeploymentObject.objects.create(
        stack=stack, yaml_content="", yaml_checksum=checksum(""), submitted_at=now, is_deletion_marker=True
    )
    stack_deleted.send(sender=Stack, stack=stack, marker=marker, actor=actor)
    emit(
        Event(
            kind=StackEventKind.STACK_DELETED,
            resource_type="stack",
            resource_id=stack.id,
            actor=actor,
            before=fields_of(stack, _AUDITED),
            data=None if in_cascade else {"stack_id": stack.id, "deleted_at": now},
        )
    )
    return marker


def add_markers_for_agents(*, pairs: Sequence[tuple[UUID, UUID]]) -> list[DeploymentObject]:
    """A deletion marker for each pair of a live stack and an agent, for this agent alone.

    The stack lives on: such a marker is no version of it. Inside the caller's transaction.
    """
    markers = [
        DeploymentObject(
            stack_id=stack_id,
            recipient_id=agent_id,
            yaml_content="",
            yaml_checksum=checksum(""),
            is_deletion_marker=True,
        )
        for stack_id, agent_id in pairs
    ]
    return DeploymentObject.objects.bulk_create(markers)


def roll_back(
    *, stack_id: UUID, to: DeploymentObject, reason: str, actor: Actor, strategy: str | None = None
) -> DeploymentObject:
    """Publish the text of an older version again. The reason goes into the audit log.

    It reaches the fleet like every version, by the strategy that is named or that the stack has.

    Raises RollbackImpossible for a version of another stack or without a text, and what `publish` raises.
    """
    if to.stack_id != stack_id or to.is_deletion_marker:
        raise RollbackImpossible(deployment_object_id=to.id)
    manifest = check_publishable(to.yaml_content, is_deletion_marker=False)
    return publish_checked(
        stack_id=stack_id,
        yaml_content=to.yaml_content,
        is_deletion_marker=False,
        objects=manifest.objects,
        actor=actor,
        notes={"rolled_back_to": to.sequence_id, "reason": reason},
        options=PublishOptions(strategy=strategy, reason=reason),
    )


@transaction.atomic
def reveal_secrets(*, obj: DeploymentObject, actor: Actor) -> None:
    """Record in the audit log that somebody is shown the values of Secrets in this version."""
    emit(
        Event(
            kind=StackEventKind.DEPLOYMENT_REVEALED,
            resource_type="deployment_object",
            resource_id=obj.id,
            actor=actor,
            details={"stack_id": str(obj.stack_id), "sequence_id": obj.sequence_id},
        )
    )


def publish(
    *,
    stack_id: UUID,
    yaml_content: str,
    is_deletion_marker: bool,
    actor: Actor,
    options: PublishOptions = DEFAULT_OPTIONS,
) -> DeploymentObject:
    """Publish a new version of the stack. The text is stored as it is.

    Raises InvalidDeploymentObject when the manifest check refuses it, and what `publish_checked` raises.
    """
    manifest = check_publishable(yaml_content, is_deletion_marker=is_deletion_marker)
    return publish_checked(
        stack_id=stack_id,
        yaml_content=yaml_content,
        is_deletion_marker=is_deletion_marker,
        objects=manifest.objects,
        actor=actor,
        options=options,
    )


def check_publishable(yaml_content: str, *, is_deletion_marker: bool) -> Manifest:
    """What is in the text and to be said about it. Takes long for long texts; call it before a transaction.

    Raises InvalidDeploymentObject for what agents cannot parse and, while manifests are strict, what they cannot load.
    """
    strict = settings.MANIFESTS == "strict"
    try:
        return read_manifest(yaml_content, allow_blank=is_deletion_marker, strict=strict)
    except ManifestError as error:
        raise InvalidDeploymentObject(str(error), **error.details) from error


def expanded(yaml_content: str) -> str:
    """The text with each list of objects replaced by its items. Raises InvalidDeploymentObject."""
    try:
        read_manifest(yaml_content, allow_blank=True)
        return expand_lists(yaml_content)
    except ManifestError as error:
        raise InvalidDeploymentObject(str(error), **error.details) from error


@transaction.atomic
def publish_checked(
    *,
    stack_id: UUID,
    yaml_content: str,
    is_deletion_marker: bool,
    actor: Actor,
    notes: Mapping[str, object] | None = None,
    options: PublishOptions = DEFAULT_OPTIONS,
    objects: Sequence[ManifestObject] | None = None,
) -> DeploymentObject:
    """`publish` for a text that `check_publishable` has let through. `notes` are for the audit log.

    `objects` are what `check_publishable` found in the text; without them, the apps above read it again.

    Raises StackNotFound, StackNotOwned, GeneratorInactive, what the precondition raises, and what apps above refuse.
    """
    # The lock makes the newest version of a stack also the one that commits last.
    stack = lock_stack(stack_id)
    if options.caller is not None:
        require_owner(options.caller, stack)
    if actor.type == ActorType.GENERATOR:
        (generator,) = select(Generator, "id = %(id)s", {"id": uuid_parameter(stack.generator_id)})
        require_active(generator, actor)
        mark_active(generator, actor)
    if options.precondition is not None:
        options.precondition(DeploymentObject.objects.versions().filter(stack=stack).newest_first().first())
    obj = DeploymentObject(
        stack=stack,
        yaml_content=yaml_content,
        yaml_checksum=checksum(yaml_content),
        is_deletion_marker=is_deletion_marker,
    )
    is_unusual = insert([obj], question=question_of_unusual(), facts={"stack": uuid_parameter(stack.pk)})
    answers: Any = version_published.send(
        sender=Stack,
        stack=stack,
        version=obj,
        objects=objects,
        actor=actor,
        options=options,
        is_unusual=bool(is_unusual),
    )
    obj.warnings = [warning for _, warnings in answers for warning in warnings or ()]
    emit(
        Event(
            kind=StackEventKind.DEPLOYMENT_CREATED,
            resource_type="deployment_object",
            resource_id=obj.id,
            actor=actor,
            details={
                "stack_id": str(stack.id),
                "sequence_id": obj.sequence_id,
                "yaml_checksum": obj.yaml_checksum,
                "is_deletion_marker": is_deletion_marker,
                **(notes or {}),
            },
            reason=options.reason,
            data={
                "deployment_object_id": obj.id,
                "stack_id": stack.id,
                "sequence_id": obj.sequence_id,
                "created_at": obj.created_at,
            },
        )
    )
    return obj


def delete_old_associations(*, now: datetime) -> int:
    """Delete what labels, annotations and owners of stacks were longer ago than is kept; the number of rows deleted."""
    return delete_old_history(StackLabelHistory, StackAnnotationHistory, StackOwnerHistory, now=now)


def _check(name: str, description: str | None) -> None:
    if not is_name(name) or (description is not None and is_blank(description)):
        raise InvalidStack


def _lock_owner(generator_id: UUID, actor: Actor) -> Generator:
    # Locked, so that a generator that is being deleted gains no stack after its stacks were deleted.
    try:
        generator = lock_generator(generator_id)
    except GeneratorNotFound as error:
        raise ForeignKeyViolation(
            "There is no such generator.", constraint="stacks_generator_id_fkey", generator_id=generator_id
        ) from error
    if generator.is_system:
        raise SystemGeneratorNotATenant
    require_active(generator, actor)
    return generator
