"""What this app does when the apps below send a signal."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from core.events import Actor
from inventory.services import record_version
from inventory.told_conflicts import warn_of_conflicts
from paks.actors import ActorType
from stacks.manifests import Finding, ManifestObject
from stacks.models import DeploymentObject
from stacks.signals import version_published


@receiver(version_published, dispatch_uid="inventory.record_version")
def record_published_version(
    version: DeploymentObject, objects: Sequence[ManifestObject] | None, actor: Actor, **kwargs: Any
) -> list[Finding]:
    """Note what is in a version, and warn whoever publishes it of conflicts with other stacks."""
    record_version(version, objects)
    generator_id = actor.id if actor.type == ActorType.GENERATOR else None
    return warn_of_conflicts(version, objects or (), generator_id=generator_id)
