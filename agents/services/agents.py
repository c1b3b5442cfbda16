"""Creating, changing and deleting agents, with their keys."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from django.db import transaction

from agents.errors import AgentNotFound, InvalidAgent, InvalidGeneratorId
from agents.event_kinds import AgentEventKind
from agents.models import (
    Agent,
    AgentHeartbeat,
    AgentOffer,
    AgentTarget,
    MarkerDelivery,
    Registration,
    StackReport,
)
from agents.models.agent import MAX_STATUS
from agents.querysets import ACTIVE
from agents.signals import agent_deleted
from core import clock
from core.advisory_locks import lock_wanted_versions
from core.events import Actor, Event, changed_fields, emit, fields_of, with_via
from core.integrity import unique_or_conflict
from core.labels.services import add_label
from core.validators import is_blank, is_name
from generators.models import Generator
from generators.services import system_generator
from paks.models import Pak, Role
from paks.services import issue_pak, revoke_paks_of, rotate_pak

_AUDITED = ("name", "cluster_name", "status", "silent_after_seconds")


class AgentChanges(TypedDict, total=False):
    """The fields that a caller may change. A field that is absent is not changed."""

    name: str
    cluster_name: str
    status: str
    silent_after_seconds: int | None


def lock_agent(agent_id: UUID) -> Agent:
    """The live agent, locked until the transaction ends; also takes the fleet-wide lock. Raises AgentNotFound."""
    lock_wanted_versions()
    return lock_speaking_agent(agent_id)


def lock_speaking_agent(agent_id: UUID) -> Agent:
    """The live agent, locked while something that it says is noted; nobody else waits. Raises AgentNotFound."""
    agent = Agent.objects.active().select_for_update(no_key=True).filter(id=agent_id).first()
    if agent is None:
        raise AgentNotFound(id=agent_id)
    return agent


@transaction.atomic
def create_agent(
    *,
    name: str,
    cluster_name: str,
    actor: Actor,
    generator_ids: Sequence[UUID] = (),
    labels: Iterable[str] = (),
    is_active: bool = False,
    via: str | None = None,
) -> tuple[Agent, str]:
    """Create an agent, registered with the system generator and the named ones; the agent and its key's text.

    Raises InvalidGeneratorId, InvalidAgent, InvalidLabel, UniqueViolation; then nothing is written.
    """
    wanted = set(generator_ids)
    lock_wanted_versions()
    # The generators are locked, so that none of them is deleted before the registration is written.
    known = set(
        Generator.objects.active()
        .select_for_update(no_key=True)
        .filter(id__in=wanted)
        .order_by("id")
        .values_list("id", flat=True)
    )
    if missing := wanted - known:
        raise InvalidGeneratorId(generator_ids=sorted(str(generator_id) for generator_id in missing))
    if not is_name(name) or not is_name(cluster_name):
        raise InvalidAgent
    with unique_or_conflict("unique_agent_cluster"):
        agent = Agent.objects.create(name=name, cluster_name=cluster_name)
    agent.heartbeat = AgentHeartbeat.objects.create(agent=agent)
    Registration.objects.bulk_create(
        Registration(agent=agent, generator_id=generator_id)
        for generator_id in sorted({system_generator().id, *known})
    )
    _tell(
        AgentEventKind.AGENT_CREATED,
        agent,
        actor,
        with_via({"name": name, "cluster_name": cluster_name}, via),
        after=fields_of(agent, _AUDITED),
        data={
            "agent_id": agent.id,
            "name": name,
            "cluster_name": cluster_name,
            "status": agent.status,
            "created_at": agent.created_at,
        },
    )
    _, key = issue_pak(role=Role.AGENT, subject_id=agent.id, name=name, actor=actor, via=via)
    if is_active:
        agent = update_agent(agent=agent, changes={"status": ACTIVE}, actor=actor)
    for label in dict.fromkeys(labels):
        add_label(owner=agent, label=label, actor=actor)
    return agent, key


@transaction.atomic
def update_agent(*, agent: Agent, changes: AgentChanges, actor: Actor) -> Agent:
    """Apply `changes` to a locked agent. Raises InvalidAgent, UniqueViolation."""
    status = changes.get("status", agent.status)
    silent_after = changes.get("silent_after_seconds")
    if (
        not is_name(changes.get("name", agent.name))
        or not is_name(changes.get("cluster_name", agent.cluster_name))
        or is_blank(status)
        or len(status) > MAX_STATUS
        or (silent_after is not None and silent_after < 1)
    ):
        raise InvalidAgent
    before, after = changed_fields(agent, changes)
    for field, value in changes.items():
        setattr(agent, field, value)
    agent.updated_at = clock.now()
    with unique_or_conflict("unique_agent_cluster"):
        agent.save(update_fields=[*changes, "updated_at"])
    details: dict[str, object] = {
        "name": agent.name,
        "cluster_name": agent.cluster_name,
        "status": agent.status,
    }
    if "silent_after_seconds" in changes:
        details["silent_after_seconds"] = agent.silent_after_seconds
    _tell(AgentEventKind.AGENT_UPDATED, agent, actor, details, before=before, after=after)
    return agent


@transaction.atomic
def delete_agent(*, agent: Agent, actor: Actor) -> None:
    """Delete a locked agent, its events, and what ties it to stacks and generators. Its keys stop working."""
    now = clock.now()
    agent.deleted_at = agent.updated_at = now
    agent.save(update_fields=["deleted_at", "updated_at"])
    agent.events.active().update(deleted_at=now, updated_at=now)
    targets = sorted(str(stack_id) for stack_id in agent.targets.values_list("stack_id", flat=True))
    for rows in (AgentTarget, Registration, MarkerDelivery, StackReport, AgentOffer):
        rows._default_manager.filter(agent=agent).delete()
    agent_deleted.send(sender=Agent, agent=agent, actor=actor)
    revoke_paks_of(role=Role.AGENT, subject_id=agent.id)
    _tell(
        AgentEventKind.AGENT_DELETED,
        agent,
        actor,
        None,
        before=fields_of(agent, _AUDITED) | ({"targets": targets} if targets else {}),
        data={"agent_id": agent.id, "deleted_at": now},
    )


def issue_agent_pak(
    *, agent: Agent, actor: Actor, via: str | None = None, expires_at: datetime | None = None
) -> tuple[Pak, str]:
    """Make one more key for a locked agent. The other keys still work. Raises InvalidKeyExpiry."""
    return issue_pak(
        role=Role.AGENT,
        subject_id=agent.id,
        name=agent.name,
        actor=actor,
        via=via,
        expires_at=expires_at,
    )


@transaction.atomic
def rotate_agent_pak(
    *, agent: Agent, actor: Actor, via: str | None = None, overlap: timedelta = timedelta(0)
) -> str:
    """Make a new key for a locked agent. All old keys end after `overlap`. Raises InvalidKeyOverlap."""
    return rotate_pak(
        role=Role.AGENT, subject_id=agent.id, name=agent.name, actor=actor, via=via, overlap=overlap
    )


def record_heartbeat(
    *,
    agent_id: UUID,
    k8s_reachable: bool | None,
    k8s_api_latency_ms: int | None,
    agent_version: str | None = None,
) -> None:
    """Record that the agent is alive now, and what it says about itself and its cluster, if anything.

    Raises AgentNotFound.
    """
    now = clock.now()
    fields: dict[str, object] = {"last_heartbeat": now}
    if agent_version is not None:
        fields["agent_version"] = agent_version
    if k8s_reachable is not None:
        fields |= {
            "k8s_reachable": k8s_reachable,
            "k8s_api_latency_ms": k8s_api_latency_ms,
            "k8s_reported_at": now,
        }
    if not AgentHeartbeat.objects.filter(agent_id=agent_id).update(**fields):
        raise AgentNotFound(id=agent_id)


def names_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names by id, also of deleted agents."""
    return dict(Agent.objects.filter(id__in=list(ids)).values_list("id", "name"))


def _tell(
    kind: AgentEventKind,
    agent: Agent,
    actor: Actor,
    details: dict[str, object] | None,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
    data: dict[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=kind,
            resource_type="agent",
            resource_id=agent.id,
            actor=actor,
            details=details,
            before=before,
            after=after,
            data=data,
        )
    )
