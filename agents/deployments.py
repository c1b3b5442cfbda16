"""How agents stand with stacks: what was published last, and what the agent said of it.

The agent's latest word on a stack is its StackReport. It says nothing of what has been published since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import F, OuterRef

from agents.models import Agent, StackReport
from agents.models.event import EventStatus
from agents.targeting import served_stacks
from stacks.models import DeploymentObject, Stack


class Standing(StrEnum):
    APPLIED = "applied"
    FAILING = "failing"
    # Published, and the agent has not said how it went.
    PENDING = "pending"
    # The stack is deleted, and the agent has not said that it removed what it had deployed.
    REMOVING = "removing"
    # Nothing is published.
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One agent's standing with one stack.

    `since` is when it began; `newest` and `reported` are sequence ids. `message` is the agent's last word, which while
    PENDING is about an older version.
    """

    agent: Agent
    stack: Stack
    standing: Standing
    since: datetime | None = None
    newest: int | None = None
    reported: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """What is published last of a stack."""

    sequence_id: int
    published_at: datetime


def newest_versions(stack_ids: Iterable[UUID]) -> dict[UUID, Version]:
    """By stack; stacks with nothing published are missing. One query, by the index of newest objects."""
    newest = Stack.objects.filter(pk__in=list(stack_ids)).values(
        newest=DeploymentObject.objects.newest_of(OuterRef("pk"))
    )
    rows = DeploymentObject.objects.filter(pk__in=newest).values_list("stack_id", "pk", "created_at")
    return {stack_id: Version(sequence_id, at) for stack_id, sequence_id, at in rows}


def standing(agent: Agent, stack: Stack, version: Version | None, report: StackReport | None) -> Deployment:
    """Of a live stack that the agent serves."""
    message = report.message if report else None
    if version is None:
        return Deployment(agent, stack, Standing.EMPTY)
    if report is None or report.sequence_id < version.sequence_id:
        reported = report.sequence_id if report else None
        return Deployment(
            agent, stack, Standing.PENDING, version.published_at, version.sequence_id, reported, message
        )
    is_applied = report.status == EventStatus.SUCCESS
    return Deployment(
        agent,
        stack,
        Standing.APPLIED if is_applied else Standing.FAILING,
        report.since,
        version.sequence_id,
        report.sequence_id,
        message,
    )


def of_agent(agent: Agent, stacks: Iterable[Stack]) -> list[Deployment]:
    """The agent's standing with each of these live stacks. A fixed number of queries."""
    rows = list(stacks)
    versions = newest_versions(stack.pk for stack in rows)
    reports = {
        report.stack_id: report
        for report in StackReport.objects.filter(agent=agent, stack__in=[row.pk for row in rows])
    }
    return [standing(agent, stack, versions.get(stack.pk), reports.get(stack.pk)) for stack in rows]


def failing_of(agent: Agent, *, limit: int) -> list[Deployment]:
    """The agent's stacks whose newest version failed, the latest failure first. One query."""
    reports = (
        StackReport.objects.filter(
            agent=agent, status=EventStatus.FAILURE, stack__in=served_stacks(agent.pk).values("pk")
        )
        .alias(newest=DeploymentObject.objects.newest_of(OuterRef("stack")))
        .filter(sequence_id__gte=F("newest"))
        .select_related("stack")
        .order_by("-since", "-id")[:limit]
    )
    return [
        Deployment(
            agent,
            report.stack,
            Standing.FAILING,
            report.since,
            report.sequence_id,
            report.sequence_id,
            report.message,
        )
        for report in reports
    ]


def of_stack(stack: Stack, agents: Iterable[Agent]) -> list[Deployment]:
    """Each of these agents' standing with a live stack. A fixed number of queries."""
    rows = list(agents)
    version = newest_versions([stack.pk]).get(stack.pk)
    words = StackReport.objects.filter(stack=stack, agent__in=[agent.pk for agent in rows])
    reports = {report.agent_id: report for report in words}
    return [standing(agent, stack, version, reports.get(agent.pk)) for agent in rows]
