"""Which contents of a stack were rolled back, so that they are held if they are published again."""

from rollouts.models import RolledBackContent
from stacks.contents import content_digest
from stacks.models import DeploymentObject


def forbid_content(*, version: DeploymentObject) -> None:
    """From now on, hold new versions with the content of this version."""
    RolledBackContent.objects.get_or_create(stack_id=version.stack_id, digest=_digest(version))


def allow_content(*, version: DeploymentObject) -> None:
    """From now on, do not hold new versions with the content of this version."""
    rows = RolledBackContent.objects.filter(stack=version.stack_id)
    # Most stacks have no such content, and reading a long manifest takes long.
    if rows.exists():
        rows.filter(digest=_digest(version)).delete()


def is_forbidden(*, version: DeploymentObject) -> bool:
    """Whether the content of this version was rolled back, and nobody has allowed it since."""
    rows = RolledBackContent.objects.filter(stack=version.stack_id)
    return rows.exists() and rows.filter(digest=_digest(version)).exists()


def _digest(version: DeploymentObject) -> str:
    return content_digest(version.yaml_content, is_deletion_marker=version.is_deletion_marker)
