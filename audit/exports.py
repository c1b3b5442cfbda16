"""What an export of the sealed log has, line by line."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from audit.exported import exported_entry, exported_key, exported_seal
from audit.models import AuditKey, AuditLog, AuditSeal
from audit.verify_export import FORMAT

_PAGE = 200


def export_lines(*, since: datetime) -> Iterator[dict[str, Any]]:
    """The format, the public keys, and each seal from the first with an entry since then, with its entries.

    What retention has deleted is not in it.
    """
    yield {"format": {"name": FORMAT, "since": since.isoformat()}}
    for key in AuditKey.objects.order_by("created_at"):
        yield {"key": exported_key(key)}
    kept = AuditSeal.objects.filter(expired_at__isnull=True)
    first = kept.filter(newest_at__gte=since).order_by("number").first()
    number = first.number - 1 if first else None
    while number is not None:
        page = list(kept.filter(number__gt=number).order_by("number")[:_PAGE])
        for seal in page:
            yield {"seal": exported_seal(seal)}
            entries = AuditLog.objects.filter(
                sequence__range=(seal.first_sequence, seal.last_sequence), seal=seal.number
            )
            for entry in entries.order_by("sequence"):
                yield {"entry": exported_entry(entry)}
        number = page[-1].number if page else None
