"""After a restore: the log goes on in a new chain, which names the head that is lost."""

import re
from datetime import datetime

from django.db import transaction

from audit.errors import InvalidHash
from audit.event_kinds import AuditEventKind
from audit.models import AuditSeal
from audit.services.sealing import add_seal, lock_chain
from core.events import Actor, Event, emit

_HASH = re.compile(r"[0-9a-f]{64}")


@transaction.atomic
def open_new_chain(*, lost_head: str, reason: str, actor: Actor, now: datetime) -> AuditSeal:
    """A seal without entries, which opens a new chain and names the newest seal that was known before the restore.

    The key that signs it may be a new one without a forerunner. Raises InvalidHash, SigningKeyMissing.
    """
    if not _HASH.fullmatch(lost_head):
        raise InvalidHash
    lock_chain()
    seal = add_seal(rows=[], now=now, lost_head=lost_head, may_begin_anew=True)
    emit(
        Event(
            kind=AuditEventKind.AUDIT_RESTORED,
            resource_type=AuditSeal.NOUN,
            resource_id=None,
            actor=actor,
            details={"seal": seal.number, "chain": seal.chain, "lost_head": lost_head},
            reason=reason,
        )
    )
    return seal
