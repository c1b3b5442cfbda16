"""How it stands with the chain of seals."""

from dataclasses import dataclass
from datetime import datetime

from audit.models import AuditLog, AuditSeal, AuditVerification
from audit.services.sealing import highest_sealed

# More rows without a seal are not counted.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class ChainState:
    """The newest seal, the rows that have none, the newest verification that has ended, and one that has not."""

    newest: AuditSeal | None
    unsealed: int
    oldest_unsealed_at: datetime | None
    verified: AuditVerification | None
    under_way: AuditVerification | None


def chain_state() -> ChainState:
    """Some short queries, however long the log is. Rows that committed late are not among those without a seal."""
    waiting = AuditLog.objects.filter(seal__isnull=True, sequence__gt=highest_sealed()).order_by("sequence")
    times = list(waiting.values_list("timestamp", flat=True)[:MOST_COUNTED])
    ended = [AuditVerification.State.HOLDS, AuditVerification.State.BROKEN]
    verifications = AuditVerification.objects.order_by("-created_at")
    return ChainState(
        newest=AuditSeal.objects.order_by("-number").first(),
        unsealed=len(times),
        oldest_unsealed_at=times[0] if times else None,
        verified=verifications.filter(state__in=ended).first(),
        under_way=verifications.exclude(state__in=ended).first(),
    )


def oldest_unsealed_at() -> datetime | None:
    """When the first row after the newest seal was written; None when all are sealed."""
    rows = AuditLog.objects.filter(seal__isnull=True, sequence__gt=highest_sealed())
    return rows.order_by("sequence").values_list("timestamp", flat=True).first()
