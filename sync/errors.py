"""The refusals of sync."""

from core.errors import NotFound


class RemovalNotOwed(NotFound):
    code = "removal_not_owed"
    message = "This removal is not owed to the agent."
