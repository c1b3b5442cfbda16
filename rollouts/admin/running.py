"""Rollouts that have not ended, for the first page."""

from typing import Any

from rollouts.admin.standing import describe
from rollouts.models import Rollout

SHOWN = 20


def running_context(user: Any) -> dict[str, Any]:
    """What rollouts/admin/running.html shows: the newest of them, and whether there are more. Two queries."""
    rows = (
        Rollout.objects.unfinished()
        .select_related("stack", "version")
        .defer("version__yaml_content")
        .order_by("-created_at", "-id")
    )
    found = list(rows[: SHOWN + 1])
    describe(found[:SHOWN])
    return {
        "running": found[:SHOWN],
        "more_running": len(found) > SHOWN,
        "may_freeze": user.has_perm("rollouts.add_freeze"),
        "may_see_freezes": user.has_perm("rollouts.view_freeze"),
    }
