"""Creates, changes and deletes generators, with their keys."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from core import clock
from core.advisory_locks import lock_wanted_versions
from core.errors import UniqueViolation
from core.events import SYSTEM, Actor, Event, changed_fields, emit, fields_of, with_via
from core.integrity import unique_or_conflict
from core.validators import is_name
from generators.errors import (
    CannotDeleteSystemGenerator,
    GeneratorInactive,
    GeneratorNotFound,
    InvalidGenerator,
    SystemGeneratorNotATenant,
)
from generators.event_kinds import GeneratorEventKind
from generators.models import Generator
from generators.signals import generator_deleted
from paks.actors import ActorType
from paks.errors import AdminRequired
from paks.limits import Limits
from paks.models import Pak, Role
from paks.services import issue_pak, revoke_paks_of, rotate_pak

SYSTEM_NAME = "__system__"
ADMIN_NAME = "admin-generator"
_ACTIVITY_PRECISION = timedelta(minutes=1)
_AUDITED = ("name", "description", "is_active")


class GeneratorChanges(TypedDict, total=False):
    """The fields a caller may change. A missing field stays as it is."""

    name: str
    description: str | None
    is_active: bool


def lock_generator(generator_id: UUID) -> Generator:
    """The live generator, locked until the transaction ends; also takes the fleet-wide lock.

    Raises GeneratorNotFound.
    """
    lock_wanted_versions()
    generator = Generator.objects.active().select_for_update(no_key=True).filter(id=generator_id).first()
    if generator is None:
        raise GeneratorNotFound(id=generator_id)
    return generator


@transaction.atomic
def create_generator(
    *, name: str, description: str | None, actor: Actor, via: str | None = None
) -> tuple[Generator, str]:
    """A generator and the text of its key, which is shown once. Raises InvalidGenerator, UniqueViolation."""
    _check_name(name)
    with unique_or_conflict("unique_generator_name"):
        generator = Generator.objects.create(name=name, description=description)
    _tell(
        GeneratorEventKind.GENERATOR_CREATED,
        generator,
        actor,
        with_via({"name": name}, via),
        after=fields_of(generator, _AUDITED),
    )
    _, key = issue_pak(role=Role.GENERATOR, subject_id=generator.id, name=name, actor=actor, via=via)
    return generator, key


@transaction.atomic
def update_generator(*, generator: Generator, changes: GeneratorChanges, actor: Actor) -> Generator:
    """Apply `changes` to a locked generator.

    Raises InvalidGenerator, UniqueViolation, SystemGeneratorNotATenant, and AdminRequired when a generator
    would switch itself on or off: only an admin may deactivate a generator or activate it again.
    """
    if generator.is_system:
        raise SystemGeneratorNotATenant
    _check_name(changes.get("name", generator.name))
    if (
        actor.type == ActorType.GENERATOR
        and changes.get("is_active", generator.is_active) != generator.is_active
    ):
        raise AdminRequired
    before, after = changed_fields(generator, changes)
    for field, value in changes.items():
        setattr(generator, field, value)
    generator.updated_at = clock.now()
    with unique_or_conflict("unique_generator_name"):
        generator.save(update_fields=[*changes, "updated_at"])
    _tell(
        GeneratorEventKind.GENERATOR_UPDATED,
        generator,
        actor,
        {"name": generator.name},
        before=before,
        after=after,
    )
    return generator


@transaction.atomic
def delete_generator(*, generator: Generator, actor: Actor) -> None:
    """Delete a locked generator; the apps above delete what it owns. Raises CannotDeleteSystemGenerator."""
    if generator.is_system:
        raise CannotDeleteSystemGenerator
    now = clock.now()
    generator.deleted_at = generator.updated_at = now
    generator.save(update_fields=["deleted_at", "updated_at"])
    generator_deleted.send(sender=Generator, generator=generator, actor=actor)
    revoke_paks_of(role=Role.GENERATOR, subject_id=generator.id)
    _tell(GeneratorEventKind.GENERATOR_DELETED, generator, actor, None, before=fields_of(generator, _AUDITED))


def issue_generator_pak(
    *,
    generator: Generator,
    actor: Actor,
    via: str | None = None,
    name: str | None = None,
    expires_at: datetime | None = None,
    limits: Limits | None = None,
) -> tuple[Pak, str]:
    """Issue one more key for a locked generator, named as the generator if without a name; its other keys still work.

    Raises SystemGeneratorNotATenant, InvalidPak, InvalidKeyExpiry.
    """
    if generator.is_system:
        raise SystemGeneratorNotATenant
    return issue_pak(
        role=Role.GENERATOR,
        subject_id=generator.id,
        name=generator.name if name is None else name,
        actor=actor,
        via=via,
        expires_at=expires_at,
        limits=limits,
    )


@transaction.atomic
def rotate_generator_pak(
    *, generator: Generator, actor: Actor, via: str | None = None, overlap: timedelta = timedelta(0)
) -> str:
    """Issue a new key for a locked generator and end its others after `overlap`, but for those with limits.

    Raises SystemGeneratorNotATenant, InvalidKeyOverlap.
    """
    if generator.is_system:
        raise SystemGeneratorNotATenant
    return rotate_pak(
        role=Role.GENERATOR,
        subject_id=generator.id,
        name=generator.name,
        actor=actor,
        via=via,
        overlap=overlap,
    )


def system_generator() -> Generator:
    """The generator that every agent is registered with. Created on first use."""
    generator, _ = Generator.objects.active().get_or_create(
        is_system=True,
        defaults={"name": SYSTEM_NAME, "description": "Registered with every agent; owns no stacks."},
    )
    return generator


@transaction.atomic
def ensure_admin_generator(*, actor: Actor = SYSTEM, via: str | None = None) -> None:
    """Create the ordinary generator that owns the admins' own stacks. Only once, so that it can be deleted."""
    if not Generator.objects.filter(name=ADMIN_NAME).exists():
        generator = Generator.objects.create(name=ADMIN_NAME, description="Linked to Admin PAK")
        _tell(
            GeneratorEventKind.GENERATOR_CREATED,
            generator,
            actor,
            with_via({"name": ADMIN_NAME}, via),
            after=fields_of(generator, _AUDITED),
        )


