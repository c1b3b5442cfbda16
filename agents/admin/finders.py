"""How the search of the admin finds agents, and what they say of failures."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from agents.models import Agent, StackReport
from agents.models.event import EventStatus
from core.admin.finders import Hit, register_finder
from stacks.secret_values import without_secrets

# How many of the latest failures are looked through.
_FAILURES = 5_000


def _agents(text: str, limit: int) -> Sequence[Hit]:
    try:
        by = Q(pk=UUID(text))
    except ValueError:
        labelled = Agent.objects.filter(labels__label__icontains=text).values("pk")
        by = Q(name__icontains=text) | Q(cluster_name__icontains=text) | Q(pk__in=labelled)
    rows = Agent.objects.active().filter(by).order_by("name", "cluster_name")[:limit]
    return [
        Hit(row.name, row.cluster_name, reverse("admin:agents_agent_change", args=[row.pk])) for row in rows
    ]


def _messages(text: str, limit: int) -> Sequence[Hit]:
    failures = StackReport.objects.filter(status=EventStatus.FAILURE).order_by("-since", "-id")
    latest = failures.values("pk")[:_FAILURES]
    rows = (
        StackReport.objects.filter(pk__in=latest, message__icontains=text)
        .filter(stack__deleted_at__isnull=True, agent__deleted_at__isnull=True)
        .select_related("stack", "agent")
        .order_by("-since", "-id")[:limit]
    )
    said = without_secrets((row.sequence_id, row.message) for row in rows)
    return [
        Hit(
            f"{row.stack.name} on {row.agent.name}",
            _around(message, text),
            f"{reverse('admin:stacks_stack_outcomes', args=[row.stack_id])}?state=failing",
        )
        for row, message in zip(rows, said, strict=True)
        # A hit in a hidden value would tell the value.
        if text.casefold() in message.casefold()
    ]


def _around(message: str, text: str) -> str:
    """The part of the message with the text in it, on one line."""
    at = max(0, message.casefold().find(text.casefold()) - 30)
    part = " ".join(message[at : at + 120].split())
    return f"…{part}" if at else part


register_finder("Agents", _agents, "agents.view_agent")
register_finder("Failures", _messages, "agents.view_agentevent")
