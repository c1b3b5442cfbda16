"""How agents stand with stacks: what they should have, and what they reported on it.

The StackReport is the agent's latest report on a stack. It says nothing about versions that were published later.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import F, OuterRef

from agents.models import Agent, StackReport
from agents.wanted.standing import Standing, is_failing, standing_of
from agents.wanted.ties import served_stacks
from agents.wanted.versions import Version, held_stacks, versions_of_agent, versions_of_stack, wanted_of
from stacks.models import Stack
from stacks.secret_values import without_secrets


@dataclass(frozen=True, slots=True)
class Deployment:
    """One agent's standing with one stack.

    `since` is when this standing began. `newest` (the wanted version) and `reported` are sequence ids. `message` is
    from the agent's latest report; while the standing is PENDING, that report is about another version.
    """

    agent: Agent
    stack: Stack
    standing: Standing
    since: datetime | None = None
    newest: int | None = None
    reported: int | None = None
    message: str | None = None


def for_people(deployments: Iterable[Deployment]) -> list[Deployment]:
    """The same, with the values of Secrets hidden in the messages. At most one query."""
    rows = list(deployments)
    messages = without_secrets((each.reported or 0, each.message) for each in rows)
    return [replace(each, message=message) for each, message in zip(rows, messages, strict=True)]


def standing(
    agent: Agent, stack: Stack, version: Version | None, report: StackReport | None, *, has_held: bool
) -> Deployment:
    """The standing with a live stack that the agent serves.

    `version` is the wanted version. `has_held` tells whether any version of the stack is held.
    """
    if version is None:
        return Deployment(agent, stack, Standing.HELD if has_held else Standing.EMPTY)
    reported, status, message = (report.sequence_id, report.status, report.message) if report else (None,) * 3
    found = standing_of(version.sequence_id, reported, status)
    since = version.published_at if report is None or found == Standing.PENDING else report.since
    return Deployment(agent, stack, found, since, version.sequence_id, reported, message)


def of_agent(agent: Agent, stacks: Iterable[Stack]) -> list[Deployment]:
    """The agent's standing with each of these live stacks. A fixed number of queries."""
    rows = list(stacks)
    ids = [row.pk for row in rows]
    versions, held = versions_of_agent(agent.pk, ids), held_stacks(ids)
    reports = {report.stack_id: report for report in StackReport.objects.filter(agent=agent, stack__in=ids)}
    return [
        standing(agent, stack, versions.get(stack.pk), reports.get(stack.pk), has_held=stack.pk in held)
        for stack in rows
    ]


def failing_of(agent: Agent, *, limit: int) -> list[Deployment]:
    """The agent's stacks whose wanted version failed, the latest failure first. One query."""
    reports = (
        StackReport.objects.filter(agent=agent, stack__in=served_stacks(agent.pk).values("pk"))
        .alias(wanted=wanted_of(OuterRef("stack"), agent.pk))
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
    ids = [row.pk for row in rows]
    versions, has_held = versions_of_stack(stack.pk, ids), bool(held_stacks([stack.pk]))
    reports = {report.agent_id: report for report in StackReport.objects.filter(stack=stack, agent__in=ids)}
    return [
        standing(agent, stack, versions.get(agent.pk), reports.get(agent.pk), has_held=has_held)
        for agent in rows
    ]
