"""What this app does when the apps below send a signal."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from inventory.services import record_version
from stacks.manifests import ManifestObject
from stacks.models import DeploymentObject
from stacks.signals import version_published


@receiver(version_published, dispatch_uid="inventory.record_version")
def record_published_version(
    version: DeploymentObject, objects: Sequence[ManifestObject] | None, **kwargs: Any
) -> None:
    record_version(version, objects)
