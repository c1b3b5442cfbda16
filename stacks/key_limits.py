"""Keys of generators that reach only some of their stacks."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core.events import Actor
from core.validators import is_label
from generators.models import Generator
from generators.services import issue_generator_pak
from paks.errors import InvalidKeyLimits
from paks.limits import Limits
from paks.models import Pak
from stacks.models import Stack


@transaction.atomic
def issue_generator_key(
    *,
    generator: Generator,
    name: str | None,
    stack_ids: Iterable[UUID],
    labels: Iterable[str],
    expires_at: datetime | None,
    actor: Actor,
    via: str | None = None,
) -> tuple[Pak, str]:
    """Issue one more key for a locked generator; with stacks or labels, a key that reaches only those.

    Raises InvalidKeyLimits for what is no live stack of the generator or no label, SystemGeneratorNotATenant,
    InvalidPak, InvalidKeyExpiry.
    """
    limits = Limits(frozenset(stack_ids), frozenset(labels))
    owned = Stack.objects.active().owned_by(generator.pk).filter(pk__in=limits.stack_ids)
    if unknown := limits.stack_ids - set(owned.values_list("pk", flat=True)):
        raise InvalidKeyLimits("The generator has no such stack.", stacks=sorted(map(str, unknown)))
    if wrong := sorted(label for label in limits.labels if not is_label(label)):
        raise InvalidKeyLimits("A label must have 1 to 64 characters and no white space.", labels=wrong)
    return issue_generator_pak(
        generator=generator, actor=actor, via=via, name=name, expires_at=expires_at, limits=limits or None
    )
