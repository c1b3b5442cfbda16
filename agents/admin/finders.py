"""How the search of the admin finds agents, and what they say."""

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from agents.models import Agent, AgentEvent, StackReport
from agents.models.event import EventStatus
from core.admin.finders import Hit, around, is_id, register_finder
from stacks.secret_values import without_secrets

# How many of the latest failures, and of the latest reports, are looked through.
_FAILURES = 5_000
_REPORTS = 20_000


def _agents(text: str, limit: int) -> Sequence[Hit]:
    labelled = Agent.objects.filter(labels__label__icontains=text).values("pk")
    by = Q(name__icontains=text) | Q(cluster_name__icontains=text) | Q(pk__in=labelled)
    rows = Agent.objects.active().filter(is_id(text) or by).order_by("name", "cluster_name")[:limit]
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
            around(message, text),
            f"{reverse('admin:stacks_stack_outcomes', args=[row.stack_id])}?state=failing",
        )
        for row, message in zip(rows, said, strict=True)
        # A hit in a hidden value would tell the value.
        if text.casefold() in message.casefold()
    ]


def _successes(text: str, limit: int) -> Sequence[Hit]:
    newest = AgentEvent.objects.order_by("-created_at", "-id")
    oldest = newest.values_list("created_at", flat=True)[_REPORTS : _REPORTS + 1]
    by = Q(status=EventStatus.SUCCESS, message__icontains=text)
    # A moment, because PostgreSQL would look up each of so many ids.
    if since := list(oldest):
        by &= Q(created_at__gt=since[0])
    # Their names are read after the few rows are known: PostgreSQL would join them to all that match.
    matching = list(newest.filter(by, deleted_at__isnull=True).values_list("pk", flat=True)[:limit])
    rows = newest.filter(pk__in=matching).select_related("agent", "deployment_object__stack")
    found = list(rows.defer("deployment_object__yaml_content"))
    said = without_secrets((row.deployment_object.pk, row.message) for row in found)
    return [
        Hit(
            f"{row.deployment_object.stack.name} on {row.agent.name}",
            around(message, text),
            reverse("admin:agents_agentevent_change", args=[row.pk]),
        )
        for row, message in zip(found, said, strict=True)
        if text.casefold() in message.casefold()
    ]


register_finder("Agents", _agents, "agents.view_agent")
register_finder("Failures", _messages, "agents.view_agentevent")
register_finder("Reports of success", _successes, "agents.view_agentevent")
