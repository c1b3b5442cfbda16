"""How far the waves of a rollout are, for people: the API and the admin count alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, FilteredRelation, Q, QuerySet

from agents.models.event import EventStatus
from agents.wanted.ties import serving_agents
from health.models import HealthStatus
from health.querysets import fresh_since
from rollouts.counts import joiners
from rollouts.models import Rollout, RolloutMember


@dataclass(frozen=True, slots=True)
class WaveProgress:
    """The members of one released wave that serve the stack now, by what they report of the rollout's version.

    `healthy` are among the `applied`. `waiting` have reported neither success nor failure. Deferred members are counted
    as such, whatever they report. `proven` have been good for the soak; they are among the others.
    """

    members: int = 0
    applied: int = 0
    healthy: int = 0
    failing: int = 0
    waiting: int = 0
    deferred: int = 0
    proven: int = 0


def progress_of_waves(rollout: Rollout, *, now: datetime) -> Mapping[int, WaveProgress]:
    """By the number of a released wave. One query; a wave without members is missing."""
    counted = Q(is_deferred=False)
    applied = counted & Q(report__status=EventStatus.SUCCESS)
    healthy = Q(health__status=HealthStatus.HEALTHY, health__updated_at__gte=fresh_since(now))
    failing = counted & Q(report__status=EventStatus.FAILURE)
    rows = (
        _reporting_members(rollout)
        .annotate(
            health=FilteredRelation(
                "agent__health", condition=Q(agent__health__deployment_object=rollout.version.id)
            )
        )
        .order_by()
        .values("wave")
        .annotate(
            members=Count("pk"),
            applied=Count("pk", filter=applied),
            healthy=Count("pk", filter=applied & healthy),
            failing=Count("pk", filter=failing),
            deferred=Count("pk", filter=Q(is_deferred=True)),
            proven=Count("pk", filter=counted & Q(proven_at__isnull=False) & ~failing),
        )
    )
    found = {}
    for row in rows:
        number = row.pop("wave")
        waiting = row["members"] - row["deferred"] - row["applied"] - row["failing"]
        found[number] = WaveProgress(waiting=waiting, **row)
    return found


def failing_members(rollout: Rollout) -> QuerySet[RolloutMember, dict[str, Any]]:
    """Members whose latest report says that the version failed: `wave`, `agent_id`, `name`, `cluster`, `message` and
    `since`, the longest failing first.
    """
    rows: QuerySet[Any] = _reporting_members(rollout).filter(
        is_deferred=False, report__status=EventStatus.FAILURE
    )
    return rows.order_by("report__since", "agent").values(
        "wave",
        "agent_id",
        name=F("agent__name"),
        cluster=F("agent__cluster_name"),
        message=F("report__message"),
        since=F("report__since"),
    )


def held_back(rollout: Rollout) -> int:
    """How many agents serve the stack and are in no released wave."""
    return joiners(rollout).count()


def _reporting_members(rollout: Rollout) -> Any:
    """The members that serve the stack, with `report`, what they said last of the stack if that is this version."""
    about_it = Q(
        agent__stack_reports__stack=rollout.stack_id,
        agent__stack_reports__sequence_id=rollout.version_id,
    )
    return RolloutMember.objects.filter(rollout=rollout, agent__in=serving_agents(rollout.stack)).annotate(
        report=FilteredRelation("agent__stack_reports", condition=about_it)
    )
