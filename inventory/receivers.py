"""What this app does when the apps below send a signal."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from inventory.services import record_version
from inventory.told_conflicts import warn_of_conflicts
from stacks.manifests import Finding, ManifestObject
from stacks.models import DeploymentObject
from stacks.services import PublishOptions
from stacks.signals import version_published


@receiver(version_published, dispatch_uid="inventory.record_version")
def record_published_version(
    version: DeploymentObject,
    objects: Sequence[ManifestObject] | None,
    options: PublishOptions,
    **kwargs: Any,
) -> list[Finding]:
    """Note what is in a version, and warn whoever publishes it of conflicts with other stacks."""
    is_shared = record_version(version, objects)
    return warn_of_conflicts(version, objects or (), reader=options.caller) if is_shared else []
