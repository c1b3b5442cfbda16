"""Deleting what is older than the history is kept. Triggers write it (`core/history_migrations.py`)."""

from datetime import datetime

from agents.models import (
    AgentAnnotationHistory,
    AgentLabelHistory,
    AgentSilence,
    HoldHistory,
    MarkerDeliveryHistory,
    OfferHistory,
    RegistrationHistory,
    TargetHistory,
)
from core.history import delete_old_history, kept_since
from core.retention import delete_in_steps


def delete_old_associations(*, now: datetime) -> int:
    """Delete old history of agents, of holds and of markers; the number of rows deleted."""
    deleted = delete_old_history(
        AgentLabelHistory,
        AgentAnnotationHistory,
        TargetHistory,
        RegistrationHistory,
        HoldHistory,
        MarkerDeliveryHistory,
        now=now,
    )
    since = kept_since(now)
    if since is not None:
        deleted += delete_in_steps(
            OfferHistory.objects.filter(offered_at__lt=since).order_by("offered_at", "id")
        )
        deleted += delete_in_steps(AgentSilence.objects.filter(ended_at__lt=since).order_by("ended_at", "id"))
    return deleted
