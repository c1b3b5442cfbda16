"""Verifications of the whole log, as jobs: somebody asks, a worker does it, everybody reads what came of it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.errors import InvalidHash
from audit.event_kinds import AuditEventKind
from audit.models import AuditVerification
from audit.services.verification import Outcome, verify_chain
from core import clock
from core.events import Actor, Event, emit

_HASH = re.compile(r"([0-9a-f]{64})?")
# A worker that says nothing for so long has died; another one begins anew.
_SILENT = timedelta(minutes=5)


def request_verification(*, expected_hash: str, actor: Actor, now: datetime) -> AuditVerification:
    """Ask the worker to verify the whole log. Raises InvalidHash."""
    if not _HASH.fullmatch(expected_hash):
        raise InvalidHash
    return AuditVerification.objects.create(
        expected_hash=expected_hash, requested_by=actor.label or actor.type, created_at=now
    )


def run_verifications(*, may_go_on: Callable[[], bool] = lambda: True) -> int:
    """Do the verifications that wait; their number. Safe in several workers at once."""
    done = 0
    while may_go_on() and (verification := _claim(clock.now())) is not None:
        done += _run(verification, may_go_on)
    return done


def _claim(now: datetime) -> AuditVerification | None:
    state = AuditVerification.State
    open_ = Q(state=state.WAITING) | Q(state=state.RUNNING, seen_at__lt=now - _SILENT)
    for pk in AuditVerification.objects.filter(open_).order_by("created_at").values_list("pk", flat=True):
        if AuditVerification.objects.filter(open_, pk=pk).update(
            state=state.RUNNING, started_at=now, seen_at=now
        ):
            return AuditVerification.objects.get(pk=pk)
    return None


class _Stopped(Exception):
    """The worker must end before the verification does."""


def _run(verification: AuditVerification, may_go_on: Callable[[], bool]) -> bool:
    state = AuditVerification.State
    own = AuditVerification.objects.filter(
        pk=verification.pk, state=state.RUNNING, started_at=verification.started_at
    )

    def progress(outcome: Outcome) -> None:
        if not may_go_on():
            raise _Stopped
        own.update(seen_at=clock.now(), seals=outcome.seals, entries=outcome.entries)

    try:
        outcome = verify_chain(expected_hash=verification.expected_hash, progress=progress)
    except _Stopped:
        own.update(state=state.WAITING)
        return False
    with transaction.atomic():
        finding = outcome.finding
        won = own.update(
            state=state.BROKEN if finding else state.HOLDS,
            finished_at=clock.now(),
            seals=outcome.seals,
            entries=outcome.entries,
            erased=outcome.erased,
            broken_seal=finding.seal if finding else None,
            finding=finding.why.value if finding else "",
            explanation=finding.explanation if finding else "",
        )
        if won:
            _tell(verification, outcome)
    return bool(won)


def _tell(verification: AuditVerification, outcome: Outcome) -> None:
    finding = outcome.finding
    resource_id: UUID = verification.pk
    emit(
        Event(
            kind=AuditEventKind.AUDIT_VERIFIED,
            resource_type=AuditVerification.NOUN,
            resource_id=resource_id,
            actor=Actor(type="system", label=verification.requested_by),
            details={
                "holds": finding is None,
                "seals": outcome.seals,
                "entries": outcome.entries,
                "head": outcome.head,
                "broken_seal": finding.seal if finding else None,
                "finding": finding.why.value if finding else None,
            },
        )
    )