def require_active(generator: Generator, actor: Actor) -> None:
    """Raises GeneratorInactive when the author is a generator that an admin has switched off."""
    if actor.type == ActorType.GENERATOR and not generator.is_active:
        raise GeneratorInactive


def mark_active(generator: Generator, actor: Actor) -> None:
    """Note that the generator itself writes something; written at most once a minute.

    Must run in a transaction. Nothing is written while another transaction has the generator locked. Waiting could
    deadlock: publishing holds the lock of a stack, and deleting the generator waits for that lock.
    """
    if actor.type != ActorType.GENERATOR:
        return
    now = clock.now()
    since = now - _ACTIVITY_PRECISION
    if generator.last_active_at is not None and generator.last_active_at >= since:
        return
    stale = Q(last_active_at__isnull=True) | Q(last_active_at__lt=since)
    rows = Generator.objects.filter(stale, id=generator.id)
    if list(rows.select_for_update(no_key=True, skip_locked=True).values_list("id")):
        rows.update(last_active_at=now)


def names_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names by id, deleted generators included."""
    return dict(Generator.objects.filter(id__in=list(ids)).values_list("id", "name"))


def _check_name(name: str) -> None:
    if not is_name(name):
        raise InvalidGenerator
    # The name is reserved even before the system generator exists.
    if name == SYSTEM_NAME:
        raise UniqueViolation(constraint="unique_generator_name")


def _tell(
    kind: GeneratorEventKind,
    generator: Generator,
    actor: Actor,
    details: dict[str, object] | None,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=kind,
            resource_type="generator",
            resource_id=generator.id,
            actor=actor,
            details=details,
            before=before,
            after=after,
        )
    )
