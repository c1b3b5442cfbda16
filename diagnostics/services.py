"""The life of a diagnostic request; `now` is passed in.

pending ─claim→ claimed ─result→ completed. A request that has expired, or whose agent was deleted, is closed: a
pending one becomes expired, a claimed one becomes failed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from agents.models import Agent
from agents.services.agents import lock_speaking_agent
from core.events import SYSTEM, Actor, Event, emit
from core.retention import delete_in_steps
from diagnostics.errors import (
    DiagnosticAlreadyClaimed,
    DiagnosticExpired,
    DiagnosticNotClaimed,
    DiagnosticNotFound,
    InvalidDiagnosticRequest,
    InvalidDiagnosticResult,
)
from diagnostics.event_kinds import DiagnosticEventKind
from diagnostics.models import MAX_REQUESTED_BY, DiagnosticRequest, DiagnosticResult, DiagnosticStatus
from stacks.access import find_object

DEFAULT_RETENTION_MINUTES = 60
MAX_RETENTION_MINUTES = 1440
# Requests are closed in steps of this many, so that a large backlog does not make a large transaction.
_BATCH = 100


@transaction.atomic
def request_diagnostic(
    *,
    deployment_object_id: UUID,
    agent_id: UUID,
    requested_by: str | None,
    retention_minutes: int,
    actor: Actor,
    now: datetime,
) -> DiagnosticRequest:
    """Make a pending request, which expires after `retention_minutes`.

    Raises DeploymentObjectNotFound, AgentNotFound, InvalidDiagnosticRequest.
    """
    obj = find_object(deployment_object_id)
    # The agent is locked, because its deletion closes the open requests.
    agent = lock_speaking_agent(agent_id)
    if not 1 <= retention_minutes <= MAX_RETENTION_MINUTES or len(requested_by or "") > MAX_REQUESTED_BY:
        raise InvalidDiagnosticRequest
    request = DiagnosticRequest.objects.create(
        agent=agent,
        deployment_object=obj,
        requested_by=requested_by,
        created_at=now,
        expires_at=now + timedelta(minutes=retention_minutes),
    )
    emit(_event(DiagnosticEventKind.DIAGNOSTIC_REQUESTED, request, actor, {"stack_id": str(obj.stack_id)}))
    return request


@transaction.atomic
def claim_diagnostic(*, diagnostic_id: UUID, actor: Actor, now: datetime) -> DiagnosticRequest:
    """Let the agent begin. If there are simultaneous claims, exactly one succeeds.

    Raises DiagnosticNotFound, DiagnosticAlreadyClaimed, DiagnosticExpired.
    """
    won = (
        DiagnosticRequest.objects.claimable(now)
        .filter(pk=diagnostic_id)
        .update(status=DiagnosticStatus.CLAIMED, claimed_at=now)
    )
    request = _get(diagnostic_id)
    if not won:
        if request.status in {DiagnosticStatus.PENDING, DiagnosticStatus.EXPIRED}:
            raise DiagnosticExpired(expires_at=request.expires_at)
        raise DiagnosticAlreadyClaimed(status=request.status)
    emit(_event(DiagnosticEventKind.DIAGNOSTIC_CLAIMED, request, actor))
    return request


@transaction.atomic
def submit_result(
    *,
    diagnostic_id: UUID,
    pod_statuses: str,
    events: str,
    log_tails: str | None,
    collected_at: datetime,
    actor: Actor,
    now: datetime,
) -> DiagnosticResult:
    """Store what the agent found, once. A late result is accepted if the request is not closed yet.

    Raises InvalidDiagnosticResult, DiagnosticNotFound, DiagnosticNotClaimed.
    """
    if not pod_statuses or not events:
        raise InvalidDiagnosticResult
    won = DiagnosticRequest.objects.filter(pk=diagnostic_id, status=DiagnosticStatus.CLAIMED).update(
        status=DiagnosticStatus.COMPLETED, completed_at=now
    )
    request = _get(diagnostic_id)
    if not won:
        raise DiagnosticNotClaimed(status=request.status)
    result = DiagnosticResult.objects.create(
        request=request,
        pod_statuses=pod_statuses,
        events=events,
        log_tails=log_tails,
        collected_at=collected_at,
        created_at=now,
    )
    emit(_event(DiagnosticEventKind.DIAGNOSTIC_COMPLETED, request, actor))
    return result


def close_overdue(*, now: datetime) -> int:
    """Close the requests that have expired; the number closed. Safe in several workers at once."""
    closed = 0
    while True:
        with transaction.atomic():
            # Another worker closes the rows that it has locked.
            overdue = DiagnosticRequest.objects.overdue(now).select_for_update(skip_locked=True)
            step = list(overdue.order_by("id")[:_BATCH])
            _close(step, now)
        closed += len(step)
        if len(step) < _BATCH:
            return closed


@transaction.atomic
def close_requests_of(*, agent: Agent, now: datetime) -> int:
    """Close the open requests to an agent that is being deleted; the number closed."""
    held = list(DiagnosticRequest.objects.open().filter(agent=agent).select_for_update().order_by("id"))
    _close(held, now)
    return len(held)


def delete_old_diagnostics(*, now: datetime) -> int:
    """Delete closed requests, with their results, that are older than the setting says; the number deleted."""
    if not settings.DIAGNOSTIC_MAX_AGE_HOURS:
        return 0
    age = timedelta(hours=settings.DIAGNOSTIC_MAX_AGE_HOURS)
    return delete_in_steps(DiagnosticRequest.objects.closed_for(age, now).order_by("created_at", "id"))


def _close(requests: Iterable[DiagnosticRequest], now: datetime) -> None:
    """Close the requests. Their rows are locked."""
    events = []
    for request in requests:
        if request.status == DiagnosticStatus.PENDING:
            request.status = DiagnosticStatus.EXPIRED
            events.append(_event(DiagnosticEventKind.DIAGNOSTIC_EXPIRED, request, SYSTEM))
        else:
            request.status, request.completed_at = DiagnosticStatus.FAILED, now
            events.append(_event(DiagnosticEventKind.DIAGNOSTIC_FAILED, request, SYSTEM))
        request.save(update_fields=["status", "completed_at"])
    if events:
        emit(*events)


def _get(diagnostic_id: UUID) -> DiagnosticRequest:
    request = DiagnosticRequest.objects.filter(pk=diagnostic_id).first()
    if request is None:
        raise DiagnosticNotFound(id=diagnostic_id)
    return request


def _event(
    kind: DiagnosticEventKind,
    request: DiagnosticRequest,
    actor: Actor,
    more: Mapping[str, object] | None = None,
) -> Event:
    return Event(
        kind=kind,
        resource_type="diagnostic",
        resource_id=request.id,
        actor=actor,
        details={
            "agent_id": str(request.agent_id),
            "deployment_object_id": str(request.deployment_object_id),
            **(more or {}),
        },
    )
