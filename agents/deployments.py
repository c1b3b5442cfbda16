"""How agents stand with stacks: what was published last, and what the agent said of it.

The agent's latest word on a stack is its StackReport. It says nothing of what has been published since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, OuterRef

from agents.models import Agent, StackReport
from agents.wanted.standing import Standing, is_failing, standing_of
from agents.wanted.ties import served_stacks
from agents.wanted.versions import Version, newest_of, newest_versions
from stacks.models import Stack


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


def standing(agent: Agent, stack: Stack, version: Version | None, report: StackReport | None) -> Deployment:
    """Of a live stack that the agent serves."""
    if version is None:
        return Deployment(agent, stack, Standing.EMPTY)
    reported, status, message = (report.sequence_id, report.status, report.message) if report else (None,) * 3
    found = standing_of(version.sequence_id, reported, status)
    since = version.published_at if report is None or found == Standing.PENDING else report.since
    return Deployment(agent, stack, found, since, version.sequence_id, reported, message)


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
        StackReport.objects.filter(agent=agent, stack__in=served_stacks(agent.pk).values("pk"))
        .alias(wanted=newest_of(OuterRef("stack")))
        .filter(is_failing(F("wanted"), reported="sequence_id", status="status"))
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
