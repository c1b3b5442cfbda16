"""What happens after a rollout has reached all agents."""

from datetime import datetime

from agents.models import HoldReason
from agents.services.holds import lift
from rollouts.models import Rollout
from rollouts.services.rolled_back_contents import allow_content
from rollouts.services.starting import start_queued


def finish(*, rollout: Rollout, now: datetime) -> None:
    """Give the version to all agents, and start the rollout that waited for this one. The stack is locked."""
    allow_content(version=rollout.version)
    lift(version=rollout.version, reason=HoldReason.ROLLOUT)
    rollout.unheld_at = now
    rollout.save(update_fields=["unheld_at"])
    start_queued(stack=rollout.stack, now=now)
