"""The labels and annotations of agents, for apps that match them with their own labels and annotations."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from agents.models import AgentAnnotation, AgentLabel

# SQLite refuses expressions that are nested deeper than 1,000. Each term of an OR is nested in the next, and in
# subqueries the depth is counted again.
_MOST_TERMS = 100
_Row = TypeVar("_Row", AgentLabel, AgentAnnotation)

# Tables for a FROM clause: the labels and the annotations of the agent %(agent)s.
LABELS_OF_AGENT = "(SELECT label FROM agent_labels WHERE agent_id = %(agent)s)"
ANNOTATIONS_OF_AGENT = "(SELECT key, value FROM agent_annotations WHERE agent_id = %(agent)s)"


def labels_of(agent_id: UUID) -> QuerySet[AgentLabel, str]:
    """The agent's labels, as strings."""
    return AgentLabel.objects.filter(agent_id=agent_id).values_list("label", flat=True)


def annotations_of(agent_id: UUID) -> QuerySet[AgentAnnotation, tuple[str, str]]:
    """The agent's annotations, as pairs of key and value."""
    return AgentAnnotation.objects.filter(agent_id=agent_id).values_list("key", "value")


def labels_of_agents(agent_ids: Iterable[UUID] | None = None) -> QuerySet[AgentLabel]:
    """The labels of these agents, or of all agents, as rows."""
    return _of_agents(AgentLabel.objects.all(), agent_ids)


def annotations_of_agents(agent_ids: Iterable[UUID] | None = None) -> QuerySet[AgentAnnotation]:
    """The annotations of these agents, or of all agents, as rows."""
    return _of_agents(AgentAnnotation.objects.all(), agent_ids)


def annotations_among(pairs: Iterable[tuple[str, str]]) -> QuerySet[AgentAnnotation]:
    """The annotations of all agents that equal one of these pairs of key and value, as rows."""
    same = [Q(key=key, value=value) for key, value in sorted(pairs)]
    rows = annotations_of_agents()
    parts = [
        rows.filter(Q(*same[start : start + _MOST_TERMS], _connector=Q.OR))
        for start in range(0, len(same), _MOST_TERMS)
    ]
    match parts:
        case []:
            return rows.none()
        case [only]:
            return only
    return rows.filter(Q(*(Q(pk__in=part.values("pk")) for part in parts), _connector=Q.OR))


def _of_agents(rows: QuerySet[_Row], agent_ids: Iterable[UUID] | None) -> QuerySet[_Row]:
    return rows if agent_ids is None else rows.filter(agent__in=agent_ids)
