"""Why an agent must remove a stack."""

from stacks.models import DeploymentObject

REASONS = ("stack_deleted", "not_served", "marker_published")


def reason_of(marker: DeploymentObject) -> str:
    """One of REASONS. Reads the stack of a marker that is for all agents."""
    if marker.recipient_id is not None:
        return "not_served"
    return "stack_deleted" if marker.stack.deleted_at is not None else "marker_published"
