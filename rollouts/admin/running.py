"""Rollouts that have not ended, for the first page."""

from typing import Any

from rollouts.admin.standing import describe
from rollouts.models import Rollout
from rollouts.querysets import OFTEN_SUPERSEDED

SHOWN = 20


def running_context(user: Any) -> dict[str, Any]:
    """What rollouts/admin/running.html shows: the newest of them, and whether there are more. Two queries."""
    rows = (
        Rollout.objects.unfinished()
        .with_superseded()
        .select_related("stack", "version")
        .defer("version__yaml_content")
        .order_by("-created_at", "-id")
    )
    found = list(rows[: SHOWN + 1])
    describe(found[:SHOWN])
    return {
        "running": found[:SHOWN],
        "often": OFTEN_SUPERSEDED,
        "more_running": len(found) > SHOWN,
        "may_freeze": user.has_perm("rollouts.add_freeze"),
        "may_see_freezes": user.has_perm("rollouts.view_freeze"),
    }
