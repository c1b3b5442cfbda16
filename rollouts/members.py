"""How each member of a rollout stands."""

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, OuterRef, Q, QuerySet, Subquery, TextChoices, Value, When

from agents.models import StackReport
from agents.models.event import EventStatus
from agents.wanted.ties import serving_agents
from health.models import DeploymentHealth
from health.querysets import fresh_since
from rollouts.models import Rollout, RolloutMember


class Standing(TextChoices):
    """What a member has made of the version."""

    # Its latest word is not about this version.
    WAITING = "waiting"
    # Has reported success, and not yet been good for the soak.
    APPLIED = "applied"
    PROVEN = "proven"
    FAILING = "failing"
    # Was silent or inactive when its wave was released, and is not waited for.
    DEFERRED = "deferred"
    # Serves the stack no more.
    LEFT = "left"


def members_with_standing(rollout: Rollout, *, now: datetime) -> QuerySet[Any]:
    """The members with their agents, annotated with `standing`, the `status`, `message` and `reported_at` of the latest
    report about this version, and the `health` that still counts; null where there is none.
    """
    reports = StackReport.objects.filter(
        agent=OuterRef("agent"), stack=rollout.stack_id, sequence_id=rollout.version_id
    )
    health = DeploymentHealth.objects.filter(
        agent=OuterRef("agent"), deployment_object__id=rollout.version.id, updated_at__gte=fresh_since(now)
    )
    return (
        RolloutMember.objects.filter(rollout=rollout)
        .select_related("agent")
        .annotate(
            status=Subquery(reports.values("status")[:1]),
            message=Subquery(reports.values("message")[:1]),
            reported_at=Subquery(reports.values("reported_at")[:1]),
            health=Subquery(health.values("status")[:1]),
        )
        .annotate(standing=_standing(rollout))
    )


def _standing(rollout: Rollout) -> Case:
    return Case(
        When(~Q(agent__in=serving_agents(rollout.stack)), then=Value(Standing.LEFT)),
        When(is_deferred=True, then=Value(Standing.DEFERRED)),
        When(status=EventStatus.FAILURE, then=Value(Standing.FAILING)),
        When(proven_at__isnull=False, then=Value(Standing.PROVEN)),
        When(status=EventStatus.SUCCESS, then=Value(Standing.APPLIED)),
        default=Value(Standing.WAITING),
        output_field=CharField(),
    )
