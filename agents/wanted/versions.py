"""Which version of a stack an agent should have: the newest live one that is not held, or is released to the agent.

A marker for one agent is no version: it is never wanted, whoever it is for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from agents.models import Agent, VersionHold, VersionRelease
from stacks.models import DeploymentObject, Stack

# As a scalar subquery it is one index look-up for each stack, where a join would let the planner hash all stacks or
# group all objects. Whether any version is held at all is asked once in a statement: without holds, which is the
# usual state of things, a version costs no look-up more.
_WANTED = """(
    SELECT {columns} FROM deployment_objects o WHERE o.stack_id = {stack} AND o.deleted_at IS NULL
    AND o.recipient_id IS NULL{living}
    AND (NOT (SELECT EXISTS (SELECT 1 FROM object_holds)) OR {is_for_agent})
    ORDER BY o.sequence_id DESC LIMIT 1)"""
_LIVING = "\n    AND EXISTS (SELECT 1 FROM stacks os WHERE os.id = {stack} AND os.deleted_at IS NULL)"
_NOT_HELD = "NOT EXISTS (SELECT 1 FROM object_holds oh WHERE oh.version_id = o.sequence_id)"
_RELEASED = (
    " OR EXISTS (SELECT 1 FROM object_releases oe WHERE oe.version_id = o.sequence_id AND oe.agent_id = {agent})"
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version that somebody should have."""

    sequence_id: int
    published_at: datetime


def wanted_sql(
    stack: str, agent: str | None, *, columns: str = "o.sequence_id", check_stack: bool = False
) -> str:
    """A scalar subquery: the version of the stack in the column `stack` that the agent in the column `agent` should
    have, or NULL. Without an agent, the version that everybody should have.

    `columns` is what it gives of the version `o`. With `check_stack` a deleted stack has none; without it, the
    statement around has to leave out deleted stacks.
    """
    released = _RELEASED.format(agent=agent) if agent else ""
    return _WANTED.format(
        stack=stack,
        columns=columns,
        living=_LIVING.format(stack=stack) if check_stack else "",
        is_for_agent=_NOT_HELD + released,
    )


def wanted_of(stack: OuterRef, agent: OuterRef | UUID | None) -> Subquery:
    """The same in a queryset: the sequence id of the version, or NULL."""
    return Subquery(_for_agent(agent).filter(stack=stack).newest_first().values("sequence_id")[:1])


def wanted_object(stack: Stack, agent: Agent) -> DeploymentObject | None:
    """The version of one stack that the agent should have, without its YAML; of a deleted stack that is its marker."""
    return _for_agent(agent.pk).filter(stack=stack).newest_first().defer("yaml_content").first()


def newest_unheld(stack_id: UUID) -> DeploymentObject | None:
    """The version of one stack that everybody should have, without its YAML."""
    return _for_agent(None).filter(stack=stack_id).newest_first().defer("yaml_content").first()


def _for_agent(agent: OuterRef | UUID | None) -> Any:
    """Live versions that are not held, or released to the agent."""
    unheld = ~Exists(VersionHold.objects.filter(version=OuterRef("pk")))
    if agent is not None:
        of_agent = agent if isinstance(agent, UUID) else OuterRef(agent)
        unheld |= Exists(VersionRelease.objects.filter(version=OuterRef("pk"), agent=of_agent))
    return DeploymentObject.objects.versions().filter(unheld)
